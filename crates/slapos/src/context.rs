//! What every command is given: the environment, the options of the top level, and where to print.

use host::clock::SystemClock;

use crate::arguments::GlobalOptions;
use crate::env::Environment;
use crate::output::Output;

/// The surroundings of a command.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// The environment of the process.
    pub(crate) environment: &'a Environment,
    /// The options of the top level.
    pub(crate) options: GlobalOptions,
    /// Where to print.
    pub(crate) output: Output,
    /// The clock.
    pub(crate) clock: SystemClock,
}
