//! The program `supervisord`: the supervisor of any configuration file.

use camino::Utf8Path;
use host::process::Program;

use crate::command::{Example, Group, Habit, Subcommand};
use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::supervisor_control;

/// The program `supervisord`
#[derive(Debug, clap::Args)]
pub(crate) struct Supervisord {
    /// Configuration file
    #[arg(long, short = 'c', value_name = "FILE")]
    configuration: String,
    /// Stay in the foreground
    #[arg(long, short = 'n')]
    nodaemon: bool,
}

impl Subcommand for Supervisord {
    const NAME: &'static str = "supervisord";
    const GROUP: Group = Group::Hidden;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] = &[];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let file = context.environment.absolute(&self.configuration);
        if self.nodaemon {
            return supervisor_control::run_daemon(context, file);
        }
        let program = Program::new(context.environment.program.as_str())
            .args(["supervisord", "--nodaemon", "--configuration", file.as_str()])
            .inherit_env()
            .directory(context.environment.working_directory.clone());
        program.start_detached(Utf8Path::new("/dev/null")).map_err(|error| {
            Failure::new(Kind::Failed, "cannot start the supervisor").because_of(&error).code("E-start")
        })?;
        Ok(0)
    }
}
