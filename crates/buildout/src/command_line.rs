//! The command line of `buildout`: options and assignments in any order, then the command and its arguments.

use std::iter::Peekable;

use camino::{Utf8Path, Utf8PathBuf};

use crate::profiles::{Location, normalise};
use crate::syntax::Operator;
use crate::{BuildError, Dialect, Fault};

/// What the user typed, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// `-c`: path or URL of the profile.
    pub profile: String,
    /// Options set on the command line, in order; flags such as `-o` are assignments too.
    pub assignments: Vec<CommandLineAssignment>,
    /// Whether the user's defaults are read; `-U` says no.
    pub use_user_defaults: bool,
    /// `-D`: show how an error came about.
    pub debug: bool,
    /// `--dialect`: whose rules hold.
    pub dialect: Dialect,
    /// `--user`: the user that root builds as.
    pub user: Option<String>,
    /// `--allow-root`: root is not warned.
    pub allow_root: bool,
    /// `--python`: the Python to use where the profile names none.
    pub python: Option<String>,
    /// What to do.
    pub command: Command,
    /// The words behind the command.
    pub arguments: Vec<String>,
}

/// One `section:option=value` of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLineAssignment {
    /// The section, `buildout` when none is given.
    pub section: String,
    /// The option.
    pub option: String,
    /// Its value.
    pub value: String,
    pub(crate) operator: Operator,
}

/// What the engine can be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Bring the directory to what the profile says.
    Install,
    /// Make the directories and `bin/buildout`.
    Bootstrap,
    /// Write a first profile, then bootstrap.
    Init,
    /// Show what an installation would do, and why.
    Plan,
    /// Show what makes a part be built again.
    Why,
    /// Draw parts or profiles.
    Graph,
    /// Run a setup script.
    Setup,
    /// Show every option with its origin.
    Annotate,
    /// Show one option.
    Query,
    /// Show the usage.
    Help,
    /// Show the version.
    Version,
}

impl Command {
    /// The word for it.
    fn name(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Bootstrap => "bootstrap",
            Self::Init => "init",
            Self::Plan => "plan",
            Self::Why => "why",
            Self::Graph => "graph",
            Self::Setup => "setup",
            Self::Annotate => "annotate",
            Self::Query => "query",
            Self::Help => "help",
            Self::Version => "version",
        }
    }
}

/// A command line that makes no sense; the text is what the classic engine says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UsageError {
    message: String,
    /// The dialect that the line had named until then.
    pub dialect: Dialect,
}

impl From<UsageError> for BuildError {
    fn from(error: UsageError) -> Self {
        Fault::Usage(error.message).into()
    }
}

