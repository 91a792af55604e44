//! What wrappers start when they need more than a shell: prepares a process and becomes it.

use std::ffi::OsString;

use host::launcher::{Launcher, LauncherError};

use crate::command::{Example, Group, Habit, Subcommand};
use crate::context::Context;
use crate::failure::{Failure, Kind};

/// Prepare a process and become it
#[derive(Debug, clap::Args)]
pub(crate) struct WrapperLaunch {
    /// What the wrapper says
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

impl Subcommand for WrapperLaunch {
    const NAME: &'static str = "wrapper-launch";
    const GROUP: Group = Group::Hidden;
    const HABIT: Habit = Habit::Raw;
    const EXAMPLES: &'static [Example] = &[];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let launcher = Launcher::from_words(self.words)
            .map_err(|error| Failure::of(Kind::Usage, &error).code("E-usage"))?;
        launcher.run(context.environment.home.as_deref()).map_err(|error| match &error {
            LauncherError::Running { .. } => Failure::of(Kind::Failed, &error)
                .hint("stop it first, or let it run")
                .code("E-wrapper-running"),
            _ => Failure::of(Kind::Failed, &error).code("E-wrapper"),
        })
    }
}
