//! `slapos node supervisord`: launches the supervisor of the partitions.

use crate::command::{Example, Group, Habit, Subcommand};
use crate::config::node::{NodeFlags, load};
use crate::context::Context;
use crate::failure::Failure;
use crate::{node_pass, supervisor_control};

/// Launch the supervisor unless it runs
#[derive(Debug, clap::Args)]
pub(crate) struct Supervisord {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    cfg: Option<String>,
    /// Stay in the foreground
    #[arg(long, short = 'n')]
    nodaemon: bool,
}

impl Subcommand for Supervisord {
    const NAME: &'static str = "node supervisord";
    const GROUP: Group = Group::Node;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] =
        &[("slapos node supervisord", "write its configuration and launch it")];
    const EXIT_CODES: &'static [(u8, &'static str)] = &[(5, "not root")];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let settings = load(context, &NodeFlags::of_choice(self.cfg))?;
        node_pass::check_user(&settings.configuration)?;
        let node = node_pass::connect(context, settings.configuration)?;
        let supervisor = node.supervisor();
        // The watchdog's line stays as a pass wrote it.
        supervisor.write_configuration(None)?;
        if self.nodaemon {
            return supervisor_control::run_daemon(context, supervisor.layout().configuration_file());
        }
        supervisor.ensure_running()?;
        Ok(0)
    }
}
