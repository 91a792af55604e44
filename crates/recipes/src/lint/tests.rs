//! What the rules say of profiles: of the tutorial as it was written, of ours, and of each rule's own case.

use super::*;

/// What is said of a file that is read alone.
fn alone(name: &str, text: &str, role: Role) -> Vec<Finding> {
    lint(Utf8Path::new(name), text, role, &Library::new(&|_| None), &[]).unwrap()
}

fn codes(text: &str, role: Role) -> Vec<(u32, &'static str)> {
    alone("p.cfg", text, role).into_iter().map(|finding| (finding.line, finding.code)).collect()
}

#[test]
fn the_corrections_of_the_tutorial_are_named() {
    let software = include_str!("../../../../examples/tutorial/as-written/software.cfg");
    let instance = include_str!("../../../../examples/tutorial/as-written/instance.cfg.in");

    assert_eq!(
        codes(software, Role::Software),
        [
            (6, "L-unpinned"),
            (9, "L-same-file"),
            (11, "L-unpinned"),
            (15, "L-no-checksum"),
            (15, "L-not-an-archive"),
            (20, "L-bare-python"),
        ]
    );
    assert_eq!(
        codes(instance, Role::Instance),
        [
            (20, "L-no-promise"),
            (22, "L-release-directory"),
            (23, "L-wrapper-not-started"),
            (26, "L-listens-everywhere"),
            (29, "L-never-built"),
        ]
    );
}

#[test]
fn nothing_is_said_of_the_corrected_tutorial_and_the_other_examples() {
    for (name, text) in [
        ("software.cfg", include_str!("../../../../examples/tutorial/software.cfg")),
        ("instance.cfg.in", include_str!("../../../../examples/tutorial/instance.cfg.in")),
        ("software.cfg", include_str!("../../../../examples/flask/software.cfg")),
        ("instance.cfg.in", include_str!("../../../../examples/flask/instance.cfg.in")),
        ("software.cfg", include_str!("../../../../examples/two-services/software.cfg")),
        ("instance.cfg.in", include_str!("../../../../examples/two-services/instance.cfg.in")),
    ] {
        assert_eq!(alone(name, text, Role::of(name)), []);
    }
}

#[test]
fn a_finding_says_what_is_wrong_and_how_to_correct_it() {
    let text = "[buildout]\nparts = a\n[a]\nrecipe = slapos.cookbook:wrapper\netc = ${buildout:directory}/etc\nwrapper-path = ${:etc}/serve\n";

    let finding = &alone("instance.cfg", text, Role::Instance)[1];

    assert_eq!(finding.message, "nobody starts `etc/serve`: the `wrapper-path` of [a] is not supervised");
    assert_eq!(
        finding.hint,
        "write it to `etc/service/serve` if it always runs, to `etc/run/serve` if it ends"
    );
}

#[test]
fn a_profile_that_others_decide_about_is_not_guessed_at() {
    let extended = "[buildout]\nextends = other.cfg\nparts = a\n[b]\nrecipe = zc.recipe.egg\neggs = x\n";
    let looped = "[buildout]\nparts = a\n{% for name in names %}\n[b]\nrecipe = x\n{% endfor %}\n";

    assert_eq!(codes(extended, Role::Software), [(2, "L-no-such-profile")]);
    assert_eq!(codes(looped, Role::Instance), []);
}

#[test]
fn a_circular_reference_does_not_keep_the_rules_busy() {
    let text = "[buildout]\nparts = a\n[a]\n<= a\nrecipe = slapos.cookbook:wrapper\nwrapper-path = ${:wrapper-path}/x\n";

    assert_eq!(codes(text, Role::Instance), [(3, "L-no-promise")]);
}

/// What is said of the last of these files, which the others are beside.
fn among(files: &[(&str, &str)]) -> Vec<(u32, u32, &'static str)> {
    let files: Vec<(Utf8PathBuf, &str)> =
        files.iter().map(|(name, text)| (Utf8Path::new("/release").join(name), *text)).collect();
    let read =
        |path: &Utf8Path| files.iter().find(|(name, _)| name == path).map(|(_, text)| (*text).to_owned());
    let (path, text) = files.last().unwrap();
    let siblings: Vec<Utf8PathBuf> = files.iter().map(|(name, _)| name.clone()).collect();
    let role = Role::of(path.file_name().unwrap());
    let findings = lint(path, text, role, &Library::new(&read), &siblings).unwrap();
    findings.into_iter().map(|finding| (finding.line, finding.column, finding.code)).collect()
}

#[test]
fn what_a_profile_extends_has_its_pins_checksums_and_bases() {
    let stack = "[versions]\npinned = 1.0\n[base]\nrecipe = slapos.recipe.build:download\n\
        [sum]\nmd5sum = 0123\n";
    let software = "[buildout]\nextends = ../stack.cfg\nparts = a b c\n\
        [a]\nrecipe = zc.recipe.egg\neggs =\n  pinned\n  loose\n\
        [b]\n<= base\n  sum\nurl = https://example.org/b.tar.gz\n\
        [c]\n<= base\nurl = https://example.org/c.tar.gz\n";

    let found = among(&[("stack.cfg", stack), ("app/software.cfg", software)]);

    assert_eq!(found, [(8, 3, "L-unpinned"), (15, 1, "L-no-checksum")]);
}

#[test]
fn misspelt_names_are_found_with_the_right_ones() {
    let text = "[buildout]\nextnsions = x\nparts = a\nown-list = a\n\
        [a]\nrecipe = slapos.cookbook:wraper\n";
    let findings = alone("instance.cfg", text, Role::Instance);
    let said: Vec<_> = findings.iter().map(|finding| (finding.code, finding.hint.as_str())).collect();
    assert_eq!(
        said,
        [
            ("L-buildout-option", "did you mean `extensions`?"),
            ("L-unknown-recipe", "did you mean `slapos.cookbook:wrapper`?"),
        ]
    );
}

