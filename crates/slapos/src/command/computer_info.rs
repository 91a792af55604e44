//! `slapos computer info`: one computer.

use slap::ComputerId;
use slap::client::ClientError;

use crate::command::{Example, Group, Habit, Subcommand};
use crate::config::client;
use crate::context::Context;
use crate::failure::Failure;

/// Show one computer
#[derive(Debug, clap::Args)]
pub(crate) struct ComputerInfo {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    cfg: Option<String>,
    /// Reference of the computer
    reference: ComputerId,
}

impl Subcommand for ComputerInfo {
    const NAME: &'static str = "computer info";
    const GROUP: Group = Group::Client;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] = &[("slapos computer info local_computer", "reference and title")];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let computer = match client::connect(context, self.cfg.as_deref())?.computer_info(&self.reference) {
            Ok(computer) => computer,
            Err(ClientError::NotReady) => {
                tracing::warn!("Computer does not exist or is not ready yet.");
                return Ok(2);
            }
            Err(ClientError::NotFound { .. }) => {
                tracing::warn!("Computer {} does not exist.", self.reference);
                return Ok(2);
            }
            Err(error) => return Err(error.into()),
        };
        if context.output.is_json() {
            context.output.json(&serde_json::to_value(&computer).expect("texts become JSON"));
        } else {
            context.output.answer(&format!(
                "Computer Reference: {}\nComputer Title    : {}",
                computer.reference, computer.title
            ));
        }
        Ok(0)
    }
}
