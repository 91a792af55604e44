//! The arguments of a call, by position and by name.

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::objects::{AsText, failure, pairs, type_name};

/// What a template passed to the function or method `name`.
#[derive(Debug)]
pub(super) struct Arguments {
    name: String,
    positional: Vec<Value>,
    named: Vec<(String, Value)>,
}

impl Arguments {
    pub(super) fn new(name: &str, values: &[Value]) -> Self {
        let (positional, named) = match values.split_last() {
            Some((last, rest)) if last.is_kwargs() => (rest, pairs(last).unwrap_or_default()),
            _ => (values, Vec::new()),
        };
        let named = named
            .into_iter()
            .map(|(key, value)| (key.as_text().unwrap_or_default().to_owned(), value))
            .collect();
        Self { name: name.to_owned(), positional: positional.to_vec(), named }
    }

    /// Refuses more than `most` arguments by position, and names other than `names`.
    pub(super) fn limit(&self, most: usize, names: &[&str]) -> Result<(), Error> {
        if self.positional.len() > most {
            return Err(failure(format!("{}() takes at most {most} arguments", self.name)));
        }
        match self.named.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            Some((name, _)) => {
                Err(failure(format!("{}() got an unexpected keyword argument '{name}'", self.name)))
            }
            None => Ok(()),
        }
    }

    pub(super) fn positional(&self) -> &[Value] {
        &self.positional
    }

    pub(super) fn named(&self) -> &[(String, Value)] {
        &self.named
    }

    /// The argument at `index`, or the one called `name`.
    pub(super) fn get(&self, index: usize, name: &str) -> Option<&Value> {
        self.positional.get(index).or_else(|| self.by_name(name))
    }

    pub(super) fn by_name(&self, name: &str) -> Option<&Value> {
        self.named.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    pub(super) fn require(&self, index: usize, name: &str) -> Result<&Value, Error> {
        self.get(index, name).ok_or_else(|| failure(format!("{}() misses its argument '{name}'", self.name)))
    }

    pub(super) fn text(&self, index: usize, name: &str) -> Result<&str, Error> {
        let value = self.require(index, name)?;
        value.as_text().ok_or_else(|| self.wrong_type(name, "a string", value))
    }

    /// A text that may be absent or None.
    pub(super) fn optional_text(&self, index: usize, name: &str) -> Result<Option<&str>, Error> {
        match self.get(index, name) {
            None => Ok(None),
            Some(value) if value.is_none() => Ok(None),
            Some(value) => value.as_text().map(Some).ok_or_else(|| self.wrong_type(name, "a string", value)),
        }
    }

    pub(super) fn integer(&self, index: usize, name: &str) -> Result<i64, Error> {
        integer(self.require(index, name)?)
    }

    /// A number that may be absent or None.
    pub(super) fn optional_integer(&self, index: usize, name: &str) -> Result<Option<i64>, Error> {
        match self.get(index, name) {
            None => Ok(None),
            Some(value) if value.is_none() => Ok(None),
            Some(value) => integer(value).map(Some),
        }
    }

    pub(super) fn flag(&self, index: usize, name: &str, default: bool) -> bool {
        self.get(index, name).map_or(default, Value::is_true)
    }

    fn wrong_type(&self, name: &str, expected: &str, found: &Value) -> Error {
        failure(format!("{}(): '{name}' must be {expected}, not {}", self.name, type_name(found)))
    }
}

/// A value as an integer, booleans included.
pub(super) fn integer(value: &Value) -> Result<i64, Error> {
    let number = match value.kind() {
        ValueKind::Bool => Some(i64::from(value.is_true())),
        ValueKind::Number if value.is_integer() => value.as_i64(),
        _ => None,
    };
    number
        .ok_or_else(|| failure(format!("'{}' object cannot be interpreted as an integer", type_name(value))))
}
