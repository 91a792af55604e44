//! `slapos node promise`: checks the promises of the partitions, and nothing else.

use crate::command::{Example, Group, Habit, Subcommand};
use crate::config::node::{NodeFlags, partitions};
use crate::context::Context;
use crate::failure::Failure;
use crate::node_pass;

/// Check the promises of the partitions
#[derive(Debug, clap::Args)]
pub(crate) struct NodePromise {
    #[command(flatten)]
    node: NodeFlags,
    /// Only these partitions, separated by commas
    #[arg(long, visible_alias = "only", value_name = "LIST")]
    only_cp: Option<String>,
}

impl Subcommand for NodePromise {
    const NAME: &'static str = "node promise";
    const GROUP: Group = Group::Node;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] = &[
        ("slapos node promise", "every promise of every started instance"),
        ("slapos node promise --only-cp slappart3", "those of one partition"),
    ];
    const EXIT_CODES: &'static [(u8, &'static str)] =
        &[(2, "or a promise fails"), (5, "not root"), (10, "another pass runs")];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let (settings, node) = node_pass::begin(context, &self.node)?;
        let only = partitions(self.only_cp.as_deref(), &settings)?;
        node_pass::end(context, &node::promise::pass(&node, &only))
    }
}
