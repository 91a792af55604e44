//! Both engines at work on one case.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use buildout::fuzzing::meaning;
use buildout::{CommandLine, Dialect, Event, Settings, Sink};
use camino::Utf8PathBuf;
use fs_err as fs;
use host::process::{Program, end_group};
use serde_json::{Value, json};

use super::case::Case;
use crate::cases::Verdict;
use crate::step::{Failure, top};

/// Where the user's defaults are in the directory of a case.
const DEFAULTS: &str = "home/default.cfg";

type Sections = BTreeMap<String, BTreeMap<String, String>>;

/// What an engine makes of a case.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    annotate: Option<String>,
    sections: Sections,
    error: Option<String>,
}

/// A running Python engine, and the directory of the cases.
pub(super) struct Engines {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    place: tempfile::TempDir,
    number: u64,
}

impl Engines {
    pub(super) fn start() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| format!("zc.buildout cannot be started: {error}");
        let mut child = Program::new(top().join("target/peer/venv/bin/python"))
            .inherit_env()
            .args(["-W", "ignore", "tests/peer/profile_server.py"])
            .directory(top())
            .spawn(Stdio::piped(), Stdio::piped(), Stdio::inherit())
            .map_err(failed)?;
        let to = child.stdin.take().expect("it was asked for");
        let from = BufReader::new(child.stdout.take().expect("it was asked for"));
        // The memory of the machine where there is such a directory: hundreds of thousands of small files come and go.
        let memory = std::path::Path::new("/dev/shm");
        let place = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Ok(Self { child, to, from, place: place.map_err(failed)?, number: 0 })
    }

    /// Lets both read the case.
    pub(super) fn read(&mut self, case: &Case) -> Result<Verdict, Failure> {
        if case.has_lines_astray() {
            return Ok(Verdict::Incomparable("a known difference: lines under a false condition".to_owned()));
        }
        let directory = Utf8PathBuf::try_from(self.place.path().join(self.number.to_string()))
            .map_err(|error| error.to_string())?;
        self.number += 1;
        let done = self.write_and_compare(case, &directory);
        fs::remove_dir_all(&directory).map_err(|error| error.to_string())?;
        done
    }

    fn write_and_compare(&mut self, case: &Case, directory: &Utf8PathBuf) -> Result<Verdict, Failure> {
        fs::create_dir(directory).map_err(|error| error.to_string())?;
        let write = |name: &str, lines: &[String]| {
            fs::write(directory.join(name), Case::text(lines, directory.as_str()))
                .map_err(|error| error.to_string())
        };
        for (number, lines) in case.profiles.iter().enumerate() {
            write(&Case::file_name(number), lines)?;
        }
        if !case.defaults.is_empty() {
            fs::create_dir(directory.join("home")).map_err(|error| error.to_string())?;
            write(DEFAULTS, &case.defaults)?;
        }
        let ours = ours(case, directory);
        let python = self.python(case, directory)?;
        if let Some(internal) = python.error.as_ref().and_then(|error| error.strip_prefix("internal: ")) {
            let exception = internal.split(':').next().unwrap_or(internal);
            return Ok(Verdict::Incomparable(format!("zc.buildout itself is at fault: {exception}")));
        }
        if ours == python {
            return Ok(Verdict::Same(ours.error.unwrap_or_else(|| "read to its end".to_owned())));
        }
        Ok(Verdict::Different(difference(&ours, &python)))
    }

    fn python(&mut self, case: &Case, directory: &Utf8PathBuf) -> Result<Answer, Failure> {
        let ended = |error: std::io::Error| format!("zc.buildout has ended: {error}");
        let home = (!case.defaults.is_empty()).then(|| directory.join("home"));
        let question = json!({"directory": directory, "home": home, "assignments": case.assignments});
        writeln!(self.to, "{question}").and_then(|()| self.to.flush()).map_err(ended)?;
        let mut line = String::new();
        self.from.read_line(&mut line).map_err(ended)?;
        let answer: Value =
            serde_json::from_str(&line).map_err(|error| format!("zc.buildout has ended: {error}"))?;
        let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        let sections = answer.get("sections").cloned().unwrap_or_default();
        let sections: Sections = serde_json::from_value(sections).map_err(|error| error.to_string())?;
        Ok(comparable(Answer { annotate: text("annotate"), sections, error: text("error") }))
    }
}

