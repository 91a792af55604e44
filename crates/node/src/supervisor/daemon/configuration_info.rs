//! What clients are told of the files, whether it is loaded or not.

use super::super::settings::{GroupSettings, LogSettings, ProgramSettings, Restart};
use super::super::xml_rpc::Value;
use super::Daemon;

impl Daemon {
    /// All programs that the files declare, sorted by name.
    pub(super) fn all_configuration(&self) -> Value {
        let mut programs: Vec<(&str, Value)> = Vec::new();
        for (name, group) in &self.settings.groups {
            let is_loaded = self.groups.contains_key(name);
            let of_group = group.programs.values();
            programs.extend(
                of_group.map(|program| (program.name.as_str(), one(name, group, program, is_loaded))),
            );
        }
        programs.sort_by_key(|(name, _)| *name);
        Value::Array(programs.into_iter().map(|(_, value)| value).collect())
    }
}

fn one(group_name: &str, group: &GroupSettings, program: &ProgramSettings, is_loaded: bool) -> Value {
    let restart = match program.autorestart {
        Restart::Never => Value::Boolean(false),
        Restart::Always => Value::Boolean(true),
        Restart::Unexpected => "auto".into(),
    };
    let none_or = |text: Option<&str>| Value::from(text.unwrap_or("none"));
    let seconds =
        |duration: std::time::Duration| Value::Integer(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX));
    let codes = program.exit_codes.iter().map(|code| Value::Integer((*code).into())).collect();
    let mut members = vec![
        ("autostart", program.autostart.into()),
        ("autorestart", restart),
        ("directory", none_or(program.directory.as_deref().map(camino::Utf8Path::as_str))),
        ("uid", none_or(program.user.as_deref())),
        ("command", program.command.as_str().into()),
        ("exitcodes", Value::Array(codes)),
        ("group", group_name.into()),
        ("group_prio", group.priority.into()),
        ("inuse", is_loaded.into()),
        ("killasgroup", program.kill_as_group.into()),
        ("name", program.name.as_str().into()),
        ("process_prio", program.priority.into()),
        ("redirect_stderr", program.merge_output.into()),
        ("startretries", i64::from(program.start_retries).into()),
        ("startsecs", seconds(program.start_seconds)),
        ("stopsignal", i64::from(program.stop_signal).into()),
        ("stopwaitsecs", seconds(program.stop_wait)),
        ("serverurl", "auto".into()),
    ];
    members.extend(log("stdout", &program.stdout));
    members.extend(log("stderr", &program.stderr));
    Value::Struct(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn log(output: &str, settings: &LogSettings) -> [(&'static str, Value); 3] {
    let file = settings.file.as_deref().map_or("none", camino::Utf8Path::as_str).into();
    let largest = Value::Integer(i64::try_from(settings.limit.largest).unwrap_or(i64::MAX));
    let backups = Value::Integer(settings.limit.backups.into());
    if output == "stdout" {
        [("stdout_logfile", file), ("stdout_logfile_maxbytes", largest), ("stdout_logfile_backups", backups)]
    } else {
        [("stderr_logfile", file), ("stderr_logfile_maxbytes", largest), ("stderr_logfile_backups", backups)]
    }
}
