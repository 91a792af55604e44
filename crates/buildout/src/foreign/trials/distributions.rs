//! Trials of recipes that ask for distributions by the functions of `zc.buildout.easy_install`.

use super::*;

/// What a recipe holds of zc.buildout and setuptools, where they are real ones: enough of it to be changed.
const REAL: &[(&str, &str)] = &[
    ("zc/__init__.py", ""),
    ("zc/buildout/__init__.py", "class UserError(Exception): pass\n"),
    (
        "zc/buildout/buildout.py",
        "import zc.buildout\nfrom collections.abc import MutableMapping\n\
         class MissingOption(zc.buildout.UserError, KeyError): pass\n\
         class MissingSection(zc.buildout.UserError, KeyError): pass\n\
         class Options(MutableMapping): pass\nclass Buildout(MutableMapping): pass\n",
    ),
    (
        "zc/buildout/easy_install.py",
        "def install(*ignored, **others): raise Exception('this one asks the index itself')\n\
         working_set = build = develop = install\n\
         class Installer: pass\n\
         script_header = '#!%(python)s'\n\
         script_template = distutils_script_template = py_script_template = script_header + '\\nrest'\n\
         def default_versions(versions): Installer._versions = versions\n\
         def allow_picked_versions(value): pass\nprefer_final = allow_picked_versions\n",
    ),
    (
        "pkg_resources.py",
        "class WorkingSet:\n    by_key = {}\n    \
             def __init__(self, entries): self.entries = list(entries)\n    \
             def add_entry(self, entry): self.entries.append(entry)\n\
         working_set = WorkingSet([])\n\
         def find_distributions(place, only): return [type('Found', (), {'key': place})]\n",
    ),
];

#[test]
fn what_real_modules_install_is_installed_by_the_engine_whenever_they_are_imported() {
    let code = r#"
class Recipe:
    def __init__(self, buildout, name, options):
        self.buildout, self.options = buildout, options
    def install(self):
        import os, sys, pkg_resources, zc.buildout.easy_install
        from zc.buildout.buildout import Buildout, Options, dumps, MissingSection, MissingOption
        assert isinstance(self.buildout, Buildout) and isinstance(self.options, Options) and dumps(1) == '!py!1'
        try:
            self.buildout['nowhere']
        except MissingSection as error:
            assert error.args == ('nowhere',), error.args
        try:
            self.buildout['other']['broken']
        except MissingOption as error:
            assert error.args == ('Referenced option does not exist:', 'other', 'none'), error.args
        own = self.buildout['buildout']
        eggs, links = own['eggs-directory'], own['develop-eggs-directory']
        installer = zc.buildout.easy_install.Installer('other', path=[links], index=own['index'])
        names = [os.path.basename(place) for place in installer.install(['one']).entries]
        assert len(names) == 1 and names[0].startswith('one-1.0-py'), names
        # Nothing is fetched for these.
        for path in ([eggs, links], [links]):
            try:
                zc.buildout.easy_install.working_set(['one'], path)
            except zc.buildout.UserError as error:
                assert "can't install one in offline" in str(error), error
            else:
                raise AssertionError(path)
        found = zc.buildout.easy_install.working_set(['one'], sys.executable, [links, 'other']).entries
        assert found == [os.path.abspath('other/' + names[0])], found
        same = zc.buildout.easy_install.install(['one'], None, path=['other'], working_set=pkg_resources.working_set)
        assert same is pkg_resources.working_set and same.entries[-1:] == found, same.entries
        import module_of_one
        assert zc.buildout.easy_install.Installer._versions == {'one': '1.0'}
        return ()
"#;
    let sections: &[(&str, &[(&str, &str)])] = &[
        ("part", &[("recipe", "some.recipe")]),
        ("other", &[("broken", "${:none}")]),
        ("versions", &[("one", "1.0:whl")]),
    ];
    let mut place = place("", sections);
    let index = place.root.join("index");
    let points =
        ("some_recipe-1.0.dist-info/entry_points.txt", "[zc.buildout]\ndefault = some_recipe_code:Recipe\n");
    let files: Vec<(&str, &str)> =
        REAL.iter().copied().chain([("some_recipe_code.py", code), points]).collect();
    wheel_for_trials(&index, "some.recipe", "1.0", &files);
    wheel_for_trials(&index, "one", "1.0", &[("module_of_one.py", "")]);
    wheel_for_trials(&index, "one", "2.0", &[]);

    assert_eq!(place.run("part").unwrap(), [""; 0]);
}

