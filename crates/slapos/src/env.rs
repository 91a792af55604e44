//! The environment of the process: the only place that reads variables, with one list of their names.
#![expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]

use std::ffi::OsString;
use std::io::IsTerminal;

use camino::Utf8PathBuf;
use host::users::Account;

/// What the environment says, read once at start.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    /// `HOME`.
    pub(crate) home: Option<Utf8PathBuf>,
    /// `XDG_DATA_HOME`: where `slapos up` keeps its cloud, in the directory `slapos` below it.
    pub(crate) data_home: Option<Utf8PathBuf>,
    /// `SLAPOS_CONFIGURATION`: the configuration of the node.
    pub(crate) node_configuration: Option<Utf8PathBuf>,
    /// `SLAPOS_CLIENT_CONFIGURATION`: the configuration of the client commands.
    pub(crate) client_configuration: Option<Utf8PathBuf>,
    /// `SLAPOS_CACHE`: where a build keeps what other builds can use, and finds it.
    pub(crate) cache: Option<Utf8PathBuf>,
    /// `BUILDOUT_HOME`: where the user's defaults for builds are, instead of `.buildout` in the home directory.
    pub(crate) buildout_home: Option<Utf8PathBuf>,
    /// `SLAPOS_ALLOW_ROOT` is set to something: a build that runs as root is not warned of.
    pub(crate) allow_root: bool,
    /// `SLAPOS_PROGRESS`: `never` gives plain lines on a terminal too.
    pub(crate) progress: Option<String>,
    /// `TERM`.
    pub(crate) terminal: Option<String>,
    /// `NO_COLOR` is set to something.
    pub(crate) no_color: bool,
    /// `CLICOLOR_FORCE` is set to something other than 0.
    pub(crate) force_color: bool,
    /// `PATH`.
    pub(crate) path: OsString,
    /// The directory that the command was started in.
    pub(crate) working_directory: Utf8PathBuf,
    /// The file that this program was started from.
    pub(crate) program: Utf8PathBuf,
    /// Whether standard error is a terminal.
    pub(crate) has_terminal: bool,
    /// Whether standard output is one.
    pub(crate) answers_to_terminal: bool,
    /// Every variable, for children that inherit them.
    pub(crate) variables: Vec<(OsString, OsString)>,
}

impl Environment {
    /// Reads the environment of this process. What is not UTF-8 among the named variables counts as unset.
    pub(crate) fn read() -> Self {
        Self {
            home: path("HOME"),
            data_home: path("XDG_DATA_HOME"),
            node_configuration: path("SLAPOS_CONFIGURATION"),
            client_configuration: path("SLAPOS_CLIENT_CONFIGURATION"),
            cache: path("SLAPOS_CACHE"),
            buildout_home: path("BUILDOUT_HOME"),
            allow_root: text("SLAPOS_ALLOW_ROOT").is_some(),
            progress: text("SLAPOS_PROGRESS"),
            terminal: text("TERM"),
            no_color: text("NO_COLOR").is_some(),
            force_color: text("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
            path: std::env::var_os("PATH").unwrap_or_default(),
            working_directory: std::env::current_dir()
                .ok()
                .and_then(|path| Utf8PathBuf::try_from(path).ok())
                // A directory that was removed, or has a name that is not UTF-8, and never another one.
                .unwrap_or_else(|| Utf8PathBuf::from("/proc/self/cwd")),
            program: program(),
            has_terminal: std::io::stderr().is_terminal(),
            answers_to_terminal: std::io::stdout().is_terminal(),
            variables: std::env::vars_os().collect(),
        }
    }

    /// What the environment is when this process has become another user.
    pub(crate) fn of_user(&self, account: &Account) -> Self {
        let mut changed = Self { home: Some(account.home.clone()), ..self.clone() };
        let own = [("HOME", account.home.as_str()), ("USER", &account.name), ("LOGNAME", &account.name)];
        // What is kept for the user who started this is nothing for the other one.
        changed.variables.retain(|(name, _)| {
            let name = name.to_string_lossy();
            !name.starts_with("XDG_") && own.iter().all(|(own, _)| *own != name)
        });
        changed.variables.extend(own.map(|(name, value)| (name.into(), value.into())));
        changed
    }

    /// Replaces a leading `~` by the home directory.
    pub(crate) fn expand_home(&self, path: &str) -> Utf8PathBuf {
        match (path.strip_prefix('~'), &self.home) {
            (Some(""), Some(home)) => home.clone(),
            (Some(rest), Some(home)) if rest.starts_with('/') => home.join(&rest[1..]),
            _ => Utf8PathBuf::from(path),
        }
    }

    /// Makes a path absolute, from the working directory.
    pub(crate) fn absolute(&self, path: &str) -> Utf8PathBuf {
        self.working_directory.join(self.expand_home(path))
    }
}

fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn path(name: &str) -> Option<Utf8PathBuf> {
    text(name).map(Utf8PathBuf::from)
}

/// The file that this program is started from again. One named `slapos` beside the name it was started by is preferred
/// to where that leads: a link stays when the program behind it is replaced.
fn program() -> Utf8PathBuf {
    let started_by = std::env::args_os()
        .next()
        .and_then(|name| Utf8PathBuf::try_from(std::path::PathBuf::from(name)).ok());
    let beside = started_by.filter(|path| path.is_absolute()).map(|path| path.with_file_name("slapos"));
    if let Some(path) = beside.filter(|path| path.exists()) {
        return path;
    }
    let path = std::env::current_exe()
        .ok()
        .and_then(|path| Utf8PathBuf::try_from(path).ok())
        .unwrap_or_else(|| Utf8PathBuf::from("slapos"));
    // What the kernel says of a program that was replaced while it runs; its successor has the same path.
    path.as_str().strip_suffix(" (deleted)").map_or_else(|| path.clone(), Utf8PathBuf::from)
}
