//! `slapos node stop`: the action `stop` of `slapos node supervisorctl`.

use crate::command::node_supervisorctl::{EXIT_CODES, Words};
use crate::command::{Example, Group, Habit, Subcommand};
use crate::context::Context;
use crate::failure::Failure;

/// Stop processes
#[derive(Debug, clap::Args)]
pub(crate) struct NodeStop {
    #[command(flatten)]
    words: Words,
}

impl Subcommand for NodeStop {
    const NAME: &'static str = "node stop";
    const GROUP: Group = Group::Node;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] = &[("slapos node stop slappart0:*", "stop processes")];
    const EXIT_CODES: &'static [(u8, &'static str)] = EXIT_CODES;

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        self.words.run(context, Some("stop"))
    }
}
