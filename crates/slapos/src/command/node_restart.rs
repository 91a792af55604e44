//! `slapos node restart`: the action `restart` of `slapos node supervisorctl`.

use crate::command::node_supervisorctl::{EXIT_CODES, Words};
use crate::command::{Example, Group, Habit, Subcommand};
use crate::context::Context;
use crate::failure::Failure;

/// Restart processes
#[derive(Debug, clap::Args)]
pub(crate) struct NodeRestart {
    #[command(flatten)]
    words: Words,
}

impl Subcommand for NodeRestart {
    const NAME: &'static str = "node restart";
    const GROUP: Group = Group::Node;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] = &[("slapos node restart slappart0:*", "restart processes")];
    const EXIT_CODES: &'static [(u8, &'static str)] = EXIT_CODES;

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        self.words.run(context, Some("restart"))
    }
}
