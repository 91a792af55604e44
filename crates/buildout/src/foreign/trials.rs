//! Trials of Python recipes against the engine: files with a class, and distributions made here.

mod distributions;

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
fn errors_carry_the_message_of_python() {
    let recipe = "
import zc.buildout
class Recipe:
    def __init__(self, buildout, name, options):
        self.how = options['how']
    def install(self):
        if self.how == 'user':
            raise zc.buildout.UserError('set the colour')
        {}['missing']
";
    let mut place = place(recipe, &[("user", &[FILE, ("how", "user")]), ("bug", &[FILE, ("how", "bug")])]);

    assert_eq!(place.run("user").unwrap_err().to_string(), "set the colour");
    let bug = place.run("bug").unwrap_err();

    let root = &place.root;
    assert_eq!(
        bug.to_string(),
        format!("recipe `{root}/recipe.py` of [bug] failed with KeyError: no such key: missing")
    );
    assert_eq!(bug.error_code(), "E-recipe-python");
    let trace = bug.foreign_trace().unwrap();
    let frames: Vec<_> = trace.lines().filter(|line| line.trim_start().starts_with("File ")).collect();
    assert!(frames.len() == 1 && frames[0].ends_with("recipe.py\", line 9, in install"), "{trace}");
    let place = std::error::Error::source(&bug).unwrap().to_string();
    assert!(place.ends_with("recipe.py:9 in install"), "{place}");
}