impl Drop for Engines {
    fn drop(&mut self) {
        end_group(&self.child);
        // It is gone either way.
        let _ = self.child.wait();
    }
}

/// Keeps the text that was asked for.
#[derive(Default)]
struct Text(Mutex<String>);

impl Sink for Text {
    fn event(&self, event: Event) {
        if let Event::Text { text } = event {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = text;
        }
    }
}

fn ours(case: &Case, directory: &Utf8PathBuf) -> Answer {
    let settings = |sink: Arc<Text>| {
        let words = case.assignments.iter().cloned().chain(["annotate".to_owned()]);
        let line = CommandLine::parse(words).ok()?;
        let mut settings = Settings::new(line, directory.clone());
        settings.dialect = Dialect::Upstream;
        settings.user_defaults = (!case.defaults.is_empty()).then(|| directory.join(DEFAULTS));
        settings.sink = sink;
        settings.python = Some(top().join("target/peer/venv/bin/python"));
        settings.python_cache = Some(top().join("target/fuzz-python"));
        Some(settings)
    };
    let text = Arc::new(Text::default());
    let (Some(first), Some(second)) = (settings(Arc::clone(&text)), settings(Arc::default())) else {
        return Answer {
            annotate: None,
            sections: Sections::new(),
            error: Some("the command line is refused".to_owned()),
        };
    };
    let annotated = buildout::run(first);
    let annotate = annotated.is_ok().then(|| text.0.lock().unwrap_or_else(PoisonError::into_inner).clone());
    let meaning = meaning(second);
    let sections =
        meaning.sections.into_iter().map(|(name, options)| (name, options.into_iter().collect())).collect();
    let error = meaning.error.map(|error| error.code().to_owned());
    comparable(Answer { annotate, sections, error })
}

/// Leaves out what cannot be alike: where the Python is, and the pins that the Python engine gives itself.
fn comparable(mut answer: Answer) -> Answer {
    answer.sections.remove("versions");
    if let Some(buildout) = answer.sections.get_mut("buildout") {
        buildout.remove("executable");
    }
    if let Some(text) = &mut answer.annotate {
        let mut kept = String::new();
        let (mut is_versions, mut is_executable) = (false, false);
        for line in text.lines() {
            if line.starts_with('[') && line.ends_with(']') {
                is_versions = line == "[versions]";
            }
            if is_versions || is_executable || line.starts_with("executable= ") {
                is_executable = line.starts_with("executable= ");
                continue;
            }
            let _ = writeln!(kept, "{}", without_dots(line));
        }
        *text = kept.trim_end().to_owned();
    }
    answer
}

/// Of profiles that a URL or the command line extends, and of all that these extend, zc.buildout shows the words joined,
/// such as `././p1.cfg`; ours shows the place.
fn without_dots(line: &str) -> String {
    let mut line = line.to_owned();
    while line.contains("    ./") || line.contains("=  ./") || line.contains("/./") {
        line = line.replace("    ./", "    ").replace("=  ./", "=  ").replace("/./", "/");
    }
    line
}

/// The lines in which two answers differ. What only one of them got to is left out.
fn difference(ours: &Answer, python: &Answer) -> String {
    let lines = |answer: &Answer, other: &Answer| {
        let mut lines = vec![match &answer.error {
            Some(error) => format!("error: {error}"),
            None => "no error".to_owned(),
        }];
        if let (Some(text), Some(_)) = (&answer.annotate, &other.annotate) {
            lines.extend(text.lines().map(|line| format!("annotate: {line}")));
        }
        for (section, options) in
            answer.sections.iter().filter(|(name, _)| other.sections.contains_key(*name))
        {
            lines.extend(options.iter().map(|(option, value)| format!("{section}:{option} = {value:?}")));
        }
        lines
    };
    let (ours, python) = (lines(ours, python), lines(python, ours));
    let mut text = String::new();
    for line in ours.iter().filter(|line| !python.contains(line)) {
        let _ = writeln!(text, "  only ours:   {line}");
    }
    for line in python.iter().filter(|line| !ours.contains(line)) {
        let _ = writeln!(text, "  only Python: {line}");
    }
    if text.is_empty() { "  the lines come in another order or number\n".to_owned() } else { text }
}
