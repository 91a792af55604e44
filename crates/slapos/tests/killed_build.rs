//! A build that is killed while several parts are worked on: what is complete is kept, nothing goes on behind its
//! back, and the next build resumes.

use testkit::cloud::{Cloud, wait_until};

/// `one` works for more than a second, so that it is worth to be recorded at once; `two` and `three` never end unless
/// the file `go` is there.
const PROFILE: &str = "\
[buildout]
parts = one two three
jobs = 3
[command]
recipe = plone.recipe.command
independent = true
stop-on-error = true
location = ${buildout:parts-directory}/${:_buildout_section_name_}
command = mkdir ${:location} && echo ${:_buildout_section_name_} >> ${buildout:directory}/begun && ${:work}
[one]
<= command
work = exec sleep 1.1
[two]
<= command
work = test -e ${buildout:directory}/go || exec sleep TIME
[three]
<= command
work = test -e ${buildout:directory}/go || exec sleep TIME
";

#[test]
fn a_killed_build_keeps_what_is_complete_and_resumes_at_the_rest() {
    let cloud = Cloud::new(env!("CARGO_BIN_EXE_slapos"));
    // No other process on this machine sleeps so long.
    let time = format!("6543.{}25", std::process::id());
    let directory = cloud.write_release("killed", &[("buildout.cfg", &PROFILE.replace("TIME", &time))]);
    let profile = directory.join("buildout.cfg");
    let read = |name: &str| fs_err::read_to_string(directory.join(name)).unwrap_or_default();
    let words = ["buildout", "-U", "-c", profile.as_str()];
    let sleep = format!("sleep\0{time}\0");
    let sleepers = || {
        let all = host::inhabitants::Inhabitant::all().unwrap();
        let command = |pid: u32| fs_err::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        all.iter().filter(|process| !process.is_zombie && command(process.pid) == sleep.as_bytes()).count()
    };

    let mut build = cloud.start(&words);
    wait_until("one part is recorded while two are worked on", || {
        read(".installed.cfg").contains("parts = one\n") && sleepers() == 2
    });
    host::process::kill(build.process.id());
    build.process.wait().unwrap();
    wait_until("what the parts ran has ended", || sleepers() == 0);

    fs_err::remove_dir_all(directory.join("parts/two")).unwrap();
    fs_err::remove_dir_all(directory.join("parts/three")).unwrap();
    fs_err::write(directory.join("go"), "").unwrap();
    let log = cloud.run(&words).success().stdout;

    let lines: Vec<&str> =
        log.lines().filter(|line| line.starts_with("Installing") || line.starts_with("Updating")).collect();
    assert_eq!(lines, ["Updating one.", "Installing two.", "Installing three."]);
    assert!(read(".installed.cfg").contains("parts = one two three\n"));
    let begun = read("begun");
    assert_eq!(begun.lines().filter(|line| *line == "one").count(), 1, "{begun}");
}
