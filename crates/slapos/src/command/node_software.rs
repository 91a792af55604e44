//! `slapos node software`: installs and removes software releases as the master wants.

use crate::command::{Example, Group, Habit, Subcommand};
use crate::config::node::{NodeFlags, split_list};
use crate::context::Context;
use crate::failure::Failure;
use crate::node_pass;

/// Install and remove software releases
#[derive(Debug, clap::Args)]
pub(crate) struct NodeSoftware {
    #[command(flatten)]
    node: NodeFlags,
    /// Give the terminal to the build, with its debugger
    #[arg(long)]
    buildout_debug: bool,
    /// Remove the directories of releases that nobody wants any more
    #[arg(long)]
    garbage_collect: bool,
    /// Build releases again that are complete
    #[arg(long)]
    force: bool,
    /// Old name of --force
    #[arg(long, conflicts_with = "only_sr")]
    all: bool,
    /// Only these releases: addresses or md5s, separated by commas
    #[arg(long, visible_alias = "only", value_name = "LIST")]
    only_sr: Option<String>,
}

impl Subcommand for NodeSoftware {
    const NAME: &'static str = "node software";
    const GROUP: Group = Group::Node;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] = &[
        ("slapos node software", "one pass over what the master wants here"),
        ("slapos node software --force --only-sr URL", "build one release again"),
    ];
    const EXIT_CODES: &'static [(u8, &'static str)] = &[(5, "not root"), (10, "another pass runs")];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let (settings, node) = node_pass::begin(context, &self.node)?;
        let options = node::software::Options {
            force: self.force || self.all,
            only: self.only_sr.as_deref().map_or(settings.only_releases, split_list),
            garbage_collect: self.garbage_collect,
            debug: self.buildout_debug,
        };
        node_pass::end(context, &node::software::pass(&node, &options))
    }
}
