//! Our engine prints and records for the profiles in `fixtures/profiles` what zc.buildout does.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::sync::{Arc, Mutex};

use buildout::{
    CommandLine, Dialect, Event, OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section, Settings, Sink,
    Value,
};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

const OWN_PINS: [(&str, &str); 2] = [("zc.buildout", ">=3.3"), ("zc.recipe.egg", ">=2.0.6")];
const PYTHON: &str = "/usr/bin/python3";

#[derive(Default)]
struct Output(Mutex<String>);

impl Sink for Output {
    fn event(&self, event: Event) {
        match event {
            Event::Log { message, .. } => self.0.lock().unwrap().push_str(&(message + "\n")),
            Event::Text { text } => *self.0.lock().unwrap() += &text,
            _ => {}
        }
    }
}

/// zc.buildout's own recipe for tests: it shows every option.
struct Debug;

impl RecipeKind for Debug {
    fn names(&self) -> &'static [&'static str] {
        &["zc.buildout:debug"]
    }

    fn summary(&self) -> &'static str {
        "show every option"
    }

    fn options(&self) -> &'static [OptionDoc] {
        &[]
    }

    fn initialise(&self, _: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        Ok(Box::new(Self))
    }
}

impl Recipe for Debug {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        let mut options: Vec<(String, String)> = part.options()?.into_iter().collect();
        options.sort();
        for (name, value) in options {
            let value = Value::from(value).representation().unwrap();
            part.print(format!("  {name}={value}\n"));
        }
        Ok(Vec::new())
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.install(part)
    }
}

struct Case {
    source: Utf8PathBuf,
    _guard: tempfile::TempDir,
    directory: Utf8PathBuf,
    dialect: Dialect,
}

impl Case {
    fn new(source: &Utf8Path, dialect: Dialect) -> Self {
        let guard = tempfile::tempdir().unwrap();
        let directory = Utf8PathBuf::try_from(guard.path().canonicalize().unwrap()).unwrap();
        copy(source, &directory);
        Self { source: source.to_owned(), _guard: guard, directory, dialect }
    }

    fn run(&self, words: &[&str]) -> String {
        let own = fs::read_to_string(self.source.join("words")).unwrap_or_default();
        let words = ["-U", "-N"].into_iter().chain(own.split_whitespace()).chain(words.iter().copied());
        let output = Arc::new(Output::default());
        let mut settings = Settings::new(CommandLine::parse(words).unwrap(), &*self.directory);
        settings.registry = &[&Debug];
        settings.sink = output.clone();
        settings.dialect = self.dialect;
        settings.python = Some(PYTHON.into());
        if let Err(error) = buildout::run(settings) {
            panic!("{}: {}", self.source, buildout::report::render(&error, false));
        }
        let text = output.0.lock().unwrap().clone();
        self.clean(&text)
    }

    fn clean(&self, text: &str) -> String {
        let text = text.replace(self.directory.as_str(), "<directory>").replace(PYTHON, "<python>");
        let lines = text.lines().map(|line| match line.strip_prefix("__buildout_signature__ = ") {
            Some(_) => "__buildout_signature__ = <signature>",
            None => line,
        });
        let text: String = lines.flat_map(|line| [line, "\n"]).collect();
        // The pins that the engine adds in the dialect of zc.buildout are left out of the recorded files, too.
        OWN_PINS.iter().fold(text, |text, pin| {
            let (name, value) = pin;
            text.replace(&format!("{name}= {value}\n    DEFAULT_VALUE\n"), "")
                .replace(&format!("{name}= {value}\n\n   AS DEFAULT_VALUE\n   SET VALUE = {value}\n\n"), "")
        })
    }

    fn expect(&self, name: &str, found: &str) {
        let expected = fs::read_to_string(self.source.join(name)).unwrap();
        if found != expected {
            let line = |text: &str, number: usize| text.lines().nth(number).map(str::to_owned);
            let number =
                (0..).find(|number| line(found, *number) != line(&expected, *number)).unwrap_or_default();
            panic!(
                "{name} in {} ({:?}), line {}:\nfound    {:?}\nexpected {:?}\n\n{found}",
                self.source,
                self.dialect,
                number + 1,
                line(found, number),
                line(&expected, number)
            );
        }
    }
}

fn copy(from: &Utf8Path, to: &Utf8Path) {
    for entry in from.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(entry.path(), &target);
        } else if entry.file_name() != "installed.cfg" {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

fn cases() -> Vec<Utf8PathBuf> {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/profiles");
    let entries = root.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
    let mut cases: Vec<Utf8PathBuf> = entries.filter(|path| path.join("buildout.cfg").exists()).collect();
    cases.sort();
    assert!(!cases.is_empty());
    cases
}

fn check(source: &Utf8Path, dialect: Dialect) {
    let case = Case::new(source, dialect);
    case.expect("annotate.txt", &case.run(&["annotate"]));
    case.expect("annotate-verbose.txt", &case.run(&["-v", "annotate"]));
    case.expect("install.txt", &case.run(&[]));
    case.expect("again.txt", &case.run(&[]));
    case.expect(
        "installed.cfg",
        &case.clean(&fs::read_to_string(case.directory.join(".installed.cfg")).unwrap()),
    );
}

#[test]
fn profiles_mean_to_us_what_they_mean_to_the_reference() {
    for source in cases() {
        check(&source, Dialect::Upstream);
    }
}

#[test]
fn profiles_that_the_dialects_share_mean_the_same_in_both() {
    for source in cases().into_iter().filter(|source| !source.join("upstream-only").exists()) {
        check(&source, Dialect::Slapos);
    }
}

#[test]
fn a_base_that_two_profiles_share_is_applied_once_in_the_dialect_of_slapos() {
    let source = cases().into_iter().find(|path| path.file_name() == Some("diamond")).unwrap();
    let case = Case::new(&source, Dialect::Slapos);

    let log = case.run(&[]);

    assert!(log.contains("list='common\\nleft\\nright'\n"), "{log}");
    assert!(log.contains("value='left'\n"), "{log}");
}
