//! Reads the main file and what it includes, up to the last program.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use host::children::signal_number;
use host::files;
use indexmap::IndexMap;

use super::section::Section;
use super::{GroupSettings, ProgramSettings, Restart, Role, Settings, SettingsError};
use crate::supervisor::configuration::WatchdogArguments;
use crate::supervisor::ini::{self, Sections};

impl Settings {
    /// Reads the main file and what it includes.
    pub(in crate::supervisor) fn load(file: &Utf8Path) -> Result<Self, SettingsError> {
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
