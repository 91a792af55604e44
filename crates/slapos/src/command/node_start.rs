//! `slapos node start`: the action `start` of `slapos node supervisorctl`.

use crate::command::node_supervisorctl::{EXIT_CODES, Words};
use crate::command::{Example, Group, Habit, Subcommand};
use crate::context::Context;
use crate::failure::Failure;

/// Start processes
#[derive(Debug, clap::Args)]
pub(crate) struct NodeStart {
    #[command(flatten)]
    words: Words,
}

impl Subcommand for NodeStart {
    const NAME: &'static str = "node start";
    const GROUP: Group = Group::Node;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] = &[("slapos node start slappart0:*", "start processes")];
    const EXIT_CODES: &'static [(u8, &'static str)] = EXIT_CODES;

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        self.words.run(context, Some("start"))
    }
}
