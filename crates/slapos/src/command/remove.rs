//! `slapos remove`: asks the master to remove a software release from a computer.

use slap::{ComputerId, SoftwareState, SoftwareUrl};

use crate::command::{Example, Group, Habit, Subcommand};
use crate::config::client;
use crate::context::Context;
use crate::failure::Failure;

/// Ask for a software release to be removed from a computer
#[derive(Debug, clap::Args)]
pub(crate) struct Remove {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    cfg: Option<String>,
    /// Address of the release, or product.NAME
    software_url: SoftwareUrl,
    /// Reference of the computer
    node: ComputerId,
}

impl Subcommand for Remove {
    const NAME: &'static str = "remove";
    const GROUP: Group = Group::Client;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] =
        &[("slapos remove https://example.org/flask/software.cfg COMP-42", "remove a release from COMP-42")];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        tracing::info!("Requesting deletion of {} Software Release...", self.software_url);
        let client = client::connect(context, self.cfg.as_deref())?;
        let release = client::release(&client, self.software_url)?;
        client.supply(&release, &self.node, SoftwareState::Destroyed)?;
        tracing::info!("Done.");
        if context.output.is_json() {
            context.output.json(&serde_json::json!({
                "software-url": release,
                "computer": self.node,
                "state": SoftwareState::Destroyed.as_str(),
            }));
        }
        Ok(0)
    }
}
