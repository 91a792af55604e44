//! `slapos help`: the list of commands, or the manual of one.

use crate::command::{Example, Group, Habit, Subcommand, find};
use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::help;

/// Show the commands, or the arguments, examples and exit codes of one
#[derive(Debug, clap::Args)]
pub(crate) struct Help {
    /// The command
    command: Vec<String>,
}

impl Subcommand for Help {
    const NAME: &'static str = "help";
    const GROUP: Group = Group::Other;
    const HABIT: Habit = Habit::Quiet;
    const EXAMPLES: &'static [Example] =
        &[("slapos help", "list the commands"), ("slapos help node software", "show the manual of one")];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        if self.command.is_empty() {
            context.output.answer(&help::root());
            return Ok(0);
        }
        let (entry, _) = find(&self.command).ok_or_else(|| {
            Failure::new(Kind::NotAllowed, format!("there is no command `slapos {}`", self.command.join(" ")))
                .hint("slapos help lists the commands")
                .code("E-unknown-command")
        })?;
        context.output.answer(&help::of(entry));
        Ok(0)
    }
}
