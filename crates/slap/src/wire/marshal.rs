//! The tagged XML encoding of values in which masters, nodes and recipes talk.

mod read;
#[cfg(test)]
mod tests;
mod write;

use crate::value::{Parameters, Value};

/// The classes of which objects may travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A computer with its releases and partitions.
    Computer,
    /// A partition.
    Partition,
    /// A software release.
    Release,
    /// An answer to a request.
    Instance,
}

impl Class {
    fn wire_name(self) -> &'static str {
        match self {
            Self::Computer => "Computer",
            Self::Partition => "ComputerPartition",
            Self::Release => "SoftwareRelease",
            Self::Instance => "SoftwareInstance",
        }
    }

    fn from_wire_name(name: &str) -> Option<Self> {
        [Self::Computer, Self::Partition, Self::Release, Self::Instance]
            .into_iter()
            .find(|c| c.wire_name() == name)
    }
}

/// The module that all travelling classes are said to be in.
const MODULE: &str = "slapos.slap.slap";

/// A value as it travels.
#[derive(Debug, Clone, PartialEq)]
pub enum Marshalled {
    /// Nothing.
    None,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer too large for [`Self::Int`], in decimal.
    Long(String),
    /// A number with a fraction.
    Float(f64),
    /// A text.
    Text(String),
    /// An immutable sequence.
    Tuple(Vec<Self>),
    /// A sequence.
    List(Vec<Self>),
    /// A set.
    Set(Vec<Self>),
    /// A mapping; written in the order of its keys.
    Map(Vec<(Self, Self)>),
    /// An object.
    Object {
        /// Of which class.
        class: Class,
        /// What its constructor was given.
        arguments: Vec<Self>,
        /// Its attributes; written in the order of their names.
        attributes: Vec<(String, Self)>,
    },
}

impl Marshalled {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A mapping with names as keys.
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(entries.into_iter().map(|(name, value)| (Self::text(name), value)).collect())
    }
}

impl From<&Value> for Marshalled {
    fn from(value: &Value) -> Self {
        match value {
            Value::None => Self::None,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(integer) => Self::Int(*integer),
            Value::Float(float) => Self::Float(*float),
            Value::Text(text) => Self::text(text),
            Value::List(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Map(entries) => Self::from(entries),
        }
    }
}

impl From<&Parameters> for Marshalled {
    fn from(parameters: &Parameters) -> Self {
        Self::map(parameters.iter().map(|(name, value)| (name, Self::from(value))))
    }
}

impl From<Marshalled> for Value {
    /// Keys become texts, all sequences lists, and an object the mapping of its attributes.
    fn from(marshalled: Marshalled) -> Self {
        match marshalled {
            Marshalled::None => Self::None,
            Marshalled::Bool(value) => Self::Bool(value),
            Marshalled::Int(integer) => Self::Int(integer),
            Marshalled::Float(float) => Self::Float(float),
            Marshalled::Text(text) | Marshalled::Long(text) => Self::Text(text),
            Marshalled::Tuple(items) | Marshalled::List(items) | Marshalled::Set(items) => {
                Self::List(items.into_iter().map(Self::from).collect())
            }
            Marshalled::Map(entries) => Self::Map(
                entries.into_iter().map(|(key, value)| (key.python_str(), Self::from(value))).collect(),
            ),
            Marshalled::Object { attributes, .. } => {
                Self::Map(attributes.into_iter().map(|(name, value)| (name, Self::from(value))).collect())
            }
        }
    }
}
