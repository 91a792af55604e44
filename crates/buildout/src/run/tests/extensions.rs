//! Extensions that the engine does itself.

use super::*;

#[test]
fn what_is_stripped_is_told_and_the_tool_is_the_one_that_the_profile_names() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::with(
        "[buildout]\nparts =\nextensions = slapos.extension.strip slapos.extension.shared\n\
         shared-parts = /x\nstrip-binary = ${buildout:directory}/tool\n",
    );
    bench.write("tool", "#!/bin/sh\necho \"$@\" >> stripped\n");
    fs_err::copy("/proc/self/exe", bench.path("program")).unwrap();
    for (name, mode) in [("tool", 0o755), ("program", 0o555)] {
        fs_err::set_permissions(bench.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    let log = bench.succeed("");

    assert!(log.ends_with("Stripping binaries ...\nDone.\n"), "{log}");
    let told = bench.read("stripped").replace(bench.root.as_str(), "/dir");
    assert_eq!(told, "--remove-section=.comment --remove-section=.note /dir/program\n");
    assert_eq!(bench.path("program").metadata().unwrap().permissions().mode() & 0o777, 0o555);
    assert!(exists(bench.path(".shared")));
}

#[test]
fn an_extension_that_the_engine_has_taken_over_is_refused() {
    let bench = Bench::with("[buildout]\nparts =\nextensions = buildout-versions\n");

    let text = bench.fail("");

    assert!(
        text.starts_with("While:\n  Installing.\n  Loading extensions.\nError: Buildout now includes"),
        "{text}"
    );
    assert!(
        text.contains("look at the 'show-picked-versions' option in buildout's documentation."),
        "{text}"
    );
}
