//! The program `slapos-watchdog`: an event listener of supervisord that bangs for services that ended.

use node::supervisor::WatchdogArguments;

use crate::command::{Example, Group, Habit, Subcommand};
use crate::context::Context;
use crate::failure::{Failure, Kind};

/// The program `slapos-watchdog`
#[derive(Debug, clap::Args)]
pub(crate) struct Watchdog {
    /// Its options
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

impl Subcommand for Watchdog {
    const NAME: &'static str = "watchdog";
    const GROUP: Group = Group::Hidden;
    const HABIT: Habit = Habit::Raw;
    const EXAMPLES: &'static [Example] = &[];

    fn run(self, _: &Context<'_>) -> Result<u8, Failure> {
        let words: Vec<String> = std::iter::once("slapos-watchdog".to_owned()).chain(self.words).collect();
        let arguments = WatchdogArguments::parse(&words)
            .map_err(|error| Failure::of(Kind::Usage, &error).code("E-usage"))?;
        node::watchdog::serve(&arguments, &mut std::io::stdin().lock(), &mut std::io::stdout().lock())
            .map_err(|error| Failure::of(Kind::Failed, &error).code("E-watchdog"))?;
        Ok(0)
    }
}
