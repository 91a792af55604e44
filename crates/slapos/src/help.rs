//! The help: of the program, and of each command.

use std::fmt::Write as _;

use crate::command::{COMMANDS, Entry, Group};

/// What `slapos`, `slapos help` and `slapos --help` print: fits a terminal of 24 lines and 80 columns.
pub(crate) fn root() -> String {
    let mut text = String::from(concat!(
        "slapos ",
        env!("CARGO_PKG_VERSION"),
        ": a decentralised cloud operating system in one program\n\n",
        "  slapos up examples/flask    build, run and check a profile on this machine\n",
        "  slapos status               what runs here, and whether its promises pass\n",
        "  slapos down                 stop it; with --destroy, remove it too\n\n",
    ));
    for (group, heading) in [
        (Group::FirstHour, "First hour"),
        (Group::Client, "Client"),
        (Group::Node, "Node"),
        (Group::Other, "Other"),
    ] {
        text.push_str(&wrapped(heading, &grouped_names(group)));
    }
    text.push_str(
        "
Options, anywhere on the line:
  -v, -q              say more (repeatable), or only warnings
  --output FORM       table, json or plain
  --log-file FILE     log there too; --log-time: no times on the console
  -h, --version       help of a command, or the version
slapos help COMMAND shows its arguments, examples and exit codes.\n",
    );
    text
}

/// The help of one command.
pub(crate) fn of(entry: &Entry) -> String {
    entry.parser().term_width(80).render_long_help().to_string()
}

/// Examples and exit codes, shown below the options.
pub(crate) fn below_options(entry: &Entry) -> String {
    let mut text = String::new();
    if !entry.examples.is_empty() {
        text.push_str("Examples:\n");
        for (line, meaning) in entry.examples {
            let _ = writeln!(text, "  {line}\n      {meaning}");
        }
        text.push('\n');
    }
    let mut codes = vec![(0, "done".to_owned()), (1, "failed".to_owned()), (2, "wrong usage".to_owned())];
    for (code, meaning) in entry.exit_codes {
        match codes.iter_mut().find(|(known, _)| known == code) {
            Some((_, known)) => *known = format!("{known}, {meaning}"),
            None => codes.push((*code, (*meaning).to_owned())),
        }
    }
    let codes: Vec<String> = codes.iter().map(|(code, meaning)| format!("{code} {meaning}")).collect();
    let _ = write!(text, "Exit codes: {}", codes.join("; "));
    text
}

/// The names of a group; those of two words with the same first one are joined: `node format|software`.
fn grouped_names(group: Group) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut previous = "";
    for entry in COMMANDS.iter().filter(|entry| entry.group == group) {
        let (first, second) = entry.name.split_once(' ').unwrap_or((entry.name, ""));
        match names.last_mut() {
            Some(last) if !second.is_empty() && first == previous => {
                last.push('|');
                last.push_str(second);
            }
            _ => names.push(entry.name.to_owned()),
        }
        previous = first;
    }
    names
}

/// A heading and its names, on lines of at most 80 columns.
fn wrapped(heading: &str, names: &[String]) -> String {
    let mut text = String::new();
    let mut line = format!("{heading:<12}");
    let mut is_first = true;
    // A long list of alternatives may be broken after a bar.
    let pieces = names.iter().enumerate().flat_map(|(index, name)| {
        let end = if index + 1 < names.len() { ", " } else { "" };
        let mut pieces: Vec<String> = name.split_inclusive('|').map(str::to_owned).collect();
        if let Some(last) = pieces.last_mut() {
            last.push_str(end);
        }
        pieces
    });
    for piece in pieces {
        if !is_first && line.chars().count() + piece.trim_end().chars().count() > 79 {
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(12);
        }
        line.push_str(&piece);
        is_first = false;
    }
    text.push_str(line.trim_end());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_help_fits_a_small_terminal() {
        let text = root();

        assert!(text.lines().count() <= 24, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn the_root_help_names_every_shown_command() {
        let text = root().replace("\n            ", " ");

        for entry in COMMANDS.iter().filter(|entry| entry.group != Group::Hidden) {
            let last = entry.name.rsplit(' ').next().unwrap();
            assert!(text.contains(last), "{} is missing in:\n{text}", entry.name);
        }
    }
}
