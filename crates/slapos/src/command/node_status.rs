//! `slapos node status`: the action `status` of `slapos node supervisorctl`.

use crate::command::node_supervisorctl::{EXIT_CODES, Words};
use crate::command::{Example, Group, Habit, Subcommand};
use crate::context::Context;
use crate::failure::Failure;

/// Show the processes of the partitions
#[derive(Debug, clap::Args)]
pub(crate) struct NodeStatus {
    #[command(flatten)]
    words: Words,
}

impl Subcommand for NodeStatus {
    const NAME: &'static str = "node status";
    const GROUP: Group = Group::Node;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] = &[("slapos node status", "show the processes of the partitions")];
    const EXIT_CODES: &'static [(u8, &'static str)] = EXIT_CODES;

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        self.words.run(context, Some("status"))
    }
}
