//! What the configuration files tell the daemon, read and checked as a whole before any of it counts.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use host::children::signal_number;
use host::files;
use indexmap::IndexMap;

use super::configuration::{SERVICE_MARK, WatchdogArguments};
use super::ini::{self, IniError, Sections};

/// Everything that the files say.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    pub(super) socket: Utf8PathBuf,
    pub(super) socket_mode: u32,
    pub(super) log: Utf8PathBuf,
    pub(super) log_limit: LogLimit,
    pub(super) pid_file: Utf8PathBuf,
    pub(super) identifier: String,
    pub(super) groups: BTreeMap<String, GroupSettings>,
}

/// How large a log may become, and how many old ones are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogLimit {
    /// In bytes; 0 for no limit.
    pub(super) largest: u64,
    pub(super) backups: u32,
}

/// Programs that are started and stopped together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GroupSettings {
    pub(super) priority: i64,
    /// In the order in which the group lists them.
    pub(super) programs: IndexMap<String, ProgramSettings>,
}

/// What a program is to the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    Program,
    /// Gets the named events on its standard input.
    Listener(Vec<String>),
    /// The watchdog, which the daemon is itself; `None` when it has nobody to tell.
    Watchdog(Option<WatchdogArguments>),
}

/// When a program that ended by itself is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Restart {
    Never,
    Unexpected,
    Always,
}

/// One process to run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ProgramSettings {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) command: String,
    pub(super) directory: Option<Utf8PathBuf>,
    pub(super) user: Option<String>,
    pub(super) umask: u32,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) priority: i64,
    pub(super) autostart: bool,
    pub(super) autorestart: Restart,
    pub(super) start_seconds: Duration,
    pub(super) start_retries: u32,
    pub(super) exit_codes: Vec<i32>,
    pub(super) stop_signal: i32,
    pub(super) stop_wait: Duration,
    pub(super) stop_as_group: bool,
    pub(super) kill_as_group: bool,
    pub(super) merge_output: bool,
    pub(super) stdout: LogSettings,
    pub(super) stderr: LogSettings,
}

/// Where an output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogSettings {
    /// `None` for nowhere.
    pub(super) file: Option<Utf8PathBuf>,
    pub(super) limit: LogLimit,
}

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file cannot be read.
    #[error("failed to read `{file}`")]
    Read {
        /// The file.
        file: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is not in the notation.
    #[error("`{file}` is no supervisor configuration")]
    Notation {
        /// The file.
        file: Utf8PathBuf,
        /// Where.
        #[source]
        source: IniError,
    },
    /// An option has a value that it cannot have.
    #[error("option `{option}` of section `{section}` cannot be `{value}`")]
    Value {
        /// The section.
        section: String,
        /// The option.
        option: String,
        /// Its value.
        value: String,
    },
    /// A section that another needs is not there.
    #[error("section `{section}` is missing")]
    Missing {
        /// The section.
        section: String,
    },
}

impl ProgramSettings {
    /// Whether the watchdog looks after it: it is restarted, and its ending bangs.
    pub(super) fn is_watched(&self) -> bool {
        self.name.contains(SERVICE_MARK)
    }

    /// When it is started again after it ended by itself. Services are, whatever the file says, because the file has
    /// to say "never" for supervisord, where the master restarts them.
    pub(super) fn restart(&self) -> Restart {
        if self.is_watched() { Restart::Always } else { self.autorestart }
    }

    /// Whether a running process of `self` is as good as one of `other`.
    pub(super) fn runs_the_same_as(&self, other: &Self) -> bool {
        let Self {
            name,
            role,
            command,
            directory,
            user,
            umask,
            environment,
            merge_output,
            stdout,
            stderr,
            ..
        } = self;
        (name, role, command, directory) == (&other.name, &other.role, &other.command, &other.directory)
            && (user, umask, environment) == (&other.user, &other.umask, &other.environment)
            && (merge_output, stdout, stderr) == (&other.merge_output, &other.stdout, &other.stderr)
    }
}

