//! `slapos computer list`: the computers that the master shows to this person.

use crate::command::{Example, Group, Habit, Subcommand};
use crate::config::client;
use crate::context::Context;
use crate::failure::Failure;

/// List the computers
#[derive(Debug, clap::Args)]
pub(crate) struct ComputerList {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    cfg: Option<String>,
}

impl Subcommand for ComputerList {
    const NAME: &'static str = "computer list";
    const GROUP: Group = Group::Client;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] = &[("slapos computer list", "reference and title of each")];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let mut computers = client::connect(context, self.cfg.as_deref())?.computers()?;
        computers.sort_by(|left, right| left.reference.cmp(&right.reference));
        if context.output.is_json() {
            context.output.json(&serde_json::to_value(&computers).expect("texts become JSON"));
        } else if computers.is_empty() {
            context.output.answer("No existing computer.");
        } else {
            let lines: String = computers
                .iter()
                .map(|computer| format!("{} {}\n", computer.reference, computer.title))
                .collect();
            context.output.answer(&format!("List of Computers:\n{lines}"));
        }
        Ok(0)
    }
}