#[test]
fn options_that_nobody_reads_are_found_unless_something_refers_to_them() {
    let text = "[buildout]\nparts = a\n[a]\nrecipe = slapos.recipe.build:download\nurl = ${:base}/x\n\
        base = https://example.org\nmd5sum = 1\ndepends = ${b:recipe}\nfile-name = y\n\
        [b]\nrecipe = plone.recipe.command\ncommand = true\nstop-on-errors = true\n";

    assert_eq!(among(&[("software.cfg", text)]), [(9, 1, "L-unknown-option"), (13, 1, "L-unknown-option")]);
}

#[test]
fn an_option_that_the_extended_profile_offers_is_read_by_somebody() {
    let stack = "[work]\nrecipe = plone.recipe.command\ncommand = :\nenvironment =\n";
    let software = "[buildout]\nextends = ../stack.cfg\nparts = work\n\
        [work]\nenvironment =\n  A = 1\nenvironmant = x\n";

    assert_eq!(among(&[("stack.cfg", stack), ("app/software.cfg", software)]), [(7, 1, "L-unknown-option")]);
}

#[test]
fn an_option_that_is_set_twice_is_found_but_not_in_a_variant_of_its_section() {
    let text = "[buildout]\nparts = a\n[a]\nrecipe = plone.recipe.command\ncommand = one\ncommand = two\n\
        [a:linux]\ncommand = three\n";

    assert_eq!(among(&[("software.cfg", text)]), [(6, 1, "L-set-twice")]);
}

#[test]
fn sections_that_a_profile_beside_builds_are_not_dead() {
    let common = "[buildout]\nparts = a\n[a]\nrecipe = plone.recipe.command\ncommand = true\n\
        [b]\nrecipe = plone.recipe.command\ncommand = true\n";
    let more = "[buildout]\nextends = software.cfg\nparts += b\n";

    assert_eq!(among(&[("software.cfg", common)]), [(6, 1, "L-never-built")]);
    assert_eq!(among(&[("software-more.cfg", more), ("software.cfg", common)]), []);
}

/// What is said of a file that has other profiles beside it.
fn beside(text: &str, others: &[(&str, &str)]) -> Vec<&'static str> {
    let read = |path: &Utf8Path| {
        let (_, text) = others.iter().find(|(name, _)| Some(*name) == path.file_name())?;
        Some((*text).to_owned())
    };
    let paths: Vec<Utf8PathBuf> = others.iter().map(|(name, _)| Utf8PathBuf::from(name)).collect();
    let library = Library::new(&read);
    let findings = lint(Utf8Path::new("instance.cfg.in"), text, Role::Instance, &library, &paths).unwrap();
    findings.into_iter().map(|finding| finding.code).collect()
}

#[test]
fn a_section_that_the_rendering_profile_chooses_is_built() {
    let text = "[buildout]\nparts = a\n[a]\nrecipe = x.y\n[b]\nrecipe = x.y\n";

    assert_eq!(beside(text, &[]), ["L-never-built"]);
    assert_eq!(beside(text, &[("software.cfg", "[t]\nconfiguration = $${b:configuration}\n")]), [""; 0]);
}

#[test]
fn what_the_template_of_another_file_names_is_not_guessed_at() {
    let text = "[buildout]\nparts = a\n[a]\nrecipe = slapos.recipe.template\nurl = ${x:output}\noutput = y\n[b]\nrecipe = x.y\n";

    assert_eq!(beside(text, &[]), [""; 0]);
}

#[test]
fn references_to_sections_of_the_release_are_rendered_by_it() {
    let text = "[buildout]\nparts = a\n[a]\nrecipe = x.y\nbin = ${buildout:bin-directory}\n";

    assert_eq!(beside(text, &[]), ["L-release-directory"]);
    assert_eq!(beside(&format!("{text}nginx = ${{nginx:location}}\n"), &[]), [""; 0]);
}

#[test]
fn a_section_with_a_base_from_elsewhere_may_be_the_promise() {
    let text = "[buildout]\nparts = a b\n[a]\nrecipe = slapos.cookbook:wrapper\ncommand-line = x\nwrapper-path = y\n[b]\n<= monitor-base\n";

    assert_eq!(beside(text, &[]), ["L-no-promise"]);
    assert_eq!(beside(&format!("{text}promise = check_socket_listening\n"), &[]), [""; 0]);
}

#[test]
fn a_section_that_a_template_gets_whole_may_have_any_option() {
    let text = "[buildout]\nparts = t\n[t]\nrecipe = slapos.recipe.template:jinja2\nurl = x\noutput = y\n\
         context = section it data\n[data]\nrecipe = slapos.cookbook:mkdirectory\n[data2]\n";
    let free_port = text.replace("mkdirectory", "free_port").replace("[data2]\n", "colour = red\n");

    assert_eq!(beside(&free_port, &[]), [""; 0]);
    assert_eq!(beside(&free_port.replace("section it data", "raw it data"), &[]), ["L-unknown-option"]);
}

#[test]
fn options_that_commands_expand_are_read() {
    let text = "[buildout]\nparts = a\n[a]\nrecipe = slapos.recipe.cmmi\nurl = x.tar.gz\n\
                post-install = cp x %(target)s\ntarget = /t\nforgotten = 1\n";

    let unread = codes(text, Role::Software).into_iter().filter(|(_, code)| *code == "L-unknown-option");

    assert_eq!(unread.collect::<Vec<_>>(), [(8, "L-unknown-option")]);
}
