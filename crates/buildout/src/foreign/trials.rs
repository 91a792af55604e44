//! Trials of Python recipes against the engine: files with a class, and distributions made here.

mod distributions;
mod errors;
mod surroundings;

use std::sync::Arc;

use camino::Utf8PathBuf;
use fs_err as fs;

use crate::eggs::wheel_for_trials;
use crate::engine::Engine;
use crate::foreign::{ForeignRecipes, Moment, PythonRecipes};
use crate::{Build, BuildError, CommandLine, Event, Part, RecipeError, Settings, Sink, Uninstall};

#[derive(Default)]
struct Lines(std::sync::Mutex<Vec<String>>);

impl Sink for Lines {
    fn event(&self, event: Event) {
        let line = match event {
            Event::Log { logger, message, .. } => format!("{}: {message}", logger.unwrap_or_default()),
            Event::PartOutput { line, .. } => format!("> {line}"),
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

struct Place {
    _guard: tempfile::TempDir,
    root: Utf8PathBuf,
    engine: Engine,
    recipes: PythonRecipes,
    lines: Arc<Lines>,
}

/// A build with these sections; `recipe.py` in its directory has this text.
fn place(recipe: &str, sections: &[(&str, &[(&str, &str)])]) -> Place {
    let guard = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::try_from(fs::canonicalize(guard.path()).unwrap()).unwrap();
    fs::write(root.join("recipe.py"), recipe).unwrap();
    fs::create_dir(root.join("index")).unwrap();
    let lines = Arc::new(Lines::default());
    let mut settings = Settings::new(CommandLine::default(), root.clone());
    settings.environment =
        [("PATH", "/usr/bin:/bin"), ("PIP_CONFIG_FILE", "/dev/null"), ("LC_ALL", "C.UTF-8")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    let recipes = PythonRecipes::default();
    settings.foreign = Some(Arc::new(recipes.clone()));
    settings.sink = lines.clone();
    let mut engine = Engine::new(&settings);
    engine.apply_defaults();
    engine.table.set_computed("buildout", "directory", root.to_string());
    engine.table.set_computed("buildout", "index", format!("file://{root}/index"));
    engine.table.set_computed("buildout", "versions", "versions".to_owned());
    for (section, options) in sections {
        for (option, value) in *options {
            engine.table.set_computed(section, option, value.replace("ROOT", root.as_str()));
        }
    }
    Place { _guard: guard, root, engine, recipes, lines }
}

impl Place {
    fn run(&mut self, part: &str) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.engine.access(part, None)?;
        let mut recipe = self.engine.take_recipe(part).expect("the section has a recipe");
        let result = recipe.install(&mut Part::new(&mut self.engine, part));
        self.engine.put_recipe(part, recipe);
        result
    }

    fn get(&mut self, section: &str, option: &str) -> Option<String> {
        self.engine.read(section, option).unwrap()
    }
}

const FILE: (&str, &str) = ("recipe", "ROOT/recipe.py");

#[test]
fn a_recipe_in_a_file_reads_sets_and_creates() {
    let recipe = r#"
import os
from slapos.recipe.librecipe import GenericBaseRecipe

class Recipe(GenericBaseRecipe):
    def _options(self, options):
        options['location'] = os.path.join(self.buildout['buildout']['directory'], 'made')
        options['typed'] = {'a': [1, None], 'b': '$x;'}
        assert options['typed'] == {'a': [1, None], 'b': '$x;'}
        assert self.buildout['other']['port'] == '80' and 'nothing' not in options
        assert sorted(options) == ['location', 'name', 'recipe', 'typed'], sorted(options)
        self.logger.info('ready %s', options['name'])

    def install(self):
        return [self.createFile(self.options['location'], self.options['name'] + '\n', 0o640)]
"#;
    let mut place =
        place(recipe, &[("part", &[FILE, ("name", "${other:port}")]), ("other", &[("port", "80")])]);

    let paths = place.run("part").unwrap();

    assert_eq!(paths, [place.root.join("made")]);
    assert_eq!(fs::read_to_string(place.root.join("made")).unwrap(), "80\n");
    assert_eq!(place.get("part", "typed").unwrap(), r"!py!{'a': [1, None], 'b': '\x24x\x3b'}");
    assert_eq!(*place.lines.0.lock().unwrap(), ["part: ready 80"]);
}

#[test]
fn python_and_engine_initialise_each_others_sections() {
    let recipe = "
class Recipe:
    def __init__(self, buildout, name, options):
        options['seen'] = name + ' ' + buildout[options['next']]['seen'] if 'next' in options else name
    def install(self):
        return ()
";
    let sections: &[(&str, &[(&str, &str)])] = &[
        ("one", &[FILE, ("next", "two"), ("copy", "${three:seen}")]),
        ("two", &[FILE, ("next", "three")]),
        ("three", &[FILE]),
    ];
    let mut place = place(recipe, sections);

    place.run("one").unwrap();

    assert_eq!(place.get("one", "seen").unwrap(), "one two three");
    assert_eq!(place.get("one", "copy").unwrap(), "three");
    assert_eq!(place.engine.order, ["three", "two", "one"]);
}

#[test]
fn a_signature_that_a_recipe_asks_for_is_an_option_from_then_on() {
    let recipe = "
class Recipe:
    def __init__(self, buildout, name, options):
        assert '__buildout_signature__' not in options.keys()
        signature = options.get('__buildout_signature__')
        assert signature.startswith('recipe.py-') and ' other:' in signature, signature
        assert dict(options.items()) == options.copy()
        options['seen'] = dict(options)['__buildout_signature__']
        assert options['seen'] == signature
    def install(self):
        return ()
";
    let mut place = place(
        recipe,
        &[
            ("part", &[FILE, ("x", "${other:port}")]),
            ("other", &[("recipe", "ROOT/other.py"), ("port", "80")]),
        ],
    );
    let other = "class Recipe:\n    def __init__(self, *ignored): pass\n    def install(self): return ()\n";
    fs::write(place.root.join("other.py"), other).unwrap();

    place.run("part").unwrap();

    let recorded = place.engine.copy("part").unwrap();
    assert!(recorded["seen"].contains("other:") && !recorded.contains_key("__buildout_signature__"));
}

#[test]
fn the_modules_of_zc_buildout_write_scripts_and_fetch_files() {
    let recipe = r#"
import os
import zc.buildout
from zc.buildout.buildout import bool_option
class Recipe:
    def __init__(self, buildout, name, options):
        self.buildout, self.options = buildout, options
        assert bool_option(options, 'flag') and options.query_bool('none') is None and options.get_bool('flag')
        assert options.pop('gone') == 'x' and 'gone' not in options and options.pop('gone', 1) == 1
    def install(self):
        assert self.buildout._parts == ['part'], self.buildout._parts
        fetch = zc.buildout.download.Download(self.buildout['buildout'], hash_name=True)
        kept = fetch('recipe.py', path='copy')
        assert os.path.samefile(kept[0], 'copy'), kept
        try:
            fetch('recipe.py', md5sum='0' * 32)
        except zc.buildout.download.ChecksumError as error:
            assert 'checksum mismatch for local resource' in str(error), error
        assert zc.buildout.easy_install._safe_arg('a b') == 'a b'
        return zc.buildout.easy_install.scripts(
            [('one', 'module', 'main.run')], [], None, 'bin', scripts={'one': 'two'}, extra_paths=['/p'], arguments='1')
"#;
    let mut place = place(recipe, &[("part", &[FILE, ("flag", "true"), ("gone", "x")])]);
    fs::create_dir(place.root.join("bin")).unwrap();

    let paths = place.run("part").unwrap();

    assert_eq!(paths, [place.root.join("bin/two")]);
    let script = fs::read_to_string(&paths[0]).unwrap();
    assert!(script.contains("  '/p',\n") && script.contains("sys.exit(module.main.run(1))"), "{script}");
    assert_eq!(*place.lines.0.lock().unwrap(), [format!(": Generated script '{}'.", paths[0])]);
}

#[test]
fn recipes_can_add_sections_and_compute_options_late() {
    let recipe = "
class Late(dict):
    def __missing__(self, key):
        if key == 'late':
            return 'computed'
        raise KeyError(key)
class Recipe:
    def __init__(self, buildout, name, options):
        if name == 'part':
            buildout.parse('[more]\\nrecipe = %s\\nvalue = ${part:name}\\n' % options['recipe'])
            assert 'more' in buildout
        options._data = Late(options._data)
        options.copy = lambda: {'recipe': options['recipe']}
    def install(self):
        return ()
";
    let mut place = place(recipe, &[("part", &[FILE, ("name", "x")])]);

    place.run("part").unwrap();

    assert_eq!(place.get("more", "value").unwrap(), "x");
    assert_eq!(place.get("part", "late").as_deref(), Some("computed"));
}

#[test]
fn a_recipe_of_a_distribution_is_installed_under_the_pins() {
    let mut place =
        place("", &[("part", &[("recipe", "some.recipe:other")]), ("versions", &[("some_recipe", "1.0")])]);
    wheel_for_trials(
        &place.root.join("index"),
        "some.recipe",
        "1.0",
        &[
            (
                "some_recipe_code.py",
                "class Recipe:\n    def __init__(self, *ignored): pass\n    def install(self): return 'x'\n",
            ),
            (
                "some_recipe-1.0.dist-info/entry_points.txt",
                "[zc.buildout]\nother = some_recipe_code:Recipe\n",
            ),
        ],
    );

    let paths = place.run("part").unwrap();

    assert_eq!(paths, ["x"]);
    let log = place.lines.0.lock().unwrap().join("\n");
    assert!(log.contains("Getting distribution for 'some.recipe==1.0'."), "{log}");
}

#[test]
fn distributions_that_share_a_namespace_are_found_one_after_the_other() {
    let parts: &[(&str, &[(&str, &str)])] =
        &[("a", &[("recipe", "ns.one")]), ("b", &[("recipe", "ns.two"), ("after", "${a:recipe}")])];
    let mut place = place("", parts);
    for name in ["one", "two"] {
        wheel_for_trials(
            &place.root.join("index"),
            &format!("ns.{name}"),
            "1.0",
            &[
                ("ns/__init__.py", ""),
                (
                    &format!("ns/{name}.py"),
                    "class Recipe:\n    def __init__(self, *ignored): pass\n    def install(self): return __name__\n",
                ),
                (&format!("ns_{name}-1.0.dist-info/namespace_packages.txt"), "ns\n"),
                (
                    &format!("ns_{name}-1.0.dist-info/entry_points.txt"),
                    &format!("[zc.buildout]\ndefault = ns.{name}:Recipe\n"),
                ),
            ],
        );
    }

    assert_eq!(place.run("b").unwrap(), ["ns.two"]);
    assert_eq!(place.run("a").unwrap(), ["ns.one"]);
}

#[test]
fn extensions_see_the_build_before_and_after_the_parts() {
    let mut place = place("", &[("other", &[("port", "80")])]);
    let code = "def load(buildout): buildout['other']['port'] = '81'\n\
                def unload(buildout): open('seen', 'w').write(','.join(sorted(buildout)))\n";
    let points = "[zc.buildout.extension]\ndefault = some_code:load\n\
                  [zc.buildout.unloadextension]\ndefault = some_code:unload\n";
    let files = [("some_code.py", code), ("some_extension-1.0.dist-info/entry_points.txt", points)];
    wheel_for_trials(&place.root.join("index"), "some.extension", "1.0", &files);
    let recipes = place.recipes.clone();
    let names = ["some.extension".to_owned()];

    recipes.extend(&names, Moment::Load, &mut Build::new(&mut place.engine)).unwrap();
    assert!(!place.root.join("seen").exists());
    recipes.extend(&names, Moment::Unload, &mut Build::new(&mut place.engine)).unwrap();

    assert_eq!(place.get("other", "port").unwrap(), "81");
    assert_eq!(fs::read_to_string(place.root.join("seen")).unwrap(), "buildout,other");
    let gone = recipes.extend(&["gone".to_owned()], Moment::Load, &mut Build::new(&mut place.engine));
    assert_eq!(gone.unwrap_err().error_code(), "E-eggs-missing");
}

#[test]
fn removing_a_part_runs_its_uninstall_step_and_needs_no_recipe_that_is_gone() {
    let mut place = place("", &[("part", &[("recipe", "some.recipe")])]);
    let code = "import os\nclass Recipe:\n    def __init__(self, *ignored): pass\n    def install(self): return ()\n\
                def remove(part, options): open('removed', 'w').write(part + options['recipe'])\n";
    let points =
        "[zc.buildout]\ndefault = some_code:Recipe\n[zc.buildout.uninstall]\ndefault = some_code:remove\n";
    let files = [("some_code.py", code), ("some_recipe-1.0.dist-info/entry_points.txt", points)];
    wheel_for_trials(&place.root.join("index"), "some.recipe", "1.0", &files);
    let recipes = place.recipes.clone();
    place.run("part").unwrap();
    let options = [("recipe".to_owned(), "some.recipe".to_owned())].into();
    let part = Uninstall { part: "part", options: &options, directory: &place.root };

    let mut build = Build::new(&mut place.engine);
    recipes.uninstall("some.recipe", &part, &mut build).unwrap();
    recipes.uninstall("gone.recipe:entry", &part, &mut build).unwrap();

    assert_eq!(fs::read_to_string(place.root.join("removed")).unwrap(), "partsome.recipe");
}
