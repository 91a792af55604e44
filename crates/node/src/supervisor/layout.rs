//! Where the supervisor's files are inside an instance root.

use camino::{Utf8Path, Utf8PathBuf};

/// The supervisor's places inside one instance root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    instance_root: Utf8PathBuf,
}

impl Layout {
    /// The layout of the instance root at `instance_root`, which is an absolute path.
    #[must_use]
    pub fn new(instance_root: impl Into<Utf8PathBuf>) -> Self {
        Self { instance_root: instance_root.into() }
    }

    /// The instance root.
    #[must_use]
    pub fn instance_root(&self) -> &Utf8Path {
        &self.instance_root
    }

    /// The main configuration file.
    #[must_use]
    pub fn configuration_file(&self) -> Utf8PathBuf {
        self.instance_root.join("etc/supervisord.conf")
    }

    /// The directory of the files that the main file includes.
    #[must_use]
    pub fn configuration_directory(&self) -> Utf8PathBuf {
        self.instance_root.join("etc/supervisord.conf.d")
    }

    /// The file of one group.
    #[must_use]
    pub fn group_file(&self, group: &str) -> Utf8PathBuf {
        self.configuration_directory().join(format!("{group}.conf"))
    }

    /// The socket on which the supervisor answers: the historical name when something has that name.
    #[must_use]
    pub fn socket(&self) -> Utf8PathBuf {
        let legacy = self.instance_root.join("supervisord.socket");
        if legacy.exists() { legacy } else { self.usual_socket() }
    }

    /// The socket, when nothing has its historical name.
    #[must_use]
    pub fn usual_socket(&self) -> Utf8PathBuf {
        self.instance_root.join("sv.sock")
    }

    /// The supervisor's own log.
    #[must_use]
    pub fn log(&self) -> Utf8PathBuf {
        self.instance_root.join("var/log/supervisord.log")
    }

    /// Where what a starting supervisor prints before it has a log goes.
    #[must_use]
    pub fn start_log(&self) -> Utf8PathBuf {
        self.instance_root.join("var/log/supervisord-start.log")
    }

    /// Where events of the node are told.
    #[must_use]
    pub fn events(&self) -> Utf8PathBuf {
        self.instance_root.join("var/log/slapos-events.jsonl")
    }

    /// The file with the supervisor's process number.
    #[must_use]
    pub fn pid_file(&self) -> Utf8PathBuf {
        self.instance_root.join("var/run/supervisord.pid")
    }
}
