//! Source directories in development mode, and setup scripts, with a setuptools of this test.

use super::*;

/// A setuptools whose version says that `develop` makes links; the scripts of these tests make them.
const SETUPTOOLS: &str = "__version__ = '60.1'\n";
/// A setup script that does what `develop` does.
const SCRIPT: &str = "import os, sys, setuptools\n\
    assert sys.argv[1:4] == ['-q', 'develop', '-mN'], sys.argv\n\
    name = os.path.basename(os.getcwd())\n\
    assert name != 'bad', 'this one fails'\n\
    open(os.path.join(sys.argv[5], name + '.egg-link'), 'w').write(os.getcwd() + '\\n.')\n";

fn bench(profile: &str, sources: &[&str]) -> Bench {
    let bench = Bench::with(profile);
    bench.write("fake/setuptools.py", SETUPTOOLS);
    for source in sources {
        bench.write(&format!("{source}/setup.py"), SCRIPT);
    }
    bench
}

fn run(bench: &Bench, words: &str) -> Done {
    let listener = Arc::new(Listener::default());
    let mut settings = Settings::new(CommandLine::parse(words.split_whitespace()).unwrap(), &*bench.root);
    settings.environment =
        [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("PYTHONPATH", bench.path("fake").as_str())]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    settings.sink = listener.clone();
    let result = crate::run(settings);
    let log = listener.log.lock().unwrap().replace(bench.root.as_str(), "/dir");
    Done { log, result }
}

fn develop_lines(log: &str) -> Vec<&str> {
    log.lines().filter(|line| !line.starts_with("Creating")).collect()
}

#[test]
fn each_directory_that_a_pattern_names_gets_a_link_and_is_recorded() {
    let bench = bench("[buildout]\nparts =\ndevelop = src/* gone\n", &["src/two", "src/one", "src/.hidden"]);

    let done = run(&bench, "");

    done.result.unwrap();
    let lines =
        ["Develop: '/dir/src/one'", "Develop: '/dir/src/two'", "Couldn't develop '/dir/gone' (not found)"];
    assert_eq!(develop_lines(&done.log), lines);
    assert_eq!(bench.read("develop-eggs/one.egg-link"), format!("{}\n.", bench.path("src/one")));
    let directory = bench.path("develop-eggs");
    let record = format!(
        "[buildout]\ninstalled_develop_eggs = {directory}/one.egg-link\n\t{directory}/two.egg-link\nparts = \n"
    );
    assert_eq!(bench.read(".installed.cfg"), record);
}

#[test]
fn links_of_directories_that_are_not_listed_any_more_are_removed() {
    let bench = bench("[buildout]\nparts =\ndevelop = one two\n", &["one", "two"]);
    run(&bench, "").result.unwrap();
    bench.write("develop-eggs/own.egg-link", "/somewhere");

    run(&bench, "buildout:develop=two").result.unwrap();
    assert!(
        !exists(bench.path("develop-eggs/one.egg-link")) && exists(bench.path("develop-eggs/two.egg-link"))
    );
    run(&bench, "buildout:develop=").result.unwrap();

    assert!(
        !exists(bench.path("develop-eggs/two.egg-link")) && exists(bench.path("develop-eggs/own.egg-link"))
    );
    assert!(!exists(bench.path(".installed.cfg")));
}

#[test]
fn a_setup_script_that_fails_leaves_the_links_as_they_were() {
    let bench = bench("[buildout]\nparts =\ndevelop = one\n", &["one", "bad", "new"]);
    run(&bench, "").result.unwrap();

    bench.write("buildout.cfg", "[buildout]\nparts =\ndevelop = new bad\n");
    let error = run(&bench, "").result.unwrap_err();

    let script = bench.path("bad/setup.py");
    assert_eq!(error.to_string(), format!("the setup script {script} failed with exit code 1"));
    assert_eq!(error.code(), "E-develop");
    let doing = format!("Processing develop directory '{}'.", bench.path("bad"));
    assert_eq!(error.activities().last(), Some(&doing));
    let names: Vec<_> = fs_err::read_dir(bench.path("develop-eggs")).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn a_setup_script_is_run_by_hand_without_a_profile() {
    let bench = bench("", &[]);
    fs_err::remove_file(bench.path("buildout.cfg")).unwrap();
    bench.write(
        "demo/setup.py",
        "import sys\nassert 'setuptools' in sys.modules\nopen('ran', 'w').write(' '.join(sys.argv))\n",
    );

    let done = run(&bench, "setup demo --flag word");

    done.result.unwrap();
    assert!(done.log.ends_with("Running setup script 'demo/setup.py'.\n"), "{}", done.log);
    assert_eq!(bench.read("demo/ran"), format!("{} --flag word", bench.path("demo/setup.py")));
    assert!(!exists(bench.path("bin")));
}
