//! `slapos supply`: asks the master to have a software release on a computer.

use slap::{ComputerId, SoftwareState, SoftwareUrl};

use crate::command::{Example, Group, Habit, Subcommand};
use crate::config::client;
use crate::context::Context;
use crate::failure::Failure;

/// Ask for a software release to be installed on a computer
#[derive(Debug, clap::Args)]
pub(crate) struct Supply {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    cfg: Option<String>,
    /// Address of the release, or product.NAME
    software_url: SoftwareUrl,
    /// Reference of the computer
    node: ComputerId,
}

impl Subcommand for Supply {
    const NAME: &'static str = "supply";
    const GROUP: Group = Group::Client;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] = &[
        ("slapos supply https://example.org/flask/software.cfg COMP-42", "install a release on COMP-42"),
        (
            "slapos supply $PWD/software.cfg local_computer",
            "install a local one on the computer of slapos up",
        ),
    ];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        tracing::info!("Requesting software installation of {}...", self.software_url);
        let client = client::connect(context, self.cfg.as_deref())?;
        let release = client::release(&client, self.software_url)?;
        client.supply(&release, &self.node, SoftwareState::Available)?;
        tracing::info!("Done.");
        if context.output.is_json() {
            context.output.json(&serde_json::json!({
                "software-url": release,
                "computer": self.node,
                "state": SoftwareState::Available.as_str(),
            }));
        }
        Ok(0)
    }
}
