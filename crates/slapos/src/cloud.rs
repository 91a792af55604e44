//! The cloud of `slapos up`: a master, a node and what runs on it, in one directory and nothing outside it.
//!
//! It is made of the pieces of any other installation, which speak to one another over HTTP; here is only what a
//! person would otherwise do by hand: write the configuration, start the processes, supply, request, look.

pub(crate) mod account;
pub(crate) mod daemon;
pub(crate) mod deploy;
pub(crate) mod instances;
pub(crate) mod processes;
pub(crate) mod profile;
pub(crate) mod rebuild;
pub(crate) mod settings;
pub(crate) mod start;
pub(crate) mod stop;
pub(crate) mod story;
pub(crate) mod view;
pub(crate) mod wish;

use camino::{Utf8Path, Utf8PathBuf};

use crate::env::Environment;
use crate::failure::{Failure, Kind};

/// Where everything of one cloud is.
#[derive(Debug, Clone)]
pub(crate) struct Cloud {
    root: Utf8PathBuf,
}

impl Cloud {
    /// The cloud in `root`, an absolute path; nothing need be there yet.
    pub(crate) fn at(root: impl Into<Utf8PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The cloud that `--root` names, else that of this user.
    pub(crate) fn chosen(environment: &Environment, root: Option<&str>) -> Result<Self, Failure> {
        match root {
            Some(root) => Ok(Self::at(environment.absolute(root))),
            None => Self::of_user(environment).ok_or_else(|| {
                Failure::new(Kind::Failed, "there is no home directory in which a cloud could be")
                    .because("neither HOME nor XDG_DATA_HOME is set")
                    .hint("name a directory: --root DIR")
                    .code("E-no-home")
            }),
        }
    }

    /// The cloud of this user when none is named: root's is that of the system user `slapos`.
    pub(crate) fn of_user(environment: &Environment) -> Option<Self> {
        if host::users::is_root() {
            return Some(Self::at(account::HOME));
        }
        let data = environment
            .data_home
            .clone()
            .or_else(|| environment.home.as_ref().map(|home| home.join(".local/share")));
        data.map(|data| Self::at(data.join("slapos")))
    }

    /// The directory that holds it.
    pub(crate) fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The configuration of its node, master and client.
    pub(crate) fn configuration(&self) -> Utf8PathBuf {
        self.root.join("etc/slapos.cfg")
    }

    /// The definition of its partitions and their addresses.
    pub(crate) fn definition(&self) -> Utf8PathBuf {
        self.root.join("etc/slapformat-definition.cfg")
    }

    /// What the last `format` made.
    pub(crate) fn computer_xml(&self) -> Utf8PathBuf {
        self.root.join("etc/slapos.xml")
    }

    /// Software releases.
    pub(crate) fn software_root(&self) -> Utf8PathBuf {
        self.root.join("soft")
    }

    /// Partitions.
    pub(crate) fn instance_root(&self) -> Utf8PathBuf {
        self.root.join("inst")
    }

    /// Shared parts.
    pub(crate) fn shared_root(&self) -> Utf8PathBuf {
        self.root.join("shared")
    }

    /// Downloads and wheels.
    pub(crate) fn cache(&self) -> Utf8PathBuf {
        self.root.join("cache")
    }

    /// The master's database.
    pub(crate) fn database(&self) -> Utf8PathBuf {
        self.root.join("var/db/master.db")
    }

    /// A log of one of its processes.
    pub(crate) fn log(&self, name: &str) -> Utf8PathBuf {
        self.root.join(format!("var/log/{name}.log"))
    }

    /// What happens on the node, one event in each line.
    pub(crate) fn events(&self) -> Utf8PathBuf {
        self.instance_root().join("var/log/slapos-events.jsonl")
    }

    /// A lock, held for as long as the process of that name lives.
    pub(crate) fn lock(&self, name: &str) -> Utf8PathBuf {
        self.root.join(format!("var/run/{name}.lock"))
    }

    /// What was asked for last: the profile and the title of its instance.
    pub(crate) fn request(&self) -> Utf8PathBuf {
        self.root.join("etc/request.json")
    }

    /// The copy of this program, made when its own place is out of the cloud's reach.
    pub(crate) fn program(&self) -> Utf8PathBuf {
        self.root.join("bin/slapos")
    }

    /// Whether a cloud was made here.
    pub(crate) fn exists(&self) -> bool {
        self.configuration().exists()
    }

    /// Becomes the user that the cloud belongs to when root looks at it: what lies there was written by that user, and
    /// links in it lead anywhere.
    pub(crate) fn enter(&self) -> Result<(), Failure> {
        if self.root.exists() { crate::config::become_owner(&self.root) } else { Err(self.absent()) }
    }

    /// The failure for a directory without a cloud.
    pub(crate) fn absent(&self) -> Failure {
        Failure::new(Kind::Unreachable, format!("there is no cloud in {}", self.root))
            .hint("start one: slapos up PROFILE")
            .hint("or name its directory: --root DIR")
            .code("E-cloud-missing")
    }

    /// Makes the directories that the processes expect.
    pub(crate) fn make_directories(&self) -> std::io::Result<()> {
        for (directory, mode) in [
            ("", 0o755),
            ("etc", 0o755),
            ("soft", 0o755),
            ("inst", 0o755),
            ("shared", 0o755),
            ("cache", 0o755),
            ("var", 0o755),
            ("var/db", 0o700),
            ("var/log", 0o755),
            ("var/run", 0o755),
        ] {
            host::files::ensure_directory(&self.root.join(directory), mode)?;
        }
        Ok(())
    }
}
