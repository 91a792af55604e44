//! `[instance-parameter]` and `[publish-connection-parameter]`, sections without a recipe that a build fills and uses.
//!
//! `[instance-parameter]` holds defaults. Before anything is built, the parameters of the request take their place: the
//! parameter `port` becomes the option `configuration.port`, and also the option `port` when the section has one.
//! `[publish-connection-parameter]` holds connection parameters; they are published when everything is built. Both need
//! the section `[slap-connection]`, which the node adds; without it the defaults hold and nothing is published.

use buildout::{Build, BuildHook, RecipeError, Value};
use slap::Parameters;

use crate::master_connection::{
    ConnectionOptions, MasterConnection, failed, from_parameter, to_parameter, unpacked,
};
use crate::publish::is_published;
use crate::slapconfiguration::is_option_name;

const PARAMETERS: &str = "instance-parameter";
const CONNECTION: &str = "publish-connection-parameter";
const NODE: &str = "slap-connection";

/// What builds of instances do beyond their parts.
#[derive(Debug, Default)]
pub(crate) struct InstanceHooks {
    published: Parameters,
}

/// Whether the profile has such a section, without a recipe.
fn is_plain(build: &Build<'_>, section: &str) -> Result<bool, RecipeError> {
    let options = build.raw(section)?;
    Ok(options.is_some_and(|options| options.get("recipe").is_none_or(|recipe| recipe.trim().is_empty())))
}

fn connection(build: &Build<'_>) -> Result<Option<MasterConnection>, RecipeError> {
    let Some(options) = build.raw(NODE)? else { return Ok(None) };
    let take = |name: &str| options.get(name).cloned();
    let (Some(url), Some(computer), Some(partition)) =
        (take("server-url"), take("computer-id"), take("partition-id"))
    else {
        return Ok(None);
    };
    let options = ConnectionOptions {
        url,
        computer,
        partition,
        key_file: take("key-file"),
        cert_file: take("cert-file"),
    };
    options.connect().map(Some)
}

impl BuildHook for InstanceHooks {
    fn before_parts(&mut self, build: &mut Build<'_>) -> Result<(), RecipeError> {
        if !is_plain(build, PARAMETERS)? {
            return Ok(());
        }
        let Some(MasterConnection { client, computer, partition }) = connection(build)? else {
            return Ok(());
        };
        let asked = client
            .register_partition(&computer, &partition)
            .map_err(|error| failed("ask the master about the instance", error))?;
        let slap::Value::Map(parameters) = unpacked(&asked.parameters)? else { return Ok(()) };
        let defaults = build.raw(PARAMETERS)?.unwrap_or_default();
        for (name, value) in parameters.iter().filter(|(name, _)| is_option_name(name)) {
            let text = option_text(name, &from_parameter(value))?;
            if defaults.contains_key(name) {
                build.set(PARAMETERS, name, text.clone());
            }
            build.set(PARAMETERS, &format!("configuration.{name}"), text);
        }
        Ok(())
    }

    fn before_install(&mut self, build: &mut Build<'_>) -> Result<(), RecipeError> {
        if !is_plain(build, CONNECTION)? {
            return Ok(());
        }
        for (name, text) in build.section(CONNECTION)?.iter().filter(|(name, _)| is_published(name)) {
            let value = Value::from_option(text).map_err(|error| {
                RecipeError::new(format!("`{name}` of [{CONNECTION}] is no value")).because(error)
            })?;
            self.published.insert(name.clone(), to_parameter(name, &value)?);
        }
        Ok(())
    }

    fn after_parts(&mut self, build: &mut Build<'_>) -> Result<(), RecipeError> {
        if self.published.is_empty() {
            return Ok(());
        }
        let Some(MasterConnection { client, computer, partition }) = connection(build)? else {
            return Ok(());
        };
        client
            .set_connection(&computer, &partition, None, &self.published)
            .map_err(|error| failed("publish the connection parameters", error))
    }
}

/// The text that gives the value when the profile's reader has expanded it.
fn option_text(name: &str, value: &Value) -> Result<String, RecipeError> {
    let text = value
        .to_option()
        .map_err(|error| RecipeError::new(format!("the parameter `{name}` has no text")).because(error))?;
    if text.contains("$${") {
        return Err(RecipeError::new(format!(
            "the parameter `{name}` contains `$${{`, which a profile cannot hold"
        ))
        .hint("read the parameters by a part of recipe slapos.cookbook:slapconfiguration"));
    }
    Ok(text.replace("${", "$${"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_parameter_is_not_expanded() {
        assert_eq!(option_text("a", &Value::from("${x:y} $5")).unwrap(), "$${x:y} $5");
        assert!(option_text("a", &Value::from("$${x:y}")).is_err());
    }
}
