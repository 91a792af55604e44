//! Trials of the whole service: wheels made here, and an index of files.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::files;
use host::python::Interpreter;
use sha2::{Digest, Sha256};
use shacache::hexadecimal;

use super::wheel::tests::{write_simple_wheel, write_wheel};
use super::*;
use crate::EggSettings;

mod hostile_index;
mod index_over_http;
mod packed_eggs;
mod sharing;

const SEARCH: &str = "/usr/local/bin:/usr/bin:/bin";

pub(super) struct Place {
    _guard: tempfile::TempDir,
    pub(super) root: Utf8PathBuf,
    pub(super) settings: EggSettings,
}

/// A buildout directory whose index is the directory `index` in it; pip's own configuration is out of the way.
pub(super) fn place(pins: &[(&str, &str)]) -> Place {
    let guard = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::try_from(fs::canonicalize(guard.path()).unwrap()).unwrap();
    fs::create_dir(root.join("index")).unwrap();
    let settings = EggSettings {
        pins: pins.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        index: Some(format!("file://{root}/index")),
        find_links: Vec::new(),
        allow_hosts: vec!["*".to_owned()],
        eggs_directory: root.join("eggs"),
        develop_eggs_directory: root.join("develop-eggs"),
        further_directories: Vec::new(),
        bin_directory: root.join("bin"),
        directory: root.clone(),
        python: Interpreter::discover(None, SEARCH, None).unwrap().path().to_owned(),
        offline: false,
        newest: true,
        install_from_cache: false,
        prefer_final: true,
        allow_picked_versions: true,
        allow_unknown_extras: false,
        use_dependency_links: true,
        one_at_a_time: false,
        note_requirers: false,
        python_cache: Some(root.join("pythons")),
        download_cache: None,
        network_cache: None,
        shared_store: None,
        environment: BTreeMap::from([("PIP_CONFIG_FILE".to_owned(), "/dev/null".to_owned())]),
    };
    Place { _guard: guard, root, settings }
}

impl Place {
    fn wheel(&self, project: &str, version: &str, requires: &[&str]) -> Utf8PathBuf {
        let directory = self.root.join("index").join(ProjectName::new(project).as_str());
        fs::create_dir_all(&directory).unwrap();
        write_simple_wheel(&directory, project, version, requires)
    }

    pub(super) fn install(&self, requirements: &[&str]) -> Result<WorkingSet, EggError> {
        Eggs::new(&self.settings, &|_, _| {}).install(requirements)
    }

    fn installed(&self, requirements: &[&str]) -> Vec<String> {
        let set = self.install(requirements).unwrap();
        set.path().iter().map(|path| path.file_name().unwrap().to_owned()).collect()
    }

    pub(super) fn python(&self) -> String {
        Interpreter::discover(Some(&self.settings.python), "", None).unwrap().short_version()
    }
}

#[test]
fn pinned_dependencies_are_installed_in_the_order_of_the_walk() {
    let place = place(&[("one", "1.0"), ("two.x", "2.0"), ("three", "3.0")]);
    place.wheel("one", "1.0", &["two_x>=1", "three"]);
    place.wheel("one", "1.1", &[]);
    place.wheel("two.x", "2.0", &[]);
    place.wheel("three", "3.0", &[]);
    let python = place.python();

    let first = place.installed(&["one"]);

    assert_eq!(
        first,
        [
            format!("one-1.0-py{python}.egg"),
            format!("three-3.0-py{python}.egg"),
            format!("two_x-2.0-py{python}.egg")
        ]
    );
    assert_eq!(place.installed(&["one"]), first);
}

#[test]
fn what_is_installed_needs_no_index_and_no_network() {
    let mut place = place(&[("one", "1.0")]);
    place.wheel("one", "1.0", &[]);
    let first = place.installed(&["one"]);
    place.settings.index = Some("http://127.0.0.1:9/none".to_owned());
    assert_eq!(place.installed(&["one"]), first);
    place.settings.offline = true;
    assert_eq!(place.installed(&["one"]), first);

    let error = place.install(&["two"]).unwrap_err();

    assert_eq!(error.code(), "E-eggs-missing");
    assert_eq!(
        error.classic(),
        "We don't have a distribution for two\nand can't install one in offline (no-install) mode.\n"
    );
}

