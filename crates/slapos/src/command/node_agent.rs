//! `slapos node agent`: keeps this computer as the master wants it, as soon as that changes.

use host::signals::Interruptions;

use crate::cloud::daemon::held;
use crate::command::{Example, Group, Habit, Subcommand};
use crate::config::node::{NodeFlags, definition, load};
use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::node_pass;

/// Keep this computer as the master wants it, as soon as that changes
#[derive(Debug, clap::Args)]
pub(crate) struct NodeAgent {
    #[command(flatten)]
    node: NodeFlags,
    /// Lock to hold for as long as it runs
    #[arg(long, hide = true, value_name = "FILE")]
    hold: Option<String>,
}

impl Subcommand for NodeAgent {
    const NAME: &'static str = "node agent";
    const GROUP: Group = Group::Node;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] = &[("slapos node agent", "instead of the four passes in cron")];
    const EXIT_CODES: &'static [(u8, &'static str)] = &[(5, "not root"), (10, "another agent runs")];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let settings = load(context, &self.node)?;
        node_pass::check_user(&settings.configuration)?;
        let definition = definition(&settings.configuration)?;
        let _held = held(context, self.hold.as_deref(), "agent")?;
        // Before there is a second thread, which would otherwise still be interrupted.
        let _interruptions = Interruptions::catch()
            .map_err(|error| Failure::new(Kind::Failed, "cannot catch interruptions").because_of(&error))?;
        let node = node_pass::connect(context, settings.configuration)?;
        let options = node::agent::Options { definition, ..node::agent::Options::default() };
        node_pass::end(context, &node::agent::run(&node, &options))
    }
}
