//! The parameters of calls, each of the kind that its method wants.

use crate::supervisor::xml_rpc::{Fault, Value, code};

fn incorrect() -> Fault {
    Fault::new(code::INCORRECT_PARAMETERS, "")
}

pub(super) fn nothing(parameters: &[Value], value: Value) -> Result<Value, Fault> {
    if parameters.is_empty() { Ok(value) } else { Err(incorrect()) }
}

pub(super) fn text(parameters: &[Value], at: usize, count: usize) -> Result<&str, Fault> {
    if parameters.len() != count {
        return Err(incorrect());
    }
    parameters.get(at).and_then(Value::as_text).ok_or_else(incorrect)
}

/// The first of at least one and at most `1 + more` parameters.
pub(super) fn text_of_optional(parameters: &[Value], more: usize) -> Result<&str, Fault> {
    if parameters.len() > 1 + more {
        return Err(incorrect());
    }
    parameters.first().and_then(Value::as_text).ok_or_else(incorrect)
}

pub(super) fn number(parameters: &[Value], at: usize, count: usize) -> Result<i64, Fault> {
    if parameters.len() != count {
        return Err(incorrect());
    }
    parameters.get(at).and_then(Value::as_integer).ok_or_else(incorrect)
}

pub(super) fn truth_or(parameters: &[Value], at: usize, default: bool) -> Result<bool, Fault> {
    match parameters.get(at) {
        None => Ok(default),
        Some(Value::Boolean(truth)) => Ok(*truth),
        Some(Value::Integer(number)) => Ok(*number != 0),
        Some(_) => Err(incorrect()),
    }
}
