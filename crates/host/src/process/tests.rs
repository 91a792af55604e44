//! What becomes of children: their output, their environment and their ends.

use std::io;
use std::time::Duration;

use super::*;

fn sh(script: &str) -> Program {
    Program::new("/bin/sh").arg("-c").arg(script)
}

#[test]
fn output_is_merged_in_order_and_followed_by_line() {
    let mut lines = Vec::new();

    let finished = sh("echo one; echo two >&2; printf three; exit 3")
        .run(None, &mut |line| lines.push(line.to_owned()))
        .unwrap();

    assert_eq!(lines, ["one", "two", "three"]);
    assert_eq!(finished.text(), "one\ntwo\nthree");
    assert_eq!(finished.verdict(), "exit code 3");
}

#[test]
fn the_environment_is_empty_unless_given() {
    let finished =
        sh("env | grep -v -e ^PWD= -e ^SHLVL= -e ^_=").env("ONLY", "this").run(None, &mut |_| {}).unwrap();

    assert_eq!(finished.text(), "ONLY=this\n");
}

#[test]
fn a_limit_kills_the_whole_group_and_keeps_the_output() {
    // A busy machine may not even begin within the first of these times.
    for limit in [300, 3_000, 60_000].map(Duration::from_millis) {
        let finished = sh("echo before; sleep 600 & sleep 600").run(Some(limit), &mut |_| {}).unwrap();
        assert!(finished.timed_out);
        assert!(!finished.success());
        if finished.text() == "before\n" {
            return;
        }
    }
    panic!("the output is not kept");
}

#[test]
fn no_descriptor_beyond_the_standard_ones_leaks() {
    let directory = tempfile::tempdir().unwrap();
    let held = fs_err::File::create(directory.path().join("held")).unwrap();
    nix::fcntl::fcntl(held.file(), nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();

    let finished = sh("ls /proc/$$/fd").run(None, &mut |_| {}).unwrap();

    assert!(
        finished.text().split_whitespace().all(|fd| fd.parse::<u32>().unwrap() <= 2),
        "{}",
        finished.text()
    );
}

#[test]
fn a_child_hears_the_signals_that_its_parent_blocks() {
    let blocked = crate::signals::Interruptions::catch().unwrap();

    let finished = sh("kill -TERM $$; echo deaf").run(None, &mut |_| {}).unwrap();

    drop(blocked);
    assert_eq!(finished.text(), "");
    assert_eq!(finished.verdict(), "signal 15");
}

#[test]
fn a_program_that_does_not_exist_is_an_error() {
    let error = Program::new("/nonexistent/program").run(None, &mut |_| {}).unwrap_err();

    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}
