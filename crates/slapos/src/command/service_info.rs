//! `slapos service info`: one service, its parameters, what it published, how it is.

use serde_json::{Value, json};
use slap::InstanceTitle;
use slap::client::ClientError;

use crate::command::{Example, Group, Habit, Subcommand};
use crate::config::client;
use crate::context::Context;
use crate::failure::Failure;
use crate::serialisation::{self, Serialisation};

/// Show one service, as JSON
#[derive(Debug, clap::Args)]
pub(crate) struct ServiceInfo {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    cfg: Option<String>,
    /// Title of the service
    reference: InstanceTitle,
    /// Show the status texts of its instances too
    #[arg(long)]
    news: bool,
}

impl Subcommand for ServiceInfo {
    const NAME: &'static str = "service info";
    const GROUP: Group = Group::Client;
    const HABIT: Habit = Habit::Classic;
    const EXAMPLES: &'static [Example] =
        &[("slapos service info flask", "release, parameters, connection parameters, status")];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let service = match client::connect(context, self.cfg.as_deref())?.service_info(&self.reference) {
            Ok(service) => service,
            Err(ClientError::NotReady) => {
                tracing::warn!("Instance does not exist or is not ready yet.");
                return Ok(2);
            }
            Err(ClientError::NotFound { .. }) => {
                tracing::warn!("Instance {} does not exist.", self.reference);
                return Ok(2);
            }
            Err(error) => return Err(error.into()),
        };
        let mut connection = json!(service.connection);
        if let Some(release) = &service.release
            && serialisation::of_release(release, service.software_type.as_deref())
                == Serialisation::JsonInXml
        {
            connection = serialisation::unwrapped(connection);
        }
        let mut document = json!({
            "software-url": service.release,
            "software-type": service.software_type,
            "shared": service.shared,
            "requested-state": service.requested_state,
            "instance-parameters": service.parameters,
            "connection-parameters": connection,
            "status": status(service.news.as_deref()),
        });
        if self.news
            && let (Some(news), Value::Object(fields)) = (service.news, &mut document)
        {
            let news: Vec<Value> = news.into_iter().map(|text| json!({ "text": text })).collect();
            fields.insert("news".to_owned(), Value::Array(news));
        }
        context.output.json(&document);
        Ok(0)
    }
}

/// The colour that the status texts of the instances add up to.
fn status(news: Option<&[String]>) -> &'static str {
    let Some(news) = news else { return "unsupported" };
    let has = |start: &str| news.iter().any(|text| text.starts_with(start));
    match (has("#access"), has("#error")) {
        (false, false) => "none",
        (true, false) => "green",
        (false, true) => "red",
        (true, true) => "orange",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_what_the_texts_add_up_to() {
        let news = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();

        assert_eq!(status(None), "unsupported");
        assert_eq!(status(Some(&news(&["no data"]))), "none");
        assert_eq!(status(Some(&news(&["#access ok"]))), "green");
        assert_eq!(status(Some(&news(&["#error x"]))), "red");
        assert_eq!(status(Some(&news(&["#error x", "#access ok"]))), "orange");
    }
}
