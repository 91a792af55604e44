//! The connection of an instance to its master, as the sections of a profile describe it.

use std::time::Duration;

use buildout::{RecipeError, Section, Value};
use camino::Utf8PathBuf;
use slap::client::{Client, ClientError, Endpoint};
use slap::{ComputerId, PartitionId};

/// A partition and the master that knows it.
#[derive(Debug)]
pub(crate) struct MasterConnection {
    /// The master.
    pub(crate) client: Client,
    /// The computer of the partition.
    pub(crate) computer: ComputerId,
    /// The partition.
    pub(crate) partition: PartitionId,
}

// A build waits no longer than this for one answer.
const PATIENCE: Duration = Duration::from_mins(2);

/// The texts that make a connection; empty files count as absent.
#[derive(Debug, Default)]
pub(crate) struct ConnectionOptions {
    /// `server-url`
    pub(crate) url: String,
    /// `computer-id`
    pub(crate) computer: String,
    /// `partition-id`
    pub(crate) partition: String,
    /// `key-file`
    pub(crate) key_file: Option<String>,
    /// `cert-file`
    pub(crate) cert_file: Option<String>,
}

impl ConnectionOptions {
    /// Reads the section `[slap-connection]`, which the node adds to every instance profile.
    ///
    /// # Errors
    /// The section or one of its options is missing.
    pub(crate) fn of_node(section: &mut Section<'_>) -> Result<Self, RecipeError> {
        let name = "slap-connection";
        if !section.has_section(name) {
            return Err(RecipeError::new("the profile has no section [slap-connection]").hint(
                "the node adds it when it builds an instance: build the profile with `slapos node instance`",
            ));
        }
        Ok(Self {
            url: section.require_other(name, "server-url")?,
            computer: section.require_other(name, "computer-id")?,
            partition: section.require_other(name, "partition-id")?,
            key_file: section.other(name, "key-file")?,
            cert_file: section.other(name, "cert-file")?,
        })
    }

    /// Makes the connection; the master is not asked yet.
    ///
    /// # Errors
    /// An address, a name or a certificate that cannot be one.
    pub(crate) fn connect(self) -> Result<MasterConnection, RecipeError> {
        let file = |path: Option<String>| path.filter(|path| !path.is_empty()).map(Utf8PathBuf::from);
        let endpoint = Endpoint {
            key_file: file(self.key_file),
            cert_file: file(self.cert_file),
            timeout: PATIENCE,
            ..Endpoint::new(self.url)
        };
        let named = |error: Box<dyn std::error::Error + Send + Sync>| {
            RecipeError::new("the partition is not named as a master names it").because(error)
        };
        Ok(MasterConnection {
            client: Client::new(&endpoint).map_err(|error| failed("connect to the master", error))?,
            computer: self.computer.parse().map_err(|error: slap::InvalidId| named(error.into()))?,
            partition: self.partition.parse().map_err(|error: slap::InvalidId| named(error.into()))?,
        })
    }
}

/// What a person is told when the master could not be asked. Running the build again is always safe.
pub(crate) fn failed(doing: &str, error: ClientError) -> RecipeError {
    let hint = error.hint().unwrap_or("the build can be run again at any time");
    let code = error.code();
    RecipeError::new(format!("failed to {doing}")).because(error).hint(hint).code(code)
}

/// An option as the master is told about it.
///
/// # Errors
/// A value that no parameter can be: bytes, a set, a number beyond 64 bits.
pub(crate) fn to_parameter(name: &str, value: &Value) -> Result<slap::Value, RecipeError> {
    let refuse = || {
        RecipeError::new(format!("`{name}` is a {}, which cannot be published", value.type_name()))
            .option(name)
            .hint("publish text, numbers, lists or dictionaries")
    };
    let items =
        |items: &[Value]| items.iter().map(|item| to_parameter(name, item)).collect::<Result<Vec<_>, _>>();
    Ok(match value {
        Value::None => slap::Value::None,
        Value::Bool(flag) => slap::Value::Bool(*flag),
        Value::Int(number) => slap::Value::Int(i64::try_from(*number).map_err(|_| refuse())?),
        Value::Float(number) => slap::Value::Float(*number),
        Value::Str(text) => slap::Value::Text(text.clone()),
        Value::List(list) | Value::Tuple(list) => slap::Value::List(items(list)?),
        Value::Dict(entries) => {
            let converted = entries.iter().map(|(key, item)| match key {
                Value::Str(key) => Ok((key.clone(), to_parameter(name, item)?)),
                _ => Err(refuse()),
            });
            slap::Value::Map(converted.collect::<Result<_, _>>()?)
        }
        Value::Complex(..) | Value::Bytes(_) | Value::ByteArray(_) | Value::Set(_) | Value::FrozenSet(_) => {
            return Err(refuse());
        }
    })
}

/// A parameter as options hold it.
pub(crate) fn from_parameter(value: &slap::Value) -> Value {
    match value {
        slap::Value::None => Value::None,
        slap::Value::Bool(flag) => Value::Bool(*flag),
        slap::Value::Int(number) => Value::Int(i128::from(*number)),
        slap::Value::Float(number) => Value::Float(*number),
        slap::Value::Text(text) => Value::Str(text.clone()),
        slap::Value::List(items) => Value::List(items.iter().map(from_parameter).collect()),
        slap::Value::Map(entries) => dictionary(entries),
    }
}

/// Parameters as a dictionary.
pub(crate) fn dictionary(parameters: &slap::Parameters) -> Value {
    Value::Dict(
        parameters.iter().map(|(name, value)| (Value::Str(name.clone()), from_parameter(value))).collect(),
    )
}

/// The parameters that a request packed as JSON under the name `_`; those as they are when it did not.
///
/// # Errors
/// Text under that name that is no JSON.
pub(crate) fn unpacked(parameters: &slap::Parameters) -> Result<slap::Value, RecipeError> {
    let Some(packed) = parameters.get("_") else { return Ok(slap::Value::Map(parameters.clone())) };
    let slap::Value::Text(text) = packed else { return Ok(packed.clone()) };
    let document: serde_json::Value = serde_json::from_str(text).map_err(|error| {
        RecipeError::new("the parameter `_` of the request is no JSON document")
            .because(error)
            .hint("request the instance again with parameters that are JSON")
    })?;
    Ok(document.into())
}
