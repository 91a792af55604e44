//! `slapos proxy start`: the stand-alone master.

use crate::cloud::daemon::held;
use crate::command::{Example, Group, Habit, Subcommand};
use crate::config;
use crate::config::master::MasterFlags;
use crate::context::Context;
use crate::failure::Failure;

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
        let _held = held(context, self.hold.as_deref(), "master")?;
        crate::master_process::run(&settings)?;
        Ok(0)
    }
}
