//! `slapos node supervisorctl`, and what its shorter forms (`slapos node status` and others) have in common.

use crate::command::{Example, Group, Habit, Subcommand};
use crate::config::node::{NodeFlags, load};
use crate::context::Context;
use crate::failure::Failure;
use crate::{node_pass, supervisor_control};

/// The exit codes of the family.
pub(crate) const EXIT_CODES: &[(u8, &str)] = &[(3, "something does not run"), (5, "not root")];

/// Speak to the supervisor, without arguments interactively
#[derive(Debug, clap::Args)]
pub(crate) struct Supervisorctl {
    #[command(flatten)]
    words: Words,
}

/// The arguments of the family.
#[derive(Debug, clap::Args)]
pub(crate) struct Words {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    cfg: Option<String>,
    /// Action and names: GROUP:PROCESS, GROUP:*, PROCESS or all
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

impl Words {
    /// Does the action, or the one that the words begin with.
    pub(crate) fn run(self, context: &Context<'_>, action: Option<&str>) -> Result<u8, Failure> {
        let settings = load(context, &NodeFlags::of_choice(self.cfg))?;
        node_pass::check_user(&settings.configuration)?;
        let node = node_pass::connect(context, settings.configuration)?;
        let supervisor = node.supervisor();
        if !supervisor.layout().configuration_file().exists() {
            supervisor.write_configuration(None)?;
        }
        let client = supervisor.ensure_running()?;
        let words: Vec<String> = action.map(str::to_owned).into_iter().chain(self.words).collect();
        supervisor_control::run(context, &client, &words)
    }
}

impl Subcommand for Supervisorctl {
    const NAME: &'static str = "node supervisorctl";
    const GROUP: Group = Group::Node;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] =
        &[("slapos node supervisorctl status", "every process of every partition")];
    const EXIT_CODES: &'static [(u8, &'static str)] = EXIT_CODES;

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        self.words.run(context, None)
    }
}