impl Default for CommandLine {
    fn default() -> Self {
        Self {
            profile: "buildout.cfg".to_owned(),
            assignments: Vec::new(),
            use_user_defaults: true,
            debug: false,
            dialect: Dialect::default(),
            user: None,
            allow_root: false,
            python: None,
            command: Command::Install,
            arguments: Vec::new(),
        }
    }
}

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

    /// Sets an option of `[buildout]`, as `buildout:option=value` on the command line does.
    pub fn set(&mut self, option: &str, value: &str) {
        self.assignments.push(CommandLineAssignment {
            section: "buildout".to_owned(),
            option: option.to_owned(),
            value: value.to_owned(),
            operator: Operator::Set,
        });
    }

    /// The directory of the build as far as the command line tells: that of the profile, or the working directory for
    /// one that has an address, unless an assignment names another.
    #[must_use]
    pub fn directory(&self, working_directory: &Utf8Path) -> Utf8PathBuf {
        let of_profile = match Location::Path(working_directory.to_owned()).join(&self.profile) {
            Location::Path(path) => normalise(path.parent().unwrap_or(&path)),
            Location::Url(_) => working_directory.to_owned(),
        };
        let is_it = |assignment: &&CommandLineAssignment| {
            assignment.section == "buildout" && assignment.option == "directory"
        };
        match self.assignments.iter().rev().find(is_it) {
            Some(assignment) => working_directory.join(&assignment.value),
            None => of_profile,
        }
    }

    /// Whether the command runs or writes something.
    #[must_use]
    pub fn changes(&self) -> bool {
        matches!(self.command, Command::Install | Command::Bootstrap | Command::Init | Command::Setup)
    }

    /// Whether the answer is to be a document for programs.
    #[must_use]
    pub fn wants_document(&self) -> bool {
        let is_it = |pair: &[String]| pair[0] == "--output" && pair[1] == "json";
        let is_attached = |word: &String| word == "--output=json";
        self.answers() && (self.arguments.iter().any(is_attached) || self.arguments.windows(2).any(is_it))
    }

    /// Whether the command has an answer for `--output`.
    #[must_use]
    pub fn answers(&self) -> bool {
        let is_classic = matches!(self.command, Command::Annotate | Command::Query);
        matches!(self.command, Command::Plan | Command::Why | Command::Graph)
            || is_classic && self.dialect == Dialect::Slapos
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<CommandLine, String> {
        CommandLine::parse(line.split_whitespace()).map_err(|error| error.to_string())
    }

    fn assignments(line: &str) -> Vec<String> {
        let line = parse(line).unwrap();
        line.assignments
            .into_iter()
            .map(|assignment| {
                let CommandLineAssignment { section, option, value, operator } = assignment;
                format!("{section}:{option} {operator:?} {value}")
            })
            .collect()
    }

    #[test]
    fn options_and_assignments_mix_and_short_options_combine() {
        assert_eq!(
            assignments("-UNo a:x=1 parts+=b -vvq y-=z=1"),
            [
                "buildout:newest Set false",
                "buildout:offline Set true",
                "a:x Set 1",
                "buildout:parts Add b",
                "buildout:y Remove z=1",
                "buildout:verbosity Set 10",
            ]
        );
    }

    #[test]
    fn the_first_other_word_is_the_command() {
        let line = parse("-U -c x.cfg install a b=c").unwrap();

        assert_eq!(
            (line.profile.as_str(), line.command, line.use_user_defaults),
            ("x.cfg", Command::Install, false)
        );
        assert_eq!(line.arguments, ["a", "b=c"]);
        assert_eq!(parse("-cx.cfg").unwrap().profile, "x.cfg");
        assert_eq!(parse("--version nonsense").unwrap().command, Command::Version);
    }

    #[test]
    fn the_dialect_is_slapos_unless_the_other_is_named() {
        assert_eq!(parse("-U").unwrap().dialect, Dialect::Slapos);
        assert_eq!(parse("--dialect upstream install").unwrap().dialect, Dialect::Upstream);
        assert_eq!(parse("--dialect=upstream").unwrap().dialect, Dialect::Upstream);
        assert_eq!(
            parse("--dialect english").unwrap_err(),
            "Invalid dialect: english, it is slapos or upstream"
        );
    }

    #[test]
    fn the_directory_is_that_of_the_profile_unless_another_is_named() {
        let directory = |line: &str| parse(line).unwrap().directory(Utf8Path::new("/here")).into_string();

        assert_eq!(directory(""), "/here");
        assert_eq!(directory("-c ../there/x.cfg"), "/there");
        assert_eq!(directory("-c https://example.org/x.cfg"), "/here");
        assert_eq!(directory("-c /a/x.cfg directory=b"), "/here/b");
    }

    #[test]
    fn a_command_is_asked_for_its_help() {
        let line = parse("why --help").unwrap();
        assert_eq!((line.command, line.arguments), (Command::Help, vec!["why".to_owned()]));
        assert_eq!(parse("setup x --help").unwrap().command, Command::Setup);
        assert_eq!(parse("--help").unwrap().arguments, [""; 0]);
    }

    #[test]
    fn root_may_be_told_as_whom_to_build() {
        assert_eq!(parse("--user=me").unwrap().user.as_deref(), Some("me"));
        assert_eq!(parse("--user me --allow-root").unwrap().user.as_deref(), Some("me"));
        assert!(parse("--allow-root install").unwrap().allow_root);
        assert_eq!(parse("--user").unwrap_err(), "No user specified for option --user");
    }

    #[test]
    fn nonsense_is_refused_in_known_words() {
        assert_eq!(parse("foo").unwrap_err(), "invalid command: foo");
        assert_eq!(parse("-z").unwrap_err(), "Invalid option -z");
        assert_eq!(parse("-Nc").unwrap_err(), "No file name specified for option -Nc");
        assert_eq!(parse("-t x").unwrap_err(), "Timeout value must be numeric -t");
        for word in ["a:b:c=1", "=1", "a:=1", "a:+=1"] {
            assert_eq!(parse(word).unwrap_err(), format!("Invalid option: {word}"));
        }
    }

    #[test]
    fn nothing_behind_help_or_version_is_looked_at() {
        assert_eq!(parse("--help --version -z").unwrap().command, Command::Help);
        assert_eq!(parse("--version -h").unwrap().command, Command::Version);
    }
}
