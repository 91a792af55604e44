//! Option values as template values, and back.

use buildout::Value as OptionValue;
use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::objects::{AsText, Dict, List, Range, Set, failure, is_mapping, iterate, pairs, tuple, type_name};

/// A typed option as templates see it.
pub(crate) fn from_option(value: &OptionValue) -> Value {
    let items = |items: &[OptionValue]| items.iter().map(from_option).collect::<Vec<_>>();
    match value {
        OptionValue::None => Value::from(()),
        OptionValue::Bool(flag) => Value::from(*flag),
        OptionValue::Int(number) => i64::try_from(*number).map_or_else(|_| Value::from(*number), Value::from),
        OptionValue::Float(number) => Value::from(*number),
        // Templates know no such numbers; what they are good for there is being printed.
        OptionValue::Complex(..) => Value::from(value.representation().unwrap_or_default()),
        OptionValue::Str(text) => Value::from(text.as_str()),
        OptionValue::Bytes(bytes) | OptionValue::ByteArray(bytes) => Value::from_bytes(bytes.clone()),
        OptionValue::List(list) => List::value(items(list)),
        OptionValue::Tuple(list) => tuple(items(list)),
        OptionValue::Set(list) => Set::value(items(list), false),
        OptionValue::FrozenSet(list) => Set::value(items(list), true),
        OptionValue::Dict(entries) => {
            Dict::value(entries.iter().map(|(key, value)| (from_option(key), from_option(value))))
        }
    }
}

// Deeper than any parameter; a list may contain itself.
const DEEPEST: usize = 100;

/// A template's value as a typed option.
pub(super) fn to_option(value: &Value) -> Result<OptionValue, Error> {
    convert(value, 0)
}

fn convert(value: &Value, depth: usize) -> Result<OptionValue, Error> {
    let refuse = || failure(format!("a value of type '{}' cannot be serialised", type_name(value)));
    if depth > DEEPEST {
        return Err(failure("a value that is nested too deeply, or contains itself, cannot be serialised"));
    }
    let items = || iterate(value)?.iter().map(|item| convert(item, depth + 1)).collect::<Result<Vec<_>, _>>();
    Ok(match value.kind() {
        ValueKind::None => OptionValue::None,
        ValueKind::Bool => OptionValue::Bool(value.is_true()),
        ValueKind::Number if value.is_integer() => {
            OptionValue::Int(i128::try_from(value.clone()).map_err(|_| refuse())?)
        }
        ValueKind::Number => OptionValue::Float(f64::try_from(value.clone()).map_err(|_| refuse())?),
        ValueKind::String => OptionValue::Str(value.as_text().unwrap_or_default().to_owned()),
        ValueKind::Bytes => OptionValue::Bytes(value.as_bytes().unwrap_or_default().to_vec()),
        ValueKind::Seq if value.downcast_object_ref::<Range>().is_some() => return Err(refuse()),
        ValueKind::Seq if value.is_tuple() => OptionValue::Tuple(items()?),
        ValueKind::Seq => OptionValue::List(items()?),
        ValueKind::Map if is_mapping(value) => {
            let entries = pairs(value).unwrap_or_default();
            let converted =
                entries.iter().map(|(key, item)| Ok((convert(key, depth + 1)?, convert(item, depth + 1)?)));
            OptionValue::Dict(converted.collect::<Result<_, Error>>()?)
        }
        _ => match value.downcast_object_ref::<Set>() {
            Some(set) if set.is_frozen => OptionValue::FrozenSet(items()?),
            Some(_) => OptionValue::Set(items()?),
            None => return Err(refuse()),
        },
    })
}