#[test]
fn a_pin_that_does_not_exist_is_told_with_its_neighbours() {
    let place = place(&[("one", "1.5")]);
    for version in ["1.0", "2.0", "3.0rc1"] {
        place.wheel("one", version, &[]);
    }
    place.wheel("top", "1", &["one"]);

    let error = place.install(&["top"]).unwrap_err();

    assert_eq!(error.code(), "E-eggs-missing");
    assert_eq!(error.classic(), "Couldn't find a distribution for 'one==1.5'.");
    let because = error.because();
    assert_eq!(
        because[..3],
        ["[versions] sets one = 1.5", "it is asked by top 1", "the nearest versions are 1.0, 2.0"]
    );
    assert_eq!(error.hint().unwrap(), "set one to a version that exists: 1.0, 2.0");
}

#[test]
fn the_newest_final_version_is_picked_when_that_is_allowed() {
    let mut place = place(&[]);
    for version in ["1.0", "1.9", "2.0b1"] {
        place.wheel("one", version, &[]);
    }
    assert_eq!(place.install(&["one"]).unwrap().versions().next().unwrap().1.to_string(), "1.9");

    place.settings.allow_picked_versions = false;
    let error = place.install(&["one"]).unwrap_err();

    assert_eq!(error.code(), "E-eggs-unpinned");
    assert!(
        error.classic().starts_with("Picked: one = 1.9\n\nThe `one` egg does not have a version pin"),
        "{}",
        error.classic()
    );
}

#[test]
fn newest_decides_whether_the_index_is_asked_again() {
    let mut place = place(&[]);
    place.wheel("one", "1.0", &[]);
    place.install(&["one"]).unwrap();
    place.wheel("one", "2.0", &[]);

    place.settings.newest = false;
    assert_eq!(place.install(&["one"]).unwrap().versions().next().unwrap().1.to_string(), "1.0");
    place.settings.newest = true;
    assert_eq!(place.install(&["one"]).unwrap().versions().next().unwrap().1.to_string(), "2.0");
}

#[test]
fn links_to_distributions_under_development_come_first() {
    let place = place(&[("one", "1.0")]);
    place.wheel("one", "1.0", &["two"]);
    let source = place.root.join("src");
    fs::create_dir_all(source.join("two.egg-info")).unwrap();
    fs::write(source.join("two.egg-info/PKG-INFO"), "Name: two\nVersion: 0.1\n\n").unwrap();
    fs::create_dir(place.root.join("develop-eggs")).unwrap();
    fs::write(place.root.join("develop-eggs/two.egg-link"), format!("{source}\n.")).unwrap();

    let path = place.install(&["one"]).unwrap().path();

    assert_eq!(path[0], source);
    assert_eq!(path.len(), 2);
    let signature = || place.install(&["one"]).unwrap().signature().unwrap();
    let before = signature();
    assert_eq!(before[0], format!("one-1.0-py{}.egg", place.python()));
    fs::create_dir(source.join("__pycache__")).unwrap();
    fs::write(source.join("__pycache__/two.pyc"), "").unwrap();
    assert_eq!(signature(), before);
    fs::write(source.join("two.py"), "").unwrap();
    assert_ne!(signature(), before);
}

#[test]
fn find_links_and_the_download_cache_serve_without_an_index() {
    let mut place = place(&[("one", "1.0")]);
    let (links, cache) = (place.root.join("links"), place.root.join("cache"));
    fs::create_dir(&links).unwrap();
    write_simple_wheel(&links, "one", "1.0", &[]);
    place.settings.find_links = vec!["links".to_owned()];
    place.settings.download_cache = Some(cache.clone());

    assert_eq!(place.installed(&["one"]).len(), 1);

    assert!(cache.join("one-1.0-py3-none-any.whl").is_file());
    place.settings.index = Some("http://127.0.0.1:9/none".to_owned());
    place.settings.install_from_cache = true;
    place.settings.find_links = vec!["http://127.0.0.1:9/links".to_owned()];
    host::files::remove_tree(&place.settings.eggs_directory).unwrap();
    assert_eq!(place.installed(&["one"]).len(), 1);
}

#[test]
fn a_wheel_for_another_machine_is_explained() {
    let place = place(&[("one", "1.0")]);
    let directory = place.root.join("index/one");
    fs::create_dir(&directory).unwrap();
    write_wheel(&directory, "one-1.0-cp27-cp27m-win32.whl", &[]);

    let error = place.install(&["one"]).unwrap_err();

    assert!(
        error
            .because()
            .contains(&"one-1.0-cp27-cp27m-win32.whl is for another interpreter or machine".to_owned())
    );
}

#[test]
fn scripts_of_the_set_are_found_by_requirement() {
    let place = place(&[("one", "1.0")]);
    place.wheel("one", "1.0", &[]);

    let set = place.install(&["one"]).unwrap();

    let points = set.entry_points("One", "console_scripts").unwrap();
    assert_eq!(points[0], EntryPoint { name: "one".into(), module: "one".into(), attribute: "main".into() });
}