impl Settings {
    /// Reads the main file and what it includes.
    pub(super) fn load(file: &Utf8Path) -> Result<Self, SettingsError> {
        let mut sections = Sections::new();
        read_into(file, &mut sections)?;
        let here = file.parent().unwrap_or(Utf8Path::new("/"));
        let patterns =
            sections.get("include").and_then(|include| include.get("files")).cloned().unwrap_or_default();
        for pattern in patterns.split_whitespace() {
            let names = BTreeMap::from([("here".to_owned(), here.to_string())]);
            let pattern = ini::expand(pattern, &names).unwrap_or_else(|| pattern.to_owned());
            for included in matching(&here.join(&pattern))? {
                read_into(&included, &mut sections)?;
            }
        }
        Self::from_sections(&sections, here)
    }

    fn from_sections(sections: &Sections, here: &Utf8Path) -> Result<Self, SettingsError> {
        let daemon = Section::optional(sections, "supervisord", here);
        let server = Section::of(sections, "unix_http_server", here)?;
        let mode = server.text("chmod").unwrap_or_else(|| "0700".to_owned());
        let socket = server.path("file").ok_or_else(|| server.wrong("file", ""))?;
        Ok(Self {
            socket_mode: u32::from_str_radix(&mode, 8).map_err(|_| server.wrong("chmod", &mode))?,
            log: daemon.path("logfile").unwrap_or_else(|| here.join("supervisord.log")),
            log_limit: daemon.log_limit("logfile", 10)?,
            pid_file: daemon.path("pidfile").unwrap_or_else(|| here.join("supervisord.pid")),
            identifier: daemon.text("identifier").unwrap_or_else(|| "supervisor".to_owned()),
            groups: groups(sections, here)?,
            socket,
        })
    }
}

/// All groups: those that a section declares, and one for each program that no group names.
fn groups(sections: &Sections, here: &Utf8Path) -> Result<BTreeMap<String, GroupSettings>, SettingsError> {
    let mut groups = BTreeMap::new();
    let mut grouped: Vec<String> = Vec::new();
    for name in sections.keys().filter_map(|section| section.strip_prefix("group:")) {
        let section = Section::of(sections, &format!("group:{name}"), here)?;
        let mut programs = IndexMap::new();
        let listed = section.text("programs").unwrap_or_default();
        for program in listed.split(',').map(str::trim).filter(|program| !program.is_empty()) {
            let section = Section::of(sections, &format!("program:{program}"), here)?;
            programs.extend(read_programs(&section, program, name)?);
            grouped.push(program.to_owned());
        }
        groups
            .insert(name.to_owned(), GroupSettings { priority: section.number("priority", 999)?, programs });
    }
    for key in sections.keys() {
        let Some((kind, name)) = key.split_once(':') else { continue };
        let is_listener = kind == "eventlistener";
        if !is_listener && (kind != "program" || grouped.iter().any(|program| program == name)) {
            continue;
        }
        let section = Section::of(sections, key, here)?;
        let priority = section.number("priority", if is_listener { -1 } else { 999 })?;
        groups.insert(
            name.to_owned(),
            GroupSettings { priority, programs: read_programs(&section, name, name)? },
        );
    }
    Ok(groups)
}

/// The processes of one program section, by their names.
fn read_programs(
    section: &Section<'_>,
    program: &str,
    group: &str,
) -> Result<IndexMap<String, ProgramSettings>, SettingsError> {
    let count: i64 = section.number("numprocs", 1)?;
    let first: i64 = section.number("numprocs_start", 0)?;
    let mut programs = IndexMap::new();
    for number in first..first + count.clamp(0, 10_000) {
        let mut section = Section { names: section.names.clone(), ..*section };
        for (name, value) in [
            ("program_name", program.to_owned()),
            ("group_name", group.to_owned()),
            ("process_num", number.to_string()),
            ("numprocs", count.to_string()),
        ] {
            section.names.insert(name.to_owned(), value);
        }
        let settings = read_program(&section, program)?;
        programs.insert(settings.name.clone(), settings);
    }
    Ok(programs)
}

