//! Eggs that lie in a directory as archives: they are used as they are.

use super::*;

/// Writes an egg with a module, a script, an entry point and a requirement.
fn write_egg(directory: &Utf8Path, project: &str, version: &str, requires: &str) -> Utf8PathBuf {
    fs::create_dir_all(directory).unwrap();
    let information = format!("Metadata-Version: 1.0\nName: {project}\nVersion: {version}\n");
    write_wheel(
        directory,
        &format!("{project}-{version}.egg"),
        &[
            (&format!("{project}.py"), "def main():\n    print('main')\n"),
            ("EGG-INFO/PKG-INFO", &information),
            ("EGG-INFO/requires.txt", requires),
            ("EGG-INFO/entry_points.txt", &format!("[console_scripts]\nrun = {project}:main\n")),
            ("EGG-INFO/scripts/by-file", "#!python\nprint('file')\n"),
        ],
    )
}

#[test]
fn they_are_found_without_an_index_and_read_as_they_are() {
    let mut place = place(&[]);
    place.settings.offline = true;
    let two = write_egg(&place.settings.develop_eggs_directory, "two", "2.0", "");
    let one = write_egg(&place.settings.eggs_directory, "one", "1.0", "two>=1\n");

    let set = place.install(&["one"]).unwrap();

    assert_eq!(set.path(), [one.clone(), two]);
    assert_eq!(set.signature().unwrap(), ["one-1.0.egg", "two-2.0.egg"]);
    let names: Vec<String> =
        set.entry_points("one", "console_scripts").unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["run"]);
    assert_eq!(
        set.script_files("one").unwrap(),
        [("by-file".to_owned(), "#!python\nprint('file')\n".to_owned())]
    );
}

#[test]
fn what_is_no_archive_is_no_egg() {
    let mut place = place(&[]);
    place.settings.offline = true;
    fs::create_dir_all(&place.settings.eggs_directory).unwrap();
    fs::write(place.settings.eggs_directory.join("one-1.0.egg"), "nothing").unwrap();

    assert_eq!(place.install(&["one"]).unwrap_err().code(), "E-eggs-missing");
}

#[test]
fn one_of_an_index_becomes_a_directory_unless_it_lies_there_already() {
    let place = place(&[]);
    write_egg(&place.root.join("index/one"), "one", "1.0", "");

    let egg = place.install(&["one"]).unwrap().path().remove(0);
    assert!(egg.join("EGG-INFO/PKG-INFO").is_file());
    files::remove_tree(&egg).unwrap();
    write_egg(&place.settings.eggs_directory, "one", "1.0", "");

    assert_eq!(place.install(&["one"]).unwrap().path(), std::slice::from_ref(&egg));
    assert!(egg.is_file());
}
