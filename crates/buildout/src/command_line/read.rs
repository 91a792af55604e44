//! Reads the words of the command line, with the complaints of the classic engine.

use std::iter::Peekable;

use super::{Command, CommandLine, CommandLineAssignment, UsageError};
use crate::Dialect;
use crate::syntax::Operator;

impl CommandLine {
    /// Understands the words behind the program's name.
    ///
    /// # Errors
    /// An unknown option or command, or an option without its value.
    pub fn parse<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Result<Self, UsageError> {
        let mut line = Self::default();
        match line.read(&mut words.into_iter().map(Into::into).peekable()) {
            Ok(()) => Ok(line),
            Err(message) => Err(UsageError { message, dialect: line.dialect }),
        }
    }

    fn read(&mut self, words: &mut Peekable<impl Iterator<Item = String>>) -> Result<(), String> {
        let mut verbosity = 0;
        while let Some(word) = words.next_if(|word| word.starts_with('-') || word.contains('=')) {
            if let Some(long) = word.strip_prefix("--") {
                self.long(long, words)?;
            } else if let Some(letters) = word.strip_prefix('-') {
                self.short(letters, &word, words, &mut verbosity)?;
            } else {
                self.assignments.push(assignment(&word)?);
            }
            if matches!(self.command, Command::Help | Command::Version) {
                // Whatever follows is not looked at.
                return Ok(());
            }
        }
        if verbosity != 0 {
            self.set("verbosity", &verbosity.to_string());
        }
        if let Some(name) = words.next() {
            let is_ours = self.dialect == Dialect::Slapos;
            self.command = match name.as_str() {
                "install" => Command::Install,
                "bootstrap" => Command::Bootstrap,
                "init" => Command::Init,
                "setup" | "runsetup" => Command::Setup,
                "annotate" => Command::Annotate,
                "query" => Command::Query,
                "plan" if is_ours => Command::Plan,
                "why" if is_ours => Command::Why,
                "graph" if is_ours => Command::Graph,
                _ => return Err(format!("invalid command: {name}")),
            };
        }
        self.arguments = words.collect();
        // Words behind `setup` are those of the script.
        let asks = |words: &[String]| words.iter().any(|word| word == "--help" || word == "-h");
        if self.dialect == Dialect::Slapos && self.command != Command::Setup && asks(&self.arguments) {
            self.arguments = vec![self.command.name().to_owned()];
            self.command = Command::Help;
        }
        Ok(())
    }

    fn long(&mut self, name: &str, words: &mut impl Iterator<Item = String>) -> Result<(), String> {
        match name {
            "dialect" => self.dialect = dialect(&words.next().unwrap_or_default())?,
            name if name.starts_with("dialect=") => self.dialect = dialect(&name["dialect=".len()..])?,
            "user" => self.user = Some(user(words.next())?),
            name if name.starts_with("user=") => {
                self.user = Some(user(Some(name["user=".len()..].to_owned()))?);
            }
            "allow-root" => self.allow_root = true,
            "python" => {
                let path = words.next().ok_or("No path specified for option --python")?;
                self.python = Some(path);
            }
            name if name.starts_with("python=") => self.python = Some(name["python=".len()..].to_owned()),
            "help" => self.command = Command::Help,
            "version" => self.command = Command::Version,
            "dry-run" => self.set("dry-run", "true"),
            "skip-signature-check" => self.set("check-signature", "false"),
            _ => return Err(format!("Invalid option --{name}")),
        }
        Ok(())
    }

    fn short(
        &mut self,
        letters: &str,
        word: &str,
        words: &mut impl Iterator<Item = String>,
        verbosity: &mut i32,
    ) -> Result<(), String> {
        for (index, letter) in letters.char_indices() {
            match letter {
                'v' => *verbosity += 10,
                'q' => *verbosity -= 10,
                'U' => self.use_user_defaults = false,
                'o' => self.set("offline", "true"),
                'O' => self.set("offline", "false"),
                'n' => self.set("newest", "true"),
                'N' => self.set("newest", "false"),
                'D' => self.debug = true,
                'h' | 'W' | 'A' => self.command = Command::Help,
                'c' => {
                    let rest = &letters[index + 1..];
                    let name = if rest.is_empty() { words.next() } else { Some(rest.to_owned()) };
                    let missing = || format!("No file name specified for option {word}");
                    self.profile = name.ok_or_else(missing)?;
                    return Ok(());
                }
                'j' => {
                    let rest = &letters[index + 1..];
                    let jobs = if rest.is_empty() { words.next() } else { Some(rest.to_owned()) };
                    match jobs {
                        Some(jobs) if jobs.parse().is_ok_and(|jobs: usize| jobs > 0) => {
                            self.set("jobs", &jobs);
                        }
                        _ => {
                            return Err(format!("No number of jobs specified for option {word}"));
                        }
                    }
                    return Ok(());
                }
                't' => {
                    let seconds = words
                        .next()
                        .ok_or_else(|| format!("No timeout value specified for option {word}"))?;
                    if seconds.trim().parse::<i64>().is_err() {
                        return Err(format!("Timeout value must be numeric {word}"));
                    }
                    self.set("socket-timeout", seconds.trim());
                    return Ok(());
                }
                other => return Err(format!("Invalid option -{other}")),
            }
        }
        Ok(())
    }
}

fn user(name: Option<String>) -> Result<String, String> {
    name.filter(|name| !name.is_empty()).ok_or_else(|| "No user specified for option --user".to_owned())
}

fn dialect(name: &str) -> Result<Dialect, String> {
    match name {
        "slapos" => Ok(Dialect::Slapos),
        "upstream" => Ok(Dialect::Upstream),
        _ => Err(format!("Invalid dialect: {name}, it is slapos or upstream")),
    }
}

fn assignment(word: &str) -> Result<CommandLineAssignment, String> {
    let invalid = || format!("Invalid option: {word}");
    let (name, value) = word.split_once('=').ok_or_else(invalid)?;
    let (section, option) = match name.split_once(':') {
        None => ("buildout", name),
        Some((section, option)) if !option.contains(':') => (section.trim(), option),
        Some(_) => return Err(invalid()),
    };
    let (option, operator) = if let Some(option) = option.strip_suffix('+') {
        (option, Operator::Add)
    } else if let Some(option) = option.strip_suffix('-') {
        (option, Operator::Remove)
    } else {
        (option, Operator::Set)
    };
    if option.trim().is_empty() {
        return Err(invalid());
    }
    Ok(CommandLineAssignment {
        section: section.to_owned(),
        option: option.trim().to_owned(),
        value: value.trim().to_owned(),
        operator,
    })
}
