//! Starting the process of a program: finding its file, its user and its environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use host::children::{Launch, Launched};
use host::users::{Account, is_root};

use super::super::ini;
use super::super::settings::ProgramSettings;
use super::memory::MARKER;

/// Where a program without a slash is looked for when its environment does not say.
const DEFAULT_PATH: &str = "/bin:/usr/bin:/usr/local/bin";

/// Why a program's file cannot be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unfit {
    /// There is no such file.
    Absent(String),
    /// There is, and it cannot be executed.
    NotExecutable(String),
}

impl Unfit {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Absent(text) | Self::NotExecutable(text) => text,
        }
    }
}

/// What the daemon gives to everything that it starts.
#[derive(Debug, Clone)]
pub(super) struct Surroundings {
    /// Its address: `unix://` and the socket.
    pub(super) address: String,
    /// How many descriptors a program may have; `None` for as many as the daemon.
    pub(super) descriptor_limit: Option<u64>,
}

/// Splits a program's command and finds its file.
pub(super) fn command_of(settings: &ProgramSettings) -> Result<(Utf8PathBuf, Vec<String>), Unfit> {
    let words = ini::words(&settings.command).filter(|words| !words.is_empty());
    let Some(mut words) = words else {
        return Err(Unfit::NotExecutable(format!("can't parse command '{}'", settings.command)));
    };
    let name = words.remove(0);
    let file = if name.contains('/') {
        Some(Utf8PathBuf::from(&name))
    } else {
        let path = settings.environment.get("PATH").map_or(DEFAULT_PATH, String::as_str);
        path.split(':')
            .map(|directory| Utf8Path::new(directory).join(&name))
            .find(|candidate| candidate.exists())
    };
    let Some((file, metadata)) =
        file.and_then(|file| fs_err::metadata(&file).ok().map(|metadata| (file, metadata)))
    else {
        return Err(Unfit::Absent(format!("can't find command '{name}'")));
    };
    if metadata.is_dir() {
        return Err(Unfit::NotExecutable(format!("command at '{file}' is a directory")));
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        return Err(Unfit::NotExecutable(format!("command at '{file}' is not executable")));
    }
    Ok((file, words))
}

/// Starts a program; the error is what clients are told.
pub(super) fn start(
    settings: &ProgramSettings,
    group: &str,
    around: &Surroundings,
) -> Result<Launched, String> {
    let (program, arguments) = command_of(settings).map_err(|unfit| unfit.text().to_owned())?;
    let account = account_of(settings)?;
    let runs_as_root = account.as_ref().map_or_else(is_root, |account| account.uid == 0);
    if runs_as_root {
        refuse_foreign_file(&program)?;
    }
    let launch = Launch {
        environment: environment(settings, group, around),
        directory: settings.directory.clone(),
        account,
        umask: settings.umask,
        merge_output: settings.merge_output,
        descriptor_limit: around.descriptor_limit,
        arguments,
        program,
    };
    launch.start().map_err(|error| format!("couldn't exec {}: {error}", launch.program))
}

fn account_of(settings: &ProgramSettings) -> Result<Option<Account>, String> {
    let Some(user) = &settings.user else { return Ok(None) };
    let found = match user.parse() {
        Ok(uid) => Account::by_uid(uid),
        Err(_) => Account::by_name(user),
    };
    let account = found.map_err(|error| format!("couldn't look up user {user}: {error}"))?;
    let account = account.ok_or_else(|| format!("couldn't setuid to {user}: Can't find user {user}"))?;
    let may_change = is_root() || Account::current().is_ok_and(|current| current.uid == account.uid);
    if may_change {
        Ok(Some(account))
    } else {
        Err(format!("couldn't setuid to {}: Can't drop privilege as nonroot user", account.uid))
    }
}

/// Root runs nothing that somebody else could have written: not a partition's wrapper, whatever a file says.
fn refuse_foreign_file(program: &Utf8Path) -> Result<(), String> {
    let refused = |error: io::Error| format!("couldn't examine {program}: {error}");
    let metadata = fs_err::metadata(program).map_err(refused)?;
    if metadata.uid() == 0 && metadata.mode() & 0o002 == 0 {
        return Ok(());
    }
    Err(format!("refused to run {program} as root: it is a file of user {}", metadata.uid()))
}

fn environment(
    settings: &ProgramSettings,
    group: &str,
    around: &Surroundings,
) -> BTreeMap<OsString, OsString> {
    let own = [
        ("SUPERVISOR_ENABLED", "1"),
        ("SUPERVISOR_PROCESS_NAME", settings.name.as_str()),
        ("SUPERVISOR_GROUP_NAME", group),
        (MARKER, around.address.as_str()),
    ];
    let configured = settings.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    // What the daemon says wins: it has to find its processes again.
    configured.chain(own).map(|(name, value)| (name.into(), value.into())).collect()
}
