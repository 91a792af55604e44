//! The scripts and the record are those of the Python recipe.

use camino::Utf8Path;
use host::python::Interpreter;

use super::*;

/// Writes an egg directory that holds nothing but its metadata.
fn write_egg(root: &Utf8Path, python: &str, name: &str, version: &str, files: &[(&str, &str)]) {
    let information = root.join(format!("eggs/{name}-{version}-py{python}.egg/EGG-INFO"));
    let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n");
    for (file, text) in [("PKG-INFO", metadata.as_str())].iter().chain(files) {
        let path = information.join(file);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
}

#[test]
fn scripts_and_record_are_those_of_the_python_recipe() {
    let guard = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::try_from(fs_err::canonicalize(guard.path()).unwrap()).unwrap();
    let interpreter = Interpreter::discover(None, "/usr/bin:/bin", None).unwrap();
    let python = interpreter.short_version();
    let egg = |name, version, files: &[(&str, &str)]| write_egg(&root, &python, name, version, files);
    let scripts = |text| ("entry_points.txt", text);
    egg(
        "one",
        "1.0",
        &[("requires.txt", "three\ntwo>=1\n"), scripts("[console_scripts]\none = one.cli:main\n")],
    );
    egg(
        "two",
        "2.0",
        &[
            ("requires.txt", "four\n\n[more]\nfive\n"),
            scripts("[console_scripts]\ntwo = two:Main.run\n"),
            ("scripts/run.py", "#!python\nimport sys\nprint(sys.argv)\n"),
        ],
    );
    egg("three", "3.0", &[]);
    egg("four", "4.0", &[("requires.txt", "three\n")]);
    egg("five", "5.0", &[]);
    fs_err::write(root.join("buildout.cfg"), include_str!("../../../../fixtures/zc_recipe_egg/profile.cfg"))
        .unwrap();
    let mut settings = buildout::Settings::new(buildout::CommandLine::default(), root.clone());
    settings.environment = [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into();
    settings.registry = crate::REGISTRY;

    buildout::run(settings).unwrap();

    let mut names: Vec<String> = root
        .join("bin")
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_owned())
        .collect();
    names.sort();
    // The body of the interpreter is our own.
    names.retain(|name| name != "py");
    let mut found = String::new();
    for name in names.iter().map(|name| format!("bin/{name}")).chain([".installed.cfg".to_owned()]) {
        let text = fs_err::read_to_string(root.join(&name)).unwrap();
        let kept = text.split_inclusive('\n').filter(|line| !line.starts_with("__buildout_signature__"));
        found.extend(["==> ", name.as_str(), " <==\n"].into_iter().chain(kept));
    }
    let found = found
        .replace(root.as_str(), "@ROOT@")
        .replace(interpreter.path().as_str(), "@PYTHON@")
        .replace(&format!("py{python}"), "py@VERSION@");
    assert_eq!(found, include_str!("../../../../fixtures/zc_recipe_egg/expected.txt"));
}

#[test]
fn only_true_and_false_are_booleans() {
    assert!(boolean("dependent-scripts", "true").unwrap());
    assert_eq!(
        boolean("dependent-scripts", "yes").unwrap_err().to_string(),
        "Invalid value for dependent-scripts option: yes"
    );
}
