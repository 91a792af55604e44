//! Values of parameters, and how the stand-alone master turns them into text.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Parameters by name, in the order in which they were given.
pub type Parameters = IndexMap<String, Value>;

/// A value of a parameter. Its JSON form is the obvious one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Nothing. An empty text becomes this when a master stores it.
    None,
    /// A truth value.
    Bool(bool),
    /// An integer. Larger ones than fit here travel as text.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A text.
    Text(String),
    /// Several values.
    List(Vec<Self>),
    /// Named values.
    Map(Parameters),
}

impl Value {
    /// The text, when it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::None,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => Self::Int(integer),
                (None, Some(float)) if !number.is_u64() => Self::Float(float),
                _ => Self::Text(number.to_string()),
            },
            serde_json::Value::String(text) => Self::Text(text),
            serde_json::Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            serde_json::Value::Object(entries) => {
                Self::Map(entries.into_iter().map(|(name, value)| (name, Self::from(value))).collect())
            }
        }
    }
}

impl From<Value> for serde_json::Value {
    /// A float that JSON cannot write (not a number, infinite) becomes null.
    fn from(value: Value) -> Self {
        match value {
            Value::None => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Int(integer) => Self::from(integer),
            Value::Float(float) => Self::from(float),
            Value::Text(text) => Self::String(text),
            Value::List(items) => Self::Array(items.into_iter().map(Self::from).collect()),
            Value::Map(entries) => {
                Self::Object(entries.into_iter().map(|(name, value)| (name, Self::from(value))).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_goes_there_and_back() {
        let text = r#"{"z":1,"a":[true,null,1.5,"x"],"m":{"k":-3}}"#;
        let json: serde_json::Value = serde_json::from_str(text).unwrap();

        let value = Value::from(json);

        assert_eq!(serde_json::Value::from(value.clone()).to_string(), text);
        assert_eq!(serde_json::to_string(&value).unwrap(), text);
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), value);
    }
}