fn read_program(section: &Section<'_>, program: &str) -> Result<ProgramSettings, SettingsError> {
    let is_listener = section.name.starts_with("eventlistener:");
    let command = section.expanded("command")?.unwrap_or_default();
    let role = if is_listener { listener_role(section, &command)? } else { Role::Program };
    let merge_output = section.truth("redirect_stderr", false)?;
    let environment = section.expanded("environment")?.unwrap_or_default();
    let umask = section.text("umask").unwrap_or_else(|| "022".to_owned());
    let signal = section.text("stopsignal").unwrap_or_else(|| "TERM".to_owned());
    let stop_as_group = section.truth("stopasgroup", false)?;
    Ok(ProgramSettings {
        name: section.expanded("process_name")?.unwrap_or_else(|| program.to_owned()),
        role,
        directory: section.expanded("directory")?.map(Utf8PathBuf::from),
        user: section.text("user"),
        umask: u32::from_str_radix(&umask, 8).map_err(|_| section.wrong("umask", &umask))?,
        environment: ini::assignments(&environment)
            .ok_or_else(|| section.wrong("environment", &environment))?,
        priority: section.number("priority", if is_listener { -1 } else { 999 })?,
        autostart: section.truth("autostart", true)?,
        autorestart: autorestart(section)?,
        start_seconds: Duration::from_secs(section.number("startsecs", 1)?),
        start_retries: section.number("startretries", 3)?,
        exit_codes: exit_codes(section)?,
        stop_signal: signal_number(&signal).ok_or_else(|| section.wrong("stopsignal", &signal))?,
        stop_wait: Duration::from_secs(section.number("stopwaitsecs", 10)?),
        stop_as_group,
        kill_as_group: section.truth("killasgroup", stop_as_group)?,
        // An answer of a listener must not be mixed with its complaints.
        merge_output: merge_output && !is_listener,
        stdout: section.log("stdout")?,
        stderr: section.log("stderr")?,
        command,
    })
}

fn listener_role(section: &Section<'_>, command: &str) -> Result<Role, SettingsError> {
    let words = ini::words(command).ok_or_else(|| section.wrong("command", command))?;
    let Some(program) = words.first() else { return Ok(Role::Watchdog(None)) };
    if Utf8Path::new(program).file_name() == Some("slapos-watchdog") {
        let arguments = WatchdogArguments::parse(&words);
        return arguments
            .map(|arguments| Role::Watchdog(Some(arguments)))
            .map_err(|_| section.wrong("command", command));
    }
    let events = section.text("events").unwrap_or_default();
    Ok(Role::Listener(events.split(',').map(|event| event.trim().to_owned()).collect()))
}

fn autorestart(section: &Section<'_>) -> Result<Restart, SettingsError> {
    match section.text("autorestart").as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("unexpected") => Ok(Restart::Unexpected),
        Some(_) => Ok(if section.truth("autorestart", false)? { Restart::Always } else { Restart::Never }),
    }
}

fn exit_codes(section: &Section<'_>) -> Result<Vec<i32>, SettingsError> {
    let text = section.text("exitcodes").unwrap_or_else(|| "0".to_owned());
    let codes = text.split(',').map(str::trim).filter(|code| !code.is_empty()).map(str::parse);
    codes.collect::<Result<_, _>>().map_err(|_| section.wrong("exitcodes", &text))
}

/// One section, with what may stand in its values.
struct Section<'a> {
    name: &'a str,
    options: Option<&'a IndexMap<String, String>>,
    names: BTreeMap<String, String>,
}

impl<'a> Section<'a> {
    fn of(sections: &'a Sections, name: &str, here: &Utf8Path) -> Result<Self, SettingsError> {
        let (name, options) = sections
            .get_key_value(name)
            .ok_or_else(|| SettingsError::Missing { section: name.to_owned() })?;
        Ok(Self {
            name,
            options: Some(options),
            names: BTreeMap::from([("here".to_owned(), here.to_string())]),
        })
    }

