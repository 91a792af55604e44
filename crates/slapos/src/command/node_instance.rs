//! `slapos node instance`: deploys the instances that the master wants in this computer's partitions.

use crate::command::{Example, Group, Habit, Subcommand};
use crate::config::node::{NodeFlags, partitions};
use crate::context::Context;
use crate::failure::Failure;
use crate::node_pass;

/// Deploy, start and stop instances
#[derive(Debug, clap::Args)]
pub(crate) struct NodeInstance {
    #[command(flatten)]
    node: NodeFlags,
    /// Give the terminal to the builds, with their debugger
    #[arg(long)]
    buildout_debug: bool,
    /// Stop the services even of instances that are to run, until the next change of what is asked
    #[arg(long)]
    force_stop: bool,
    /// Process partitions again that are up to date
    #[arg(long)]
    force: bool,
    /// Old name of --force
    #[arg(long, conflicts_with = "only_cp")]
    all: bool,
    /// Only these partitions, separated by commas
    #[arg(long, visible_alias = "only", value_name = "LIST")]
    only_cp: Option<String>,
}

impl Subcommand for NodeInstance {
    const NAME: &'static str = "node instance";
    const GROUP: Group = Group::Node;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] = &[
        ("slapos node instance", "one pass over the partitions"),
        ("slapos node instance --force --only-cp slappart3", "process one again"),
    ];
    const EXIT_CODES: &'static [(u8, &'static str)] = &[
        (2, "or a promise fails"),
        (3, "the master is away; what is configured was started"),
        (5, "not root"),
        (10, "another pass runs"),
    ];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let (settings, node) = node_pass::begin(context, &self.node)?;
        let only = partitions(self.only_cp.as_deref(), &settings)?;
        let options = node::instance::Options {
            force: self.force || self.all,
            force_stop: self.force_stop,
            only,
            debug: self.buildout_debug,
            ..node::instance::Options::default()
        };
        node_pass::end(context, &node::instance::pass(&node, &options))
    }
}