#[test]
fn recipes_without_zc_buildout_have_the_same_functions() {
    let recipe = r#"
import os
import zc.buildout
class Recipe:
    def __init__(self, buildout, name, options):
        self.buildout = buildout
    def install(self):
        own, easy_install = self.buildout['buildout'], zc.buildout.easy_install
        index = own['index']
        places = easy_install.Installer('other', index=index).install(['one'], None).entries
        assert places == easy_install.install(['one'], 'other', index=index, path=[]).entries
        assert places == easy_install.working_set(['one'], ['other']).entries and len(places) == 1
        assert os.path.dirname(places[0]) == os.path.abspath('other'), places
        links = own['develop-eggs-directory']
        os.makedirs(links)
        return easy_install.develop('project', links), easy_install.script_header % {'python': '/p'}
"#;
    let mut place = place(recipe, &[("part", &[FILE])]);
    wheel_for_trials(&place.root.join("index"), "one", "1.0", &[]);
    wheel_for_trials(
        &place.root.join("index"),
        "setuptools",
        "70.0",
        &[("setuptools.py", "__version__ = '70.0'\n")],
    );
    fs::create_dir(place.root.join("project")).unwrap();
    let script = "import sys\nopen(sys.argv[-1] + '/here.egg-link', 'w').write('x')\n";
    fs::write(place.root.join("project/setup.py"), script).unwrap();
    place.engine.table.set_computed("versions", "setuptools", "70.0".to_owned());

    let paths = place.run("part").unwrap();

    assert_eq!(paths, [place.root.join("develop-eggs/here.egg-link"), "#!/p".into()]);
    assert!(paths[0].is_file());
}

#[test]
fn scripts_of_recipes_start_an_interpreter_whose_path_is_too_long_for_one_line() {
    let code = "
import zc.buildout.easy_install as e
class Recipe:
    def __init__(self, *ignored): pass
    def install(self): return e.script_header % {'python': 'P'}, e.py_script_template % {'python': 'P'}
";
    let points = "[zc.buildout]\ndefault = some_recipe_code:Recipe\n";
    let long = format!("{}/python3", "long/".repeat(30));
    let wrapped = "#!/bin/sh\n'''exec' \"P\" \"$0\" \"$@\"\n' '''";
    for (python, first) in [("short", "#!P"), (&*long, wrapped)] {
        let mut place = place("", &[("part", &[("recipe", "some.recipe")])]);
        let python = place.root.join(python);
        fs::create_dir_all(python.parent().unwrap()).unwrap();
        let own = host::python::find(None, "/usr/local/bin:/usr/bin:/bin").unwrap();
        std::os::unix::fs::symlink(own, &python).unwrap();
        place.engine.table.set_computed("buildout", "python", "python".to_owned());
        place.engine.table.set_computed("python", "executable", python.to_string());
        let files = [("some_recipe_code.py", code), ("some_recipe-1.0.dist-info/entry_points.txt", points)];
        let files: Vec<(&str, &str)> = REAL.iter().copied().chain(files).collect();
        wheel_for_trials(&place.root.join("index"), "some.recipe", "1.0", &files);

        assert_eq!(place.run("part").unwrap(), [first.to_owned(), format!("{first}\nrest")]);
    }
}
