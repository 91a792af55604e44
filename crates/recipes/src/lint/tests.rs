//! What the rules say of profiles: of the tutorial as it was written, of ours, and of each rule's own case.

use super::*;

fn codes(text: &str, role: Role) -> Vec<(u32, &'static str)> {
    lint("p.cfg", text, role).unwrap().into_iter().map(|finding| (finding.line, finding.code)).collect()
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
        assert_eq!(lint(name, text, Role::of(name)).unwrap(), []);
    }
}

#[test]
fn a_finding_says_what_is_wrong_and_how_to_correct_it() {
    let text = "[buildout]\nparts = a\n[a]\nrecipe = slapos.cookbook:wrapper\netc = ${buildout:directory}/etc\nwrapper-path = ${:etc}/serve\n";

    let finding = &lint("instance.cfg", text, Role::Instance).unwrap()[1];

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

    assert_eq!(codes(extended, Role::Software), []);
    assert_eq!(codes(looped, Role::Instance), []);
}

#[test]
fn a_circular_reference_does_not_keep_the_rules_busy() {
    let text = "[buildout]\nparts = a\n[a]\n<= a\nrecipe = slapos.cookbook:wrapper\nwrapper-path = ${:wrapper-path}/x\n";

    assert_eq!(codes(text, Role::Instance), [(3, "L-no-promise")]);
}
