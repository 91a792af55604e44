//! The differential corpus: templates rendered here and, recorded in `fixtures/recipes/jinja`, by Python's Jinja2.

use buildout::Value as OptionValue;
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::convert::from_option;
use super::{Extensions, Loader, Template, import, render};

fn directory() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/recipes/jinja")
}

fn cases(text: &str) -> Vec<(String, String)> {
    let mut cases: Vec<(String, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        match (line.strip_prefix("=== "), cases.last_mut()) {
            (Some(name), _) => cases.push((name.trim().to_owned(), String::new())),
            (None, Some((_, body))) => body.push_str(line),
            (None, None) => panic!("a corpus file starts with a name"),
        }
    }
    cases
}

fn context() -> Vec<(String, minijinja::Value)> {
    let text = fs::read_to_string(directory().join("context.txt")).unwrap();
    let variables = text.lines().map(|line| {
        let (name, literal) = line.split_once(" = ").unwrap();
        (name.to_owned(), from_option(&OptionValue::from_option(&format!("!py!{literal}")).unwrap()))
    });
    let modules = [
        ("json_module", "json"),
        ("os_module", "os"),
        ("os_path", "os.path"),
        ("re_module", "re"),
        ("itertools", "itertools"),
        ("hashlib", "hashlib"),
        ("base64", "base64"),
        ("urllib_parse", "urllib.parse"),
        ("six_module", "six"),
    ];
    variables.chain(modules.map(|(name, module)| (name.to_owned(), import(module).unwrap()))).collect()
}

struct Imports;

impl Loader for Imports {
    fn load(&self, name: &str) -> Result<Option<(String, String)>, String> {
        let path = directory().join(format!("{name}.import"));
        Ok(fs::read_to_string(&path).ok().map(|source| (path.into_string(), source)))
    }
}

fn outcome(source: &str) -> Result<String, String> {
    let extensions = Extensions { do_statements: true, loop_controls: true };
    render(&Template { name: "corpus", source, extensions }, context(), Box::new(Imports))
        .map_err(|error| error.to_string())
}

/// Compares one file of the corpus; what only Python can render may fail here, but never differ.
fn compare(file: &str) {
    let read = |extension: &str| fs::read_to_string(directory().join(format!("{file}.{extension}"))).unwrap();
    let templates = cases(&read("cases"));
    let expected = cases(&read("expected"));
    assert_eq!(
        templates.len(),
        expected.len(),
        "the recorded outputs are older than the templates: run record.py"
    );
    let mut differences = Vec::new();
    for ((name, source), (_, wanted)) in templates.iter().zip(&expected) {
        let wanted = wanted.strip_suffix('\n').unwrap_or(wanted);
        let found = match outcome(source) {
            Ok(text) => text,
            Err(_) if wanted == "error" => continue,
            Err(message) => format!("error: {message}"),
        };
        if found != wanted {
            differences.push(format!("{name}\n  expected: {wanted:?}\n  found:    {found:?}"));
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {} differ\n{}",
        differences.len(),
        templates.len(),
        differences.join("\n")
    );
}

#[test]
fn expressions_match_python() {
    compare("expressions");
}

#[test]
fn methods_match_python() {
    compare("methods");
}

#[test]
fn builtins_match_python() {
    compare("builtins");
}

#[test]
fn filters_and_tests_match_python() {
    compare("filters");
}

#[test]
fn statements_match_python() {
    compare("statements");
}

#[test]
fn modules_match_python() {
    compare("modules");
}

#[test]
fn messages_name_the_place_and_the_thing() {
    let message = |source| outcome(source).unwrap_err();

    assert_eq!(message("a\n{{ nope }}"), "corpus:2: `nope` is undefined");
    assert_eq!(message("\n\n{{ person.nope }}"), "corpus:3: `person.nope` is undefined");
    assert_eq!(message("{{ nope + 1 }}"), "corpus:1: `nope` is undefined");
    assert_eq!(message("{{ frob() }}"), "corpus:1: frob is undefined");
    assert_eq!(message("x\n{% if %}"), "corpus:2: expected an expression, found the end of the tag");
    assert_eq!(message("{{ person.frob() }}"), "corpus:1: map has no method named frob");
    assert!(
        message("{% from 'helpers' import section %}\n{{ section('s', 5) }}").contains("helpers.import:7: ")
    );
}
