//! `slapos request`: asks for an instance, and shows what is known of it.

use serde_json::json;
use slap::client::ClientError;
use slap::{InstanceRequest, InstanceTitle, RequestedState, SoftwareType, SoftwareUrl, Value};

use crate::command::{Example, Group, Habit, Subcommand};
use crate::config::client;
use crate::context::Context;
use crate::failure::Failure;
use crate::serialisation::{self, Serialisation};

/// Ask for an instance, and show its state and connection parameters
#[derive(Debug, clap::Args)]
pub(crate) struct Request {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    cfg: Option<String>,
    /// Title of the instance; the same title asks for the same instance again
    reference: InstanceTitle,
    /// Address of the software release, or product.NAME
    software_url: SoftwareUrl,
    /// Where it may be, as name=value pairs: computer_guid=COMP-42
    #[arg(long, num_args = 1.., value_name = "NAME=VALUE")]
    node: Vec<String>,
    /// Kind of instance
    #[arg(long = "type")]
    software_type: Option<SoftwareType>,
    /// State to be in: started, stopped or destroyed
    #[arg(long)]
    state: Option<RequestedState>,
    /// Ask for a shared instance
    #[arg(long)]
    slave: bool,
    /// How parameters of a file are written, instead of what the release says
    #[arg(long, value_enum)]
    force_serialisation: Option<Serialisation>,
    /// Parameters, as name=value pairs
    #[arg(long, num_args = 1.., value_name = "NAME=VALUE", conflicts_with = "parameters_file")]
    parameters: Vec<String>,
    /// File of parameters: JSON, or XML when it is called so
    #[arg(long, value_name = "FILE")]
    parameters_file: Option<String>,
}

impl Subcommand for Request {
    const NAME: &'static str = "request";
    const GROUP: Group = Group::Client;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] = &[
        ("slapos request shop https://example.org/flask/software.cfg", "ask for an instance called shop"),
        ("slapos request shop URL --parameters port=8700 workers=4", "ask for it with other parameters"),
        ("slapos request shop URL --state destroyed", "have it removed"),
    ];
    const EXIT_CODES: &'static [(u8, &'static str)] = &[(2, "or not ready yet")];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        tracing::info!(
            "Validating request parameters for {} as an instance of {} ...",
            self.reference,
            self.software_url
        );
        let filter = serialisation::pairs("--node", &self.node)?.into_iter().collect();
        let given = serialisation::pairs("--parameters", &self.parameters)?;
        let client = client::connect(context, self.cfg.as_deref())?;
        let software = client::release(&client, self.software_url)?;
        let own = serialisation::of_release(&software, self.software_type.as_ref().map(SoftwareType::as_str));
        let parameters = match &self.parameters_file {
            Some(path) => {
                serialisation::from_file(context.environment, path, self.force_serialisation.unwrap_or(own))?
            }
            None => given.into_iter().map(|(name, value)| (name, Value::Text(value))).collect(),
        };
        tracing::info!("Requesting {} as an instance of {} ...", self.reference, software);
        let request = InstanceRequest {
            software_type: self.software_type,
            shared: self.slave,
            parameters,
            filter,
            state: self.state,
            ..InstanceRequest::new(software, self.reference)
        };
        let instance = match client.request(&request) {
            Ok(instance) => instance,
            Err(ClientError::NotReady) => {
                tracing::warn!(
                    "Instance requested. Master is provisioning it. Please rerun in a couple of minutes to get connection information."
                );
                return Ok(2);
            }
            Err(error) => return Err(error.into()),
        };
        let state = instance.requested_state.or(self.state).unwrap_or(RequestedState::Started);
        let mut connection = json!(instance.connection);
        if own == Serialisation::JsonInXml {
            connection = serialisation::unwrapped(connection);
        }
        tracing::info!("Instance requested.\nState is : {state}.");
        tracing::info!("Connection parameters of instance are:");
        tracing::info!("{}", serialisation::as_python(&connection));
        tracing::info!("You can rerun the command to get up-to-date information.");
        if context.output.is_json() {
            let place = instance
                .place
                .map(|(computer, partition)| json!({ "computer": computer, "partition": partition }));
            context.output.json(&json!({
                "title": request.title,
                "software-url": request.software,
                "state": state,
                "place": place,
                "connection-parameters": connection,
            }));
        }
        Ok(0)
    }
}
