//! Interpreters that are found, asked once, asked again, refused and stopped.

use std::os::unix::fs::PermissionsExt;

use fs_err as fs;

use super::*;

const SEARCH: &str = "/usr/local/bin:/usr/bin:/bin";

fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::try_from(directory.path().to_owned()).unwrap();
    (directory, path)
}

fn launcher(directory: &Utf8Path, text: &str) -> Utf8PathBuf {
    let path = directory.join("python3");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn the_interpreter_of_the_machine_describes_itself() {
    let python = Interpreter::discover(None, SEARCH, None).unwrap();

    assert_eq!(python.facts().major, 3);
    assert_eq!(python.facts().markers["python_version"], python.short_version());
    assert_eq!(python.facts().markers["sys_platform"], "linux");
}

#[test]
fn a_described_interpreter_is_not_started_again() {
    let (_guard, root) = scratch();
    let starts = root.join("starts");
    let real = Interpreter::discover(None, SEARCH, None).unwrap();
    let path = launcher(&root, &format!("#!/bin/sh\necho start >> {starts}\nexec {} \"$@\"\n", real.path()));
    let cache = root.join("cache");

    let first = Interpreter::discover(Some(&path), "", Some(&cache)).unwrap();
    let second = Interpreter::discover(Some(&path), "", Some(&cache)).unwrap();

    assert_eq!(first, second);
    assert_eq!(first.path(), real.path());
    assert_eq!(fs::read_to_string(&starts).unwrap(), "start\n");
}

#[test]
fn a_changed_interpreter_is_asked_again() {
    let (_guard, root) = scratch();
    let real = Interpreter::discover(None, SEARCH, None).unwrap();
    let path = launcher(&root, &format!("#!/bin/sh\nexec {} \"$@\"\n", real.path()));
    let cache = root.join("cache");
    Interpreter::discover(Some(&path), "", Some(&cache)).unwrap();
    launcher(&root, "#!/bin/sh\necho no longer Python\n");

    let error = Interpreter::discover(Some(&path), "", Some(&cache)).unwrap_err();

    assert!(matches!(error, PythonError::Unusable { .. }), "{error:?}");
}

#[test]
fn no_interpreter_is_an_error_with_a_remedy() {
    let (_guard, root) = scratch();

    let error = Interpreter::discover(None, root.as_str(), None).unwrap_err();

    assert_eq!(error.code(), "E-bridge-python-missing");
    assert!(error.hint().contains("apt install python3"));
}

#[test]
fn a_named_interpreter_without_permission_is_refused() {
    let (_guard, root) = scratch();
    let path = root.join("python3");
    fs::write(&path, "").unwrap();

    let error = Interpreter::discover(Some(&path), SEARCH, None).unwrap_err();

    assert_eq!(error.code(), "E-bridge-python-missing");
}

#[test]
fn a_script_is_stopped_at_its_limit() {
    let python = Interpreter::discover(None, SEARCH, None).unwrap();

    let error = python.run("import time; time.sleep(60)", &[], Duration::from_millis(300)).unwrap_err();

    assert!(matches!(&error, PythonError::Script { verdict, .. } if verdict == "out of time"), "{error:?}");
}

#[test]
fn a_script_gets_its_arguments() {
    let python = Interpreter::discover(None, SEARCH, None).unwrap();

    let answer = python.run("import sys; print(sys.argv[1:])", &["a b"], Duration::from_secs(30)).unwrap();

    assert_eq!(answer, "['a b']\n");
}
