//! `slapos lint`: what cannot work, or should not be, in the profiles of a release, without building it.

use buildout::SyntaxError;
use camino::{Utf8Path, Utf8PathBuf};
use recipes::lint::{Finding, Library, Role, lint};
use serde_json::{Value, json};

use crate::command::{Example, Group, Habit, Subcommand};
use crate::context::Context;
use crate::failure::{Failure, Kind};

/// Look for mistakes in profiles, without building them
#[derive(Debug, clap::Args)]
pub(crate) struct Lint {
    /// Profiles, or directories of them [default: the current directory]
    files: Vec<String>,
}

impl Subcommand for Lint {
    const NAME: &'static str = "lint";
    const GROUP: Group = Group::FirstHour;
    const HABIT: Habit = Habit::Quiet;
    const EXAMPLES: &'static [Example] = &[
        ("slapos lint examples/tutorial/as-written", "the profiles of a directory"),
        ("slapos lint instance.cfg.in", "one of them"),
    ];
    const EXIT_CODES: &'static [(u8, &'static str)] = &[(1, "or something cannot work")];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let asked = if self.files.is_empty() { vec![".".to_owned()] } else { self.files };
        let mut found: Vec<(String, Finding, String)> = Vec::new();
        let mut left_out = Vec::new();
        let read = |path: &Utf8Path| host::files::read_text_if_present(path).ok().flatten();
        let library = Library::new(&read);
        for name in &asked {
            for (shown, path) in profiles(context, name)? {
                let path = buildout::normalised(&path);
                let siblings = siblings(&path);
                let text = host::files::read_text_if_present(&path)
                    .and_then(|text| text.ok_or_else(|| std::io::ErrorKind::NotFound.into()))
                    .map_err(|error| unreadable(&path, &error))?;
                let role = Role::of(path.file_name().unwrap_or_default());
                let findings = match lint(&path, &text, role, &library, &siblings) {
                    Ok(findings) => findings,
                    Err(_) if is_template(&text) => {
                        left_out.push(shown);
                        continue;
                    }
                    Err(error) => vec![of_syntax(&error)],
                };
                let line_of =
                    |number: u32| text.lines().nth(number.saturating_sub(1) as usize).unwrap_or_default();
                found.extend(
                    findings
                        .into_iter()
                        .map(|finding| (shown.clone(), finding.clone(), line_of(finding.line).to_owned())),
                );
            }
        }
        if !left_out.is_empty() {
            context.output.say(&format!("left out, as templates make them: {}", left_out.join(", ")));
        }
        if context.output.is_json() {
            context.output.json(&Value::Array(found.iter().map(document).collect()));
        } else if found.is_empty() {
            context.output.done("Nothing to correct.");
        } else {
            context.output.answer(&found.iter().map(text).collect::<Vec<_>>().join("\n"));
        }
        Ok(u8::from(found.iter().any(|(_, finding, _)| finding.is_error)))
    }
}

fn text((file, finding, line): &(String, Finding, String)) -> String {
    let word = if finding.is_error { "error" } else { "warning" };
    format!(
        "{word}: {}\n  {file}:{}:{}\n{:>3}| {line}\nhint: {}\n{}\n",
        finding.message, finding.line, finding.column, finding.line, finding.hint, finding.code
    )
}

fn document((file, finding, line): &(String, Finding, String)) -> Value {
    json!({
        "file": file,
        "line": finding.line,
        "column": finding.column,
        "text": line,
        "severity": if finding.is_error { "error" } else { "warning" },
        "code": finding.code,
        "message": finding.message,
        "hint": finding.hint,
    })
}

/// The profiles that a name stands for: as it is shown, and where it is.
fn profiles(context: &Context<'_>, name: &str) -> Result<Vec<(String, Utf8PathBuf)>, Failure> {
    let path = context.environment.absolute(name);
    if !path.is_dir() {
        return Ok(vec![(name.to_owned(), path)]);
    }
    let mut files = Vec::new();
    for entry in path.read_dir_utf8().map_err(|error| unreadable(&path, &error))? {
        let entry = entry.map_err(|error| unreadable(&path, &error))?;
        let file = entry.file_name();
        if !is_hidden(file) && (file.ends_with(".cfg") || file.ends_with(".cfg.in")) {
            let shown =
                if name == "." { file.to_owned() } else { format!("{}/{file}", name.trim_end_matches('/')) };
            files.push((shown, entry.path().to_owned()));
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Failure::new(Kind::Usage, format!("there is no profile in {path}"))
            .hint("name a file that ends in .cfg or .cfg.in, or a directory of such")
            .code("E-profile-missing"));
    }
    Ok(files)
}

/// Whether a template engine makes a profile of a text that is none yet.
fn is_template(text: &str) -> bool {
    ["{%", "{{", "${", "{#", "%("].iter().any(|mark| text.contains(mark))
}

/// Lines that are no profile language.
fn of_syntax(error: &SyntaxError) -> Finding {
    Finding {
        line: error.lines.first().copied().unwrap_or(1),
        column: 1,
        code: "L-syntax",
        is_error: true,
        message: error.to_string(),
        hint: "correct the line".to_owned(),
    }
}

/// The profiles in the directory of one, which may extend it.
fn siblings(path: &Utf8Path) -> Vec<Utf8PathBuf> {
    let entries = path.parent().and_then(|directory| directory.read_dir_utf8().ok());
    let files = entries.into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path().to_owned());
    let is_profile = |file: &Utf8PathBuf| {
        file != path && file.extension() == Some("cfg") && !file.file_name().is_some_and(is_hidden)
    };
    files.filter(is_profile).collect()
}

/// Whether nobody means a file who names its directory: `.installed.cfg` is the record of a build, no profile.
fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

fn unreadable(path: &Utf8Path, error: &std::io::Error) -> Failure {
    Failure::new(Kind::Failed, format!("cannot read {path}"))
        .because_of(error)
        .hint("correct the path")
        .code("E-profile-missing")
}
