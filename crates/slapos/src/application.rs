//! From argv to an exit code: which command, its arguments, and the one place where failures are printed.

use std::ffi::OsString;
use std::io::Write as _;

use clap::error::ErrorKind;

use crate::arguments::{self, CommandLine};
use crate::command::{self, Entry, Habit};
use crate::context::Context;
use crate::env::Environment;
use crate::failure::{Failure, Kind};
use crate::help;
use crate::logging;
use crate::output::Output;
use crate::terminal::shown;

/// Runs the program and returns its exit code.
pub(crate) fn run(environment: &Environment, mut argv: Vec<OsString>) -> u8 {
    let program = if argv.is_empty() { OsString::new() } else { argv.remove(0) };
    let arguments = under_other_names(&program, argv);
    let wants_json = asks_for_json(&arguments);
    match dispatch(environment, arguments) {
        Ok(code) => code,
        Err(failure) => {
            let text = if wants_json { format!("{}\n", failure.json()) } else { failure.text() };
            let text = if environment.has_terminal { shown(&text) } else { text.into() };
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
            failure.exit_code()
        }
    }
}

/// The program answers to the names of the programs that it replaces.
fn under_other_names(program: &OsString, arguments: Vec<OsString>) -> Vec<OsString> {
    let name = std::path::Path::new(program).file_name().and_then(|name| name.to_str()).unwrap_or("slapos");
    let words: &[&str] = match name {
        "buildout" => &["buildout"],
        "slapos-watchdog" => &["watchdog"],
        "supervisord" => &["supervisord"],
        "supervisorctl" => &["supervisorctl"],
        _ => &[],
    };
    words.iter().map(OsString::from).chain(arguments).collect()
}

fn dispatch(environment: &Environment, arguments: Vec<OsString>) -> Result<u8, Failure> {
    let is_raw = |words: &[OsString]| {
        command::find(words).is_some_and(|(entry, count)| entry.habit == Habit::Raw && count == words.len())
    };
    let CommandLine { options, mut rest } = arguments::parse(arguments, &is_raw)?;
    let output = Output::new(environment, options.format, options.quiet);
    if options.version {
        output.answer(concat!("slapos ", env!("CARGO_PKG_VERSION")));
        return Ok(0);
    }
    if rest.is_empty() {
        output.answer(&help::root());
        return Ok(0);
    }
    if rest == ["node"] {
        rest = vec!["node".into(), "status".into()];
    }
    let (entry, count) = command::find(&rest).ok_or_else(|| unknown(&rest))?;
    if options.help {
        output.answer(&help::of(entry));
        return Ok(0);
    }
    let matches = match entry.parser().try_get_matches_from(
        std::iter::once(OsString::from(format!("slapos {}", entry.name))).chain(rest.drain(count..)),
    ) {
        Ok(matches) => matches,
        Err(error) => return Err(usage(&error, entry)),
    };
    let context = Context { environment, options, output, clock: host::clock::SystemClock };
    logging::start(&context, entry.habit)?;
    entry
        .run(&matches, &context)
        .map_err(|failure| if entry.habit == Habit::Classic { failure.classic() } else { failure })
}

/// Whether a failure is to be printed as JSON, also when the command line itself is at fault.
fn asks_for_json(arguments: &[OsString]) -> bool {
    let is_json = |pair: &[OsString]| pair[0] == "--output" && pair[1] == "json";
    arguments.iter().any(|argument| argument == "--json" || argument == "--output=json")
        || arguments.windows(2).any(is_json)
}

/// The failure of a command line whose command does not exist.
fn unknown(words: &[OsString]) -> Failure {
    let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(option) = words.iter().find(|word| word.starts_with('-')) {
        return Failure::new(
            Kind::NotAllowed,
            format!("`{option}` is not an option that may stand before the command"),
        )
        .hint("slapos --help lists options and commands")
        .code("E-usage");
    }
    let names = || {
        command::COMMANDS.iter().filter(|entry| entry.group != command::Group::Hidden).map(|entry| entry.name)
    };
    let within: Vec<&str> =
        names().filter(|name| name.split_once(' ').is_some_and(|(group, _)| group == words[0])).collect();
    let (what, candidates) = if within.is_empty() {
        (words[0].clone(), names().collect::<Vec<_>>())
    } else {
        (words[..words.len().min(2)].join(" "), within)
    };
    let mut failure = Failure::new(Kind::NotAllowed, format!("there is no command `slapos {what}`"))
        .because(format!("the commands are: {}", candidates.join(", ")))
        .code("E-unknown-command");
    let near = buildout::nearest(&what, candidates);
    if !near.is_empty() {
        let near: Vec<String> = near.iter().map(|name| format!("slapos {name}")).collect();
        failure = failure.hint(format!("did you mean {}?", near.join(", or ")));
    }
    failure.hint("slapos help shows what each does")
}

/// The failure of a command whose arguments its parser refuses.
fn usage(error: &clap::Error, entry: &Entry) -> Failure {
    if error.kind() == ErrorKind::DisplayHelp {
        return Failure::new(Kind::Usage, help::of(entry));
    }
    let text = error.render().to_string();
    let mut paragraphs = text.trim().split("\n\n");
    let message = paragraphs.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let mut failure = Failure::new(Kind::Usage, message).code("E-usage");
    for paragraph in paragraphs {
        if let Some(tip) = paragraph.trim().strip_prefix("tip: ") {
            failure = failure.hint(tip.trim());
        }
    }
    failure.hint(format!("slapos help {} shows its arguments", entry.name))
}
