//! `slapos service list`: the services of this person.

use std::collections::BTreeMap;

use crate::command::{Example, Group, Habit, Subcommand};
use crate::config::client;
use crate::context::Context;
use crate::failure::Failure;

/// List the services: title and software release, as JSON
#[derive(Debug, clap::Args)]
pub(crate) struct ServiceList {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    cfg: Option<String>,
}

impl Subcommand for ServiceList {
    const NAME: &'static str = "service list";
    const GROUP: Group = Group::Client;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] = &[("slapos service list", "an object of title and release")];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let services = client::connect(context, self.cfg.as_deref())?.services()?;
        let releases: BTreeMap<String, _> =
            services.into_iter().map(|service| (service.title, service.release)).collect();
        context.output.json(&serde_json::to_value(&releases).expect("texts become JSON"));
        Ok(0)
    }
}
