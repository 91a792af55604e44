//! `slapos proxy start`: the stand-alone master.

use crate::cloud::daemon::{Held, hold, holder};
use crate::command::{Example, Group, Habit, Subcommand};
use crate::config;
use crate::config::master::MasterFlags;
use crate::context::Context;
use crate::failure::{Failure, Kind};

/// Run a stand-alone master: one account, no login, on this machine only
#[derive(Debug, clap::Args)]
pub(crate) struct ProxyStart {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    cfg: Option<String>,
    #[command(flatten)]
    master: MasterFlags,
    /// Lock to hold for as long as it runs
    #[arg(long, hide = true, value_name = "FILE")]
    hold: Option<String>,
}

impl Subcommand for ProxyStart {
    const NAME: &'static str = "proxy start";
    const GROUP: Group = Group::Other;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] = &[
        ("slapos proxy start", "with [slapproxy] of the configuration"),
        ("slapos proxy start --port 5000 --database-uri ./master.db", "elsewhere"),
    ];
    const EXIT_CODES: &'static [(u8, &'static str)] = &[(10, "another process holds the lock")];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let ini = config::of_node(context, self.cfg.as_deref())?;
        config::become_owner(ini.path())?;
        let settings = config::master::load(context, &ini, &self.master)?;
        let _held = held(context, self.hold.as_deref(), "slapos proxy start")?;
        crate::master_process::run(&settings)?;
        Ok(0)
    }
}

/// Holds the lock that a cloud gave to one of its processes.
pub(crate) fn held(context: &Context<'_>, path: Option<&str>, note: &str) -> Result<Option<Held>, Failure> {
    let Some(path) = path.map(|path| context.environment.absolute(path)) else { return Ok(None) };
    let failed =
        |error: std::io::Error| Failure::new(Kind::Failed, format!("cannot lock {path}")).because_of(&error);
    if let Some(held) = hold(&path, note).map_err(failed)? {
        return Ok(Some(held));
    }
    let pid = holder(&path).map_err(failed)?.map_or(0, |holder| holder.pid);
    Err(Failure::new(Kind::Locked, format!("another process is the {note} of this cloud: pid {pid}"))
        .hint("slapos down ends it")
        .code("E-lock-held"))
}
