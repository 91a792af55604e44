//! The program `supervisorctl`: speaks to the supervisor of any configuration file or socket.

use node::supervisor::Client;

use crate::command::{Example, Group, Habit, Subcommand};
use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::{config, supervisor_control};

/// The program `supervisorctl`
#[derive(Debug, clap::Args)]
pub(crate) struct Supervisorctl {
    /// Configuration file
    #[arg(long, short = 'c', value_name = "FILE")]
    configuration: Option<String>,
    /// Address of the supervisor: unix:///path/of/socket
    #[arg(long, short = 's', value_name = "URL")]
    serverurl: Option<String>,
    /// Action and names
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

impl Subcommand for Supervisorctl {
    const NAME: &'static str = "supervisorctl";
    const GROUP: Group = Group::Hidden;
    const HABIT: Habit = Habit::Raw;
    const EXAMPLES: &'static [Example] = &[];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let url = match (self.serverurl, &self.configuration) {
            (Some(url), _) => Some(url),
            (None, Some(file)) => {
                let ini = config::read(&context.environment.absolute(file))?;
                ini.get("supervisorctl", "serverurl").map_err(|error| config::syntax(&error))?
            }
            (None, None) => None,
        };
        let socket = url.as_deref().and_then(|url| url.strip_prefix("unix://")).ok_or_else(|| {
            Failure::new(Kind::Usage, "no socket of a supervisor is named")
                .hint("name it: supervisorctl -s unix:///path/of/sv.sock, or -c FILE with [supervisorctl] serverurl")
                .code("E-usage")
        })?;
        supervisor_control::run(context, &Client::new(socket), &self.words)
    }
}
