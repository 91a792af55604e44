//! Distributions built from sources. Their projects bring what builds them, so that nothing of the machine takes part but
//! Python and pip.

use std::os::unix::fs::PermissionsExt;

use host::python::Interpreter;

use crate::trial::Trial;

const BACKEND: &str = include_str!("../../../../fixtures/zc_recipe_egg_custom/backend.py");
const PROJECT: &str = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n";

/// Puts a source archive of the project `one` into the directory `links`.
fn with_archive(profile: &str) -> Trial {
    let trial = Trial::with_profile(profile);
    let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(encoder);
    for (name, content) in [("pyproject.toml", PROJECT), ("backend.py", BACKEND), ("word.txt", "plain\n")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, format!("one-1.0/{name}"), content.as_bytes()).unwrap();
    }
    trial.write("links/one-1.0.tar.gz", archive.into_inner().unwrap().finish().unwrap());
    trial
}

fn version() -> String {
    Interpreter::discover(None, "/usr/bin:/bin", None).unwrap().short_version()
}

#[test]
fn builds_and_record_of_custom_eggs_are_those_of_the_python_recipe() {
    let trial = with_archive(include_str!("../../../../fixtures/zc_recipe_egg_custom/profile.cfg"));

    trial.built();

    let record = trial.read(".installed.cfg");
    let kept = record.split_inclusive('\n').filter(|line| !line.starts_with("__buildout_signature__"));
    let module = trial.read(&format!("develop-eggs/one-1.0-py{}.egg/one.py", version()));
    let found = format!("==> .installed.cfg <==\n{}==> one.py <==\n{module}", kept.collect::<String>());
    let found =
        found.replace(trial.root().as_str(), "@ROOT@").replace(&format!("py{}", version()), "py@VERSION@");
    // The reference names the platform of whatever it builds, also of what has no machine code.
    let expected = include_str!("../../../../fixtures/zc_recipe_egg_custom/expected.txt");
    assert_eq!(found, expected.replace("-linux-x86_64.egg", ".egg"));
    assert_eq!(trial.built().updated, ["one"]);
}

#[test]
fn a_source_directory_is_linked_with_what_the_part_says() {
    let trial = Trial::with_profile(
        "[buildout]\nparts = dev\n[colours]\nCOLOUR = red\n[dev]\nrecipe = zc.recipe.egg:develop\nsetup = src\n\
         include-dirs = inc\nenvironment = colours\n",
    );
    // Stands for setuptools, and tells what it was given.
    trial.write("src/setuptools.py", "__version__ = '1'\n");
    trial.write(
        "src/setup.py",
        "import os, sys\ntarget = sys.argv[sys.argv.index('-d') + 1]\n\
         open(os.path.join(target, 'dev.egg-link'), 'w').write(os.getcwd())\n\
         open('seen', 'w').write(os.environ['COLOUR'] + '\\n' + open(os.environ['DIST_EXTRA_CONFIG']).read())\n",
    );
    let source = trial.path("src");

    trial.build_in(&[("PYTHONPATH", source.as_str())]).unwrap();

    assert_eq!(trial.read("develop-eggs/dev.egg-link"), source.as_str());
    let expected = format!("red\n[build_ext]\ninclude_dirs = {}\n", trial.path("inc"));
    assert_eq!(trial.read("src/seen"), expected);
    let link = format!("__buildout_installed__ = {}\n", trial.path("develop-eggs/dev.egg-link"));
    assert!(trial.read(".installed.cfg").contains(&link));
    let names: Vec<String> = trial
        .path("develop-eggs")
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_owned())
        .collect();
    assert_eq!(names, ["dev.egg-link"]);
}

#[test]
fn patches_make_a_version_of_their_own() {
    let trial = with_archive(
        "[buildout]\nparts = app\nfind-links = links\nindex = none\n[versions]\none = 1.0+SlapOSPatched001\n\
         [app]\nrecipe = zc.recipe.egg:eggs\neggs = one\none-patches = one.patch\none-patch-options = -p1\n",
    );
    trial.write("one.patch", "--- a/word.txt\n+++ b/word.txt\n@@ -1 +1 @@\n-plain\n+patched\n");

    trial.built();

    let egg = format!("eggs/one-1.0+slapospatched001-py{}.egg", version());
    assert!(trial.read(&format!("{egg}/one.py")).contains("'patched'"));
    let mode = fs_err::metadata(trial.path(&egg)).unwrap().permissions().mode();
    assert_eq!(mode & 0o555, 0o555);
    assert_eq!(trial.built().updated, ["app"]);
}
