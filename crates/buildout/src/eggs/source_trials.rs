//! Trials of builds from sources, with a project that brings its own means to build it, so that nothing of the machine but
//! pip takes part.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::python::Interpreter;

use super::source::Builder;
use super::trials::{Place, place};
use super::wheel::tests::write_wheel;
use super::*;

/// Makes a wheel of one module that tells what its build saw.
const BACKEND: &str = r#"
import configparser, os, zipfile


def build_wheel(directory, config_settings=None, metadata_directory=None):
    settings = configparser.ConfigParser()
    settings.read(os.environ.get('DIST_EXTRA_CONFIG', '/nonexistent'))
    version = '1.0' + settings.get('egg_info', 'tag_build', fallback='').lower()
    seen = [open('word.txt').read().strip(), settings.get('build_ext', 'include_dirs', fallback=None), os.environ.get('COLOUR')]
    name = 'one-%s-py3-none-any.whl' % version
    with zipfile.ZipFile(os.path.join(directory, name), 'w') as wheel:
        wheel.writestr('one.py', 'SEEN = %r\n' % seen)
        wheel.writestr('one-%s.dist-info/METADATA' % version, 'Metadata-Version: 2.1\nName: one\nVersion: %s\n\n' % version)
        wheel.writestr('one-%s.dist-info/WHEEL' % version, 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n')
        wheel.writestr('one-%s.dist-info/RECORD' % version, ''.join(name + ',,\n' for name in wheel.namelist()))
    return name
"#;
const PROJECT: &str = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n";
const PATCH: &str = "--- word.txt\n+++ word.txt\n@@ -1 +1 @@\n-plain\n+patched\n";

fn archive(place: &Place, backend: &str) {
    let directory = place.root.join("index/one");
    fs::create_dir_all(&directory).unwrap();
    let files = [("pyproject.toml", PROJECT), ("backend.py", backend), ("word.txt", "plain\n")];
    let names = files.map(|(name, text)| (format!("one-1.0/{name}"), text));
    let files: Vec<(&str, &str)> = names.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    write_wheel(&directory, "one-1.0.zip", &files);
}

fn module(egg: &Utf8Path) -> String {
    fs::read_to_string(egg.join("one.py")).unwrap()
}

fn build(place: &Place, build: &EggBuild) -> Result<Utf8PathBuf, EggError> {
    Eggs::new(&place.settings, &|_, _| {}).build("one", build, &place.settings.develop_eggs_directory)
}

#[test]
fn a_source_archive_becomes_an_egg_like_any_other() {
    let place = place(&[("one", "1.0")]);
    archive(&place, BACKEND);

    let set = place.install(&["one"]).unwrap();

    let egg = place.settings.eggs_directory.join(format!("one-1.0-py{}.egg", place.python()));
    assert_eq!(set.path(), std::slice::from_ref(&egg));
    assert_eq!(module(&egg), "SEEN = ['plain', None, None]\n");
}

#[test]
fn a_part_may_say_how_it_is_built() {
    let place = place(&[("one", "1.0+SlapOSPatched003")]);
    archive(&place, BACKEND);
    let patch = place.root.join("one.patch");
    fs::write(&patch, PATCH).unwrap();
    let wanted = EggBuild {
        extension_options: [("include-dirs".to_owned(), "/x/include".to_owned())].into(),
        environment: [("COLOUR", "red"), ("PATH", "/usr/local/bin:/usr/bin:/bin")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        patches: vec![patch.clone()],
        patch_revision: 3,
        ..EggBuild::default()
    };

    let egg = build(&place, &wanted).unwrap();

    let name = format!("one-1.0+slapospatched003-py{}.egg", place.python());
    assert_eq!(egg, place.settings.develop_eggs_directory.join(name));
    assert_eq!(module(&egg), "SEEN = ['patched', '/x/include', 'red']\n");
    // It is there, and its archive is not looked for again.
    fs::remove_dir_all(place.root.join("index")).unwrap();
    assert_eq!(build(&place, &wanted).unwrap(), egg);
    assert_eq!(place.install(&["one"]).unwrap().path(), [egg]);
}

#[test]
fn a_patched_version_needs_its_patches() {
    let place = place(&[("one", "1.0+SlapOSPatched001")]);
    archive(&place, BACKEND);

    for error in [build(&place, &EggBuild::default()).unwrap_err(), place.install(&["one"]).unwrap_err()] {
        assert_eq!(error.code(), "E-eggs-missing");
        assert!(error.hint().unwrap().starts_with("build one with its patches before"), "{:?}", error.hint());
    }
}

#[test]
fn a_patch_that_does_not_apply_is_told() {
    let place = place(&[("one", "1.0+SlapOSPatched001")]);
    archive(&place, BACKEND);
    let patch = place.root.join("one.patch");
    fs::write(&patch, PATCH.replace("plain", "other")).unwrap();

    let wanted = EggBuild { patches: vec![patch.clone()], patch_revision: 1, ..EggBuild::default() };
    let error = build(&place, &wanted).unwrap_err();

    assert_eq!(error.code(), "E-eggs-build");
    assert!(error.because().contains(&format!("{patch} does not apply")), "{:?}", error.because());
}

#[test]
fn the_whole_output_of_a_build_that_fails_is_in_the_log() {
    let place = place(&[("one", "1.0")]);
    archive(
        &place,
        "def build_wheel(*_):\n    for n in range(40): print('line %d of the build' % n)\n    raise SystemExit(3)\n",
    );
    let log = std::sync::Mutex::new(String::new());
    let notice = |_: crate::Level, text: &str| log.lock().unwrap().push_str(text);

    let error = Eggs::new(&place.settings, &notice).install(&["one"]).unwrap_err();

    assert_eq!(error.code(), "E-eggs-build");
    let log = log.into_inner().unwrap();
    assert!(log.contains("line 0 of the build") && log.contains("line 39 of the build"), "{log}");
    assert!(place.settings.eggs_directory.read_dir_utf8().is_err(), "nothing is installed");
}

#[test]
fn a_build_that_does_not_end_is_ended() {
    let place = place(&[]);
    archive(&place, "import time\ndef build_wheel(*_):\n    time.sleep(1000)\n");
    let python = Interpreter::discover(Some(&place.settings.python), "", None).unwrap();
    let cache = place.root.join("built");
    let builder = Builder {
        python: &python,
        settings: &place.settings,
        cache: &cache,
        provide: &|_| Ok(Vec::new()),
        limit: Duration::from_secs(3),
    };

    let error = builder.build(&place.root.join("index/one/one-1.0.zip"), &EggBuild::default()).unwrap_err();

    assert!(error.to_string().ends_with("failed with out of time"), "{error}");
    assert_eq!(cache.read_dir_utf8().unwrap().count(), 0);
}

#[test]
fn a_build_that_writes_without_end_is_told_by_its_last_lines() {
    let place = place(&[("one", "1.0")]);
    archive(
        &place,
        "import os\ndef build_wheel(*_):\n    os.write(1, b'x' * 30000000)\n    \
         print('\\nthe last line', flush=True)\n    os._exit(3)\n",
    );
    let told = std::sync::Mutex::new(0);
    let notice = |_: crate::Level, text: &str| *told.lock().unwrap() += text.len();

    let error = Eggs::new(&place.settings, &notice).install(&["one"]).unwrap_err();

    let because = error.because();
    assert!(because.len() <= 20 && because.iter().all(|line| line.len() <= 500), "{}", because.len());
    assert!(because.iter().any(|line| line.contains("the last line")), "{because:?}");
    assert!(*told.lock().unwrap() < 20 << 20);
    assert!(!place.settings.eggs_directory.exists());
}

/// Stands in for the modules of an interpreter that has setuptools and no `wheel`.
const WITHOUT_WHEEL: [(&str, &str); 2] = [
    (
        "sitecustomize.py",
        "import importlib.metadata as metadata\n\
         def version(name):\n    \
             if name == 'setuptools': return '65.5.0'\n    \
             raise metadata.PackageNotFoundError(name)\n\
         metadata.version = version\n",
    ),
    (
        "setuptools.py",
        "import os, sys, zipfile\n\
         __version__ = '65.5.0'\n\
         def setup(name, version):\n    \
             quiet, command, option, target = sys.argv[1:]\n    \
             assert (quiet, command, option) == ('-q', 'bdist_egg', '--dist-dir')\n    \
             os.makedirs(target, exist_ok=True)\n    \
             file = '%s-%s-py%d.%d.egg' % ((name, version) + sys.version_info[:2])\n    \
             with zipfile.ZipFile(os.path.join(target, file), 'w') as egg:\n        \
                 egg.writestr('one.py', 'SEEN = 1\\n')\n        \
                 egg.writestr('EGG-INFO/PKG-INFO', 'Metadata-Version: 1.0\\nName: one\\nVersion: 1.0\\n')\n",
    ),
];

#[test]
fn an_interpreter_without_wheel_makes_an_egg_of_a_setup_script() {
    let mut place = place(&[]);
    let modules = place.root.join("modules");
    fs::create_dir_all(&modules).unwrap();
    for (name, text) in WITHOUT_WHEEL {
        fs::write(modules.join(name), text).unwrap();
    }
    let directory = place.root.join("index/one");
    fs::create_dir_all(&directory).unwrap();
    let script = "from setuptools import setup\nsetup(name='one', version='1.0')\n";
    write_wheel(&directory, "one-1.0.zip", &[("one-1.0/setup.py", script)]);
    place.settings.one_at_a_time = true;
    place.settings.environment.insert("PYTHONPATH".to_owned(), modules.to_string());

    let set = place.install(&["one"]).unwrap();

    let egg = place.settings.eggs_directory.join(format!("one-1.0-py{}.egg", place.python()));
    assert_eq!(set.path(), std::slice::from_ref(&egg));
    assert_eq!(module(&egg), "SEEN = 1\n");
}
