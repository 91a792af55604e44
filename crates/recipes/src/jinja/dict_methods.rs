//! The methods of Python's dict.

use std::sync::Arc;

use minijinja::value::Value;
use minijinja::{Error, ErrorKind, State};

use super::arguments::Arguments;
use super::objects::{Dict, View, ViewKind, failure, hashable, iterate, pairs, tuple};
use super::text::repr;

/// The methods that templates take from a dict without calling them.
pub(super) const NAMES: [&str; 9] =
    ["get", "items", "keys", "values", "pop", "setdefault", "update", "__getitem__", "__setitem__"];

/// Calls `dict.name(args)`; a callable stored under `name` comes after the methods.
pub(super) fn call(
    dict: &Arc<Dict>,
    state: &mut State<'_, '_>,
    name: &str,
    args: &[Value],
) -> Result<Value, Error> {
    let arguments = Arguments::new(name, args);
    let key = || hashable(arguments.require(0, "key")?);
    let default = || arguments.get(1, "default").cloned();
    let missing = |key: &Value| failure(format!("KeyError: {}", repr(key)));
    let view = |kind| Ok(Value::from_object(View { dict: Arc::clone(dict), kind }));
    match name {
        "get" => Ok(dict.get(&key()?).or_else(default).unwrap_or_else(|| Value::from(()))),
        "items" => view(ViewKind::Items),
        "keys" => view(ViewKind::Keys),
        "values" => view(ViewKind::Values),
        "__getitem__" => {
            let key = key()?;
            dict.get(&key).ok_or_else(|| missing(&key))
        }
        "__contains__" => Ok(Value::from(dict.get(&key()?).is_some())),
        "__len__" => Ok(Value::from(dict.items().len())),
        "__setitem__" => {
            let (key, value) = (key()?, arguments.require(1, "value")?.clone());
            dict.change(|items| items.insert(key, value));
            Ok(Value::from(()))
        }
        "__delitem__" => {
            let key = key()?;
            dict.change(|items| items.shift_remove(&key))
                .map(|_| Value::from(()))
                .ok_or_else(|| missing(&key))
        }
        "pop" => {
            let key = key()?;
            dict.change(|items| items.shift_remove(&key)).or_else(default).ok_or_else(|| missing(&key))
        }
        "popitem" => match dict.change(indexmap::IndexMap::pop) {
            Some((key, value)) => Ok(tuple(vec![key, value])),
            None => Err(failure("popitem(): dictionary is empty")),
        },
        "setdefault" => {
            let (key, default) = (key()?, default().unwrap_or_else(|| Value::from(())));
            Ok(dict.change(|items| items.entry(key).or_insert(default).clone()))
        }
        "update" => {
            let more = merged(&arguments)?;
            dict.change(|items| items.extend(more));
            Ok(Value::from(()))
        }
        "clear" => {
            dict.change(indexmap::IndexMap::clear);
            Ok(Value::from(()))
        }
        "copy" => Ok(Dict::value(dict.items())),
        _ => match dict.get(&Value::from(name)) {
            Some(stored) => stored.call(state, args),
            None => Err(Error::from(ErrorKind::UnknownMethod)),
        },
    }
}

/// The entries that `dict(…)` and `dict.update(…)` take: a mapping or pairs, then names.
pub(super) fn merged(arguments: &Arguments) -> Result<Vec<(Value, Value)>, Error> {
    let mut entries = match arguments.positional().first() {
        None => Vec::new(),
        Some(source) => match pairs(source) {
            Some(entries) => entries,
            None => iterate(source)?.iter().map(pair).collect::<Result<_, _>>()?,
        },
    };
    entries.extend(arguments.named().iter().map(|(name, value)| (Value::from(name.as_str()), value.clone())));
    Ok(entries)
}

fn pair(item: &Value) -> Result<(Value, Value), Error> {
    match iterate(item)?.as_slice() {
        [key, value] => Ok((hashable(key)?, value.clone())),
        other => Err(failure(format!("a dictionary entry has {} items instead of 2", other.len()))),
    }
}