    fn optional(sections: &'a Sections, name: &'a str, here: &Utf8Path) -> Self {
        let names = BTreeMap::from([("here".to_owned(), here.to_string())]);
        Self { name, options: sections.get(name), names }
    }

    fn text(&self, option: &str) -> Option<String> {
        self.options?.get(option).filter(|value| !value.is_empty()).cloned()
    }

    fn expanded(&self, option: &str) -> Result<Option<String>, SettingsError> {
        let Some(text) = self.text(option) else { return Ok(None) };
        ini::expand(&text, &self.names).map(Some).ok_or_else(|| self.wrong(option, &text))
    }

    fn path(&self, option: &str) -> Option<Utf8PathBuf> {
        let text = self.text(option)?;
        Some(ini::expand(&text, &self.names).unwrap_or(text).into())
    }

    fn number<N: std::str::FromStr>(&self, option: &str, default: N) -> Result<N, SettingsError> {
        match self.text(option) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| self.wrong(option, &text)),
        }
    }

    fn truth(&self, option: &str, default: bool) -> Result<bool, SettingsError> {
        match self.text(option).map(|text| text.to_ascii_lowercase()).as_deref() {
            None => Ok(default),
            Some("true" | "yes" | "on" | "1" | "t" | "y") => Ok(true),
            Some("false" | "no" | "off" | "0" | "f" | "n") => Ok(false),
            Some(other) => Err(self.wrong(option, other)),
        }
    }

    fn log(&self, output: &str) -> Result<LogSettings, SettingsError> {
        let prefix = format!("{output}_logfile");
        // Compatibility: what has no file goes to one of a random name that is deleted at the next start; nowhere is
        // as good.
        let file = self
            .expanded(&prefix)?
            .filter(|file| !matches!(file.to_ascii_lowercase().as_str(), "none" | "auto" | "syslog"));
        Ok(LogSettings { file: file.map(Utf8PathBuf::from), limit: self.log_limit(&prefix, 10)? })
    }

    fn log_limit(&self, prefix: &str, backups: u32) -> Result<LogLimit, SettingsError> {
        let option = format!("{prefix}_maxbytes");
        let text = self.text(&option).unwrap_or_else(|| "50MB".to_owned());
        let largest = ini::size(&text).ok_or_else(|| self.wrong(&option, &text))?;
        // Compatibility: slapgrid writes the main one with a dash, which supervisord ignores; 10 is its default.
        Ok(LogLimit { largest, backups: self.number(&format!("{prefix}_backups"), backups)? })
    }

    fn wrong(&self, option: &str, value: &str) -> SettingsError {
        SettingsError::Value {
            section: self.name.to_owned(),
            option: option.to_owned(),
            value: value.to_owned(),
        }
    }
}

fn read_into(file: &Utf8Path, sections: &mut Sections) -> Result<(), SettingsError> {
    let text = files::read_text_if_present(file)
        .and_then(|text| text.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound)))
        .map_err(|source| SettingsError::Read { file: file.to_owned(), source })?;
    ini::read(&text, sections).map_err(|source| SettingsError::Notation { file: file.to_owned(), source })
}

/// The files that a pattern with at most one `*`, in its last part, names; sorted.
fn matching(pattern: &Utf8Path) -> Result<Vec<Utf8PathBuf>, SettingsError> {
    let (Some(directory), Some(name)) = (pattern.parent(), pattern.file_name()) else {
        return Ok(Vec::new());
    };
    let Some((start, end)) = name.split_once('*') else {
        return Ok(if pattern.exists() { vec![pattern.to_owned()] } else { Vec::new() });
    };
    let failed = |source| SettingsError::Read { file: directory.to_owned(), source };
    let entries = match directory.read_dir_utf8() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        // Compatibility: a star does not stand for the dot of a hidden file, such as one that is being written.
        let is_hidden = name.starts_with('.') && !start.starts_with('.');
        if !is_hidden
            && name.len() >= start.len() + end.len()
            && name.starts_with(start)
            && name.ends_with(end)
        {
            found.push(entry.path().to_owned());
        }
    }
    found.sort();
    Ok(found)
}
