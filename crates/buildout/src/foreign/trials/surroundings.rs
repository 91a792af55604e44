//! Trials of what recipes share with the build beyond options: environment, output, jobs.

use super::*;

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
                    \tfor i in `seq 3000`; do test -e a -a -e b && exit 0; sleep 0.02; done; exit 9\n";
    let mut place = place(recipe, &[("part", &[FILE])]);
    fs::write(place.root.join("Makefile"), makefile).unwrap();
    place.engine.table.set_computed("buildout", "jobs", "2".to_owned());

    place.run("part").unwrap();

    let lines = place.lines.0.lock().unwrap();
    assert!(!lines.iter().any(|line| line.contains("jobserver")), "{lines:?}");
    // The fourth is that of the directory itself.
    assert!(lines.contains(&"> descriptors without MAKEFLAGS: 4".to_owned()), "{lines:?}");
}
