//! `slapos node report`: reports what instances use, and removes those that are to be destroyed.

use crate::command::{Example, Group, Habit, Subcommand};
use crate::config::node::NodeFlags;
use crate::context::Context;
use crate::failure::Failure;
use crate::node_pass;

/// Report usage, and remove instances that are to be destroyed
#[derive(Debug, clap::Args)]
pub(crate) struct NodeReport {
    #[command(flatten)]
    node: NodeFlags,
}

impl Subcommand for NodeReport {
    const NAME: &'static str = "node report";
    const GROUP: Group = Group::Node;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] = &[("slapos node report", "one pass")];
    const EXIT_CODES: &'static [(u8, &'static str)] = &[(5, "not root"), (10, "another pass runs")];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let (_, node) = node_pass::begin(context, &self.node)?;
        node_pass::end(context, &node::report::pass(&node))
    }
}