#[test]
fn what_recipes_and_their_programs_print_comes_in_order_with_their_log() {
    let recipe = "
import logging, os, subprocess, sys
class Recipe:
    def __init__(self, buildout, name, options):
        self.logger = logging.getLogger(name)
    def install(self):
        print('one')
        self.logger.info('two')
        subprocess.check_call(['sh', '-c', 'echo three; echo four >&2'])
        self.logger.info('five')
        sys.stdout.write('x' * 200000 + '\\nsix')
        return ()
";
    let mut place = place(recipe, &[("part", &[FILE])]);

    place.run("part").unwrap();

    let long = "x".repeat(200_000);
    let lines = ["> one", "part: two", "> three", "> four", "part: five", &format!("> {long}"), "> six"];
    assert_eq!(*place.lines.0.lock().unwrap(), lines);
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
fn an_error_of_the_engine_stays_itself_unless_python_catches_it() {
    let recipe = "
from zc.buildout.buildout import MissingOption, MissingSection
class Recipe:
    def __init__(self, buildout, name, options):
        for error, act in ((MissingOption, lambda: options['none']), (MissingSection, lambda: buildout['none']),
                           (KeyError, lambda: options['none'])):
            try:
                act()
            except error:
                pass
            else:
                raise AssertionError(error)
        buildout[options['ask']]
    def install(self):
        return ()
";
    let mut place = place(recipe, &[("part", &[FILE, ("ask", "nowhere")])]);

    let error = place.run("part").unwrap_err();

    assert_eq!(
        error.error_code(),
        BuildError::from(crate::Fault::UnknownSection {
            section: "nowhere".to_owned(),
            reference: None,
            near: Vec::new(),
        })
        .code()
    );
}

#[test]
fn a_worker_that_dies_fails_the_part_and_the_paths_are_known() {
    let recipe = "
import os
class Recipe:
    def __init__(self, buildout, name, options):
        self.options = options
    def install(self):
        self.options.created('half')
        os._exit(7)
";
    let mut place = place(recipe, &[("part", &[FILE])]);

    let error = place.run("part").unwrap_err();

    assert_eq!(error.error_code(), "E-bridge-worker-lost");
    assert_eq!(
        std::error::Error::source(&error).unwrap().to_string(),
        "the Python worker ended with exit code 7"
    );
}

#[test]
fn the_environment_goes_both_ways() {
    let recipe = "
import os
class Recipe:
    def __init__(self, buildout, name, options):
        options['seen'] = os.environ.get('FROM_ENGINE', 'nothing')
    def install(self):
        os.environ['FROM_RECIPE'] = 'here'
        os.environ.pop('LC_ALL', None)
        return ()
";
    let mut place = place(recipe, &[("one", &[FILE]), ("two", &[FILE])]);

    place.run("one").unwrap();
    assert_eq!(place.engine.environment.get("FROM_RECIPE").map(String::as_str), Some("here"));
    assert!(!place.engine.environment.contains_key("LC_ALL"));
    place.engine.environment.insert("FROM_ENGINE".to_owned(), "there".to_owned());
    place.run("two").unwrap();

    assert_eq!(place.get("two", "seen").unwrap(), "there");
}

#[test]
fn what_a_recipe_calls_sees_the_environment_as_it_is_at_that_moment() {
    let recipe = "
import os
class Recipe:
    def __init__(self, buildout, name, options):
        if name == 'inner':
            options['seen'] = os.environ.get('FOR_INNER')
            os.environ['FROM_INNER'] = 'inner'
            return
        os.environ['FOR_INNER'] = 'outer'
        assert buildout['inner']['seen'] == 'outer' and os.environ['FROM_INNER'] == 'inner'
        del os.environ['FOR_INNER']
    def install(self):
        return ()
";
    let mut place = place(recipe, &[("outer", &[FILE]), ("inner", &[FILE])]);

    place.run("outer").unwrap();

    assert_eq!(place.get("inner", "seen").as_deref(), Some("outer"));
    assert!(!place.engine.environment.contains_key("FOR_INNER"));
    assert_eq!(place.engine.environment.get("FROM_INNER").map(String::as_str), Some("inner"));
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
fn a_recipe_that_nobody_has_is_unknown() {
    let mut place = place("", &[("part", &[("recipe", "no.such.recipe")])]);

    let error = place.run("part").unwrap_err();

    assert_eq!(error.to_string(), "recipe `no.such.recipe` of [part] does not exist here");
}

#[test]
fn a_recipe_whose_pin_does_not_exist_names_the_pin() {
    let mut place =
        place("", &[("part", &[("recipe", "some.recipe")]), ("versions", &[("some.recipe", "2.0")])]);
    wheel_for_trials(&place.root.join("index"), "some.recipe", "1.0", &[]);

    let error = place.run("part").unwrap_err();

    assert_eq!(error.to_string(), "recipe `some.recipe` of [part] is not built in and could not be loaded");
    assert_eq!(error.error_code(), "E-eggs-missing");
    let mut causes = Vec::new();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    let causes = causes.join("\n");
    assert!(
        causes.contains(
            "Couldn't find a distribution for 'some.recipe==2.0'.\n[versions] sets some.recipe = 2.0"
        ),
        "{causes}"
    );
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

#[test]
fn makes_that_recipes_start_take_jobs_of_the_build() {
    let recipe = r#"
import os, subprocess

class Recipe:
    def __init__(self, *ignored): pass

    def meet(self, run, **options):
        for name in 'ab':
            if os.path.exists(name):
                os.remove(name)
        assert run('make', **options) == 0

    def install(self):
        self.meet(lambda command: subprocess.call([command]))
        self.meet(lambda command, **options: subprocess.Popen(command, **options).wait(),
                  shell=True, close_fds=True, env=dict(os.environ, OWN='1'))
        self.meet(os.system)
        shown = subprocess.check_output(['ls', '/proc/self/fd'], env={'PATH': os.environ['PATH']})
        print('descriptors without MAKEFLAGS:', len(shown.split()))
        return ()
"#;
    // Neither of the two targets is done before the other one has begun.
    let makefile = "all:\n\t$(MAKE) both\nboth: a b\na b:\n\ttouch $@\n\
                    \tfor i in `seq 1000`; do test -e a -a -e b && exit 0; sleep 0.02; done; exit 9\n";
    let mut place = place(recipe, &[("part", &[FILE])]);
    fs::write(place.root.join("Makefile"), makefile).unwrap();
    place.engine.table.set_computed("buildout", "jobs", "2".to_owned());

    place.run("part").unwrap();

    let lines = place.lines.0.lock().unwrap();
    assert!(!lines.iter().any(|line| line.contains("jobserver")), "{lines:?}");
    // The fourth is that of the directory itself.
    assert!(lines.contains(&"> descriptors without MAKEFLAGS: 4".to_owned()), "{lines:?}");
}
