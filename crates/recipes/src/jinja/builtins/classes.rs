//! Python's types as values that can be called, and `isinstance`.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, State};

use super::{Body, Builtin};
use crate::jinja::arguments::{Arguments, integer};
use crate::jinja::dict_methods::merged;
use crate::jinja::number::{Number, parse_integer, truncated, whole};
use crate::jinja::objects::{AsText, Dict, List, Range, Set, failure, hashable, iterate, tuple, type_name};
use crate::jinja::operators::defined;
use crate::jinja::string_methods;
use crate::jinja::text::{display, repr};

/// The types, under their names.
pub(in crate::jinja) fn types() -> Vec<(&'static str, Value)> {
    let types: [(&'static str, Body); 12] = [
        ("bool", |_, args| Ok(Value::from(args.get(0, "x").is_some_and(Value::is_true)))),
        ("bytes", bytes),
        ("complex", |_, _| Err(failure("complex numbers are not supported"))),
        ("dict", |_, args| merged(args).map(Dict::value)),
        ("float", float),
        ("frozenset", |_, args| set(args, true)),
        ("int", int),
        ("list", |_, args| args.get(0, "iterable").map_or(Ok(Vec::new()), iterate).map(List::value)),
        ("range", range),
        ("set", |_, args| set(args, false)),
        ("str", str),
        ("tuple", |_, args| args.get(0, "iterable").map_or(Ok(Vec::new()), iterate).map(tuple)),
    ];
    types.into_iter().map(|(name, body)| (name, Builtin::class(name, body))).collect()
}

fn bytes(_: &mut State<'_, '_>, args: &Arguments) -> Result<Value, Error> {
    match args.get(0, "source") {
        None => Ok(Value::from_bytes(Vec::new())),
        Some(text) if text.as_text().is_some() => {
            string_methods::encode(args.text(0, "source")?, Some(args.text(1, "encoding")?))
        }
        Some(bytes) if bytes.kind() == ValueKind::Bytes => Ok(bytes.clone()),
        Some(other) => {
            let numbers = iterate(other)?;
            let bytes = numbers.iter().map(|number| {
                u8::try_from(integer(number)?).map_err(|_| failure("bytes must be in range(0, 256)"))
            });
            bytes.collect::<Result<Vec<u8>, _>>().map(Value::from_bytes)
        }
    }
}

fn set(args: &Arguments, is_frozen: bool) -> Result<Value, Error> {
    let items = args.get(0, "iterable").map_or(Ok(Vec::new()), iterate)?;
    Ok(Set::value(items.iter().map(hashable).collect::<Result<Vec<_>, _>>()?, is_frozen))
}

fn str(state: &mut State<'_, '_>, args: &Arguments) -> Result<Value, Error> {
    let Some(value) = args.get(0, "object") else { return Ok(Value::from("")) };
    defined(state, value)?;
    if value.kind() == ValueKind::Bytes && args.get(1, "encoding").is_some() {
        return string_methods::decode(
            value.as_bytes().unwrap_or_default(),
            args.optional_text(1, "encoding")?,
        );
    }
    Ok(Value::from(display(value)))
}

fn float(_: &mut State<'_, '_>, args: &Arguments) -> Result<Value, Error> {
    let Some(value) = args.get(0, "x") else { return Ok(Value::from(0.0)) };
    if let Some(number) = Number::of(value) {
        return Ok(Value::from(number.float()));
    }
    let text = value.as_text().ok_or_else(|| {
        failure(format!("float() argument must be a string or a number, not '{}'", type_name(value)))
    })?;
    text.trim()
        .replace('_', "")
        .parse::<f64>()
        .map(Value::from)
        .map_err(|_| failure(format!("could not convert string to float: {}", repr(value))))
}

fn int(_: &mut State<'_, '_>, args: &Arguments) -> Result<Value, Error> {
    let Some(value) = args.get(0, "x") else { return Ok(Value::from(0)) };
    if let (None, Some(number)) = (args.get(1, "base"), Number::of(value)) {
        return match number {
            Number::Integer(number) => Ok(whole(number)),
            Number::Float(number) => truncated(number)
                .map(whole)
                .ok_or_else(|| failure("this float cannot be converted to an integer")),
        };
    }
    let base = args.optional_integer(1, "base")?.unwrap_or(10);
    let text = value.as_text().ok_or_else(|| {
        failure(format!(
            "int() argument must be a string, a bytes-like object or a real number, not '{}'",
            type_name(value)
        ))
    })?;
    parse_integer(text, base)
        .map(whole)
        .ok_or_else(|| failure(format!("invalid literal for int() with base {base}: {}", repr(value))))
}

fn range(_: &mut State<'_, '_>, args: &Arguments) -> Result<Value, Error> {
    let bounds: Vec<i64> = args.positional().iter().map(integer).collect::<Result<_, _>>()?;
    let (start, stop, step) = match bounds[..] {
        [stop] => (0, stop, 1),
        [start, stop] => (start, stop, 1),
        [start, stop, step] => (start, stop, step),
        _ => return Err(failure("range expected 1 to 3 arguments")),
    };
    if step == 0 {
        return Err(failure("range() arg 3 must not be zero"));
    }
    Ok(Value::from_object(Range { start, stop, step }))
}

/// `isinstance(value, class)`.
pub(super) fn is_instance(value: &Value, class: &Value) -> Result<bool, Error> {
    if class.is_tuple() {
        return iterate(class)?
            .iter()
            .try_fold(false, |found, class| Ok(found || is_instance(value, class)?));
    }
    let class = class.downcast_object_ref::<Builtin>().filter(|class| class.is_type);
    let class = class.ok_or_else(|| failure("isinstance() arg 2 must be a type or a tuple of types"))?;
    let found = type_name(value);
    Ok(found == class.name || (found == "bool" && class.name == "int"))
}
