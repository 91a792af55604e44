//! `slapos node tail`: the action `tail` of `slapos node supervisorctl`.

use crate::command::node_supervisorctl::{EXIT_CODES, Words};
use crate::command::{Example, Group, Habit, Subcommand};
use crate::context::Context;
use crate::failure::Failure;

/// Show the end of a process's log
#[derive(Debug, clap::Args)]
pub(crate) struct NodeTail {
    #[command(flatten)]
    words: Words,
}

impl Subcommand for NodeTail {
    const NAME: &'static str = "node tail";
    const GROUP: Group = Group::Node;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] =
        &[("slapos node tail -f slappart0:web-on-watch", "show the end of a process's log")];
    const EXIT_CODES: &'static [(u8, &'static str)] = EXIT_CODES;

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        self.words.run(context, Some("tail"))
    }
}
