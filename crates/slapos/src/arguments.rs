//! The options of the top level, which are recognised anywhere on the command line, and the words that name a command.

use std::collections::VecDeque;
use std::ffi::OsString;

use camino::Utf8PathBuf;

use crate::failure::{Failure, Kind};
use crate::output::Format;

/// The options that every command has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GlobalOptions {
    /// `--version`.
    pub(crate) version: bool,
    /// `-h`.
    pub(crate) help: bool,
    /// How many `-v`.
    pub(crate) verbose: u8,
    /// `-q`.
    pub(crate) quiet: bool,
    /// `--debug`.
    pub(crate) debug: bool,
    /// `--log-file`.
    pub(crate) log_file: Option<Utf8PathBuf>,
    /// `--log-time` was given, which turns the times of the console log off.
    pub(crate) no_log_time: bool,
    /// `--output`.
    pub(crate) format: Format,
}

/// A command line, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct CommandLine {
    /// Options of the top level.
    pub(crate) options: GlobalOptions,
    /// The rest, in order: the words of the command, its options and arguments.
    pub(crate) rest: Vec<OsString>,
}

/// Takes the options of the top level out of `arguments` (without the program's name).
///
/// `is_raw` says of the words so far whether they name a command that receives everything that follows as it is.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    is_raw: &dyn Fn(&[OsString]) -> bool,
) -> Result<CommandLine, Failure> {
    let mut line = CommandLine::default();
    let mut left: VecDeque<OsString> = arguments.into_iter().collect();
    while let Some(argument) = left.pop_front() {
        if argument == "--" || is_raw(&line.rest) {
            line.rest.push(argument);
            line.rest.extend(left);
            break;
        }
        let taken = match argument.to_str() {
            Some(text) => line.options.take(text, &mut left)?,
            None => false,
        };
        if !taken {
            line.rest.push(argument);
        }
    }
    Ok(line)
}

impl GlobalOptions {
    /// Takes one argument, and its value from `left`; `false` when it is not an option of the top level.
    fn take(&mut self, argument: &str, left: &mut VecDeque<OsString>) -> Result<bool, Failure> {
        let (name, attached) = match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (argument, None),
        };
        match name {
            "--log-file" | "--logfile" | "--log_file" => {
                self.log_file = Some(Utf8PathBuf::from(value(name, attached, left)?));
                return Ok(true);
            }
            "--output" => {
                let text = value(name, attached, left)?;
                self.format = Format::parse(&text).ok_or_else(|| {
                    Failure::new(Kind::Usage, format!("`{text}` is no form of output"))
                        .hint("use one of: table, json, plain")
                        .code("E-usage")
                })?;
                return Ok(true);
            }
            _ if attached.is_some() => return Ok(false),
            "--version" => self.version = true,
            "-h" | "--help" => self.help = true,
            "--verbose" => self.verbose = self.verbose.saturating_add(1),
            "-q" | "--quiet" => self.quiet = true,
            "--debug" => self.debug = true,
            "--log-color" => {}
            "--log-time" => self.no_log_time = true,
            "--json" => self.format = Format::Json,
            _ if is_repeated_v(name) => {
                self.verbose = self.verbose.saturating_add(u8::try_from(name.len() - 1).unwrap_or(u8::MAX));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn is_repeated_v(name: &str) -> bool {
    name.strip_prefix('-')
        .is_some_and(|letters| !letters.is_empty() && letters.chars().all(|letter| letter == 'v'))
}

fn value(name: &str, attached: Option<String>, left: &mut VecDeque<OsString>) -> Result<String, Failure> {
    attached
        .or_else(|| left.pop_front().and_then(|value| value.into_string().ok()))
        .ok_or_else(|| Failure::new(Kind::Usage, format!("option `{name}` needs a value")).code("E-usage"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> CommandLine {
        parse(line.split_whitespace().map(OsString::from), &|words| words == ["buildout"]).unwrap()
    }

    #[test]
    fn options_of_the_top_level_are_found_before_and_after_the_command() {
        let line = parsed("-v node software --verbose --cfg x --logfile=y -q");

        assert_eq!(line.rest, ["node", "software", "--cfg", "x"]);
        assert_eq!(line.options.verbose, 2);
        assert!(line.options.quiet);
        assert_eq!(line.options.log_file, Some(Utf8PathBuf::from("y")));
    }

    #[test]
    fn a_raw_command_keeps_everything_that_follows() {
        let line = parsed("-vv buildout -v --help -c x");

        assert_eq!(line.options.verbose, 2);
        assert_eq!(line.rest, ["buildout", "-v", "--help", "-c", "x"]);
    }

    #[test]
    fn two_dashes_end_the_options() {
        assert_eq!(parsed("request -- -v").rest, ["request", "--", "-v"]);
    }

    #[test]
    fn a_missing_value_is_a_usage_failure() {
        let failure = parse([OsString::from("--log-file")], &|_| false).unwrap_err();

        assert_eq!(failure.exit_code(), 2);
    }
}
