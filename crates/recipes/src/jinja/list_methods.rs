//! The methods of Python's list.

use std::sync::Arc;

use minijinja::value::Value;
use minijinja::{Error, ErrorKind, State};

use super::arguments::Arguments;
use super::objects::{List, failure, iterate};
use super::order::{equal, sort_by_key};

/// The methods that templates take from a list without calling them.
pub(super) const NAMES: [&str; 8] =
    ["append", "extend", "insert", "pop", "remove", "index", "count", "__setitem__"];

/// Calls `list.name(args)`.
pub(super) fn call(
    list: &Arc<List>,
    state: &mut State<'_, '_>,
    name: &str,
    args: &[Value],
) -> Result<Value, Error> {
    let arguments = Arguments::new(name, args);
    let none = Value::from(());
    match name {
        "append" => {
            let item = arguments.require(0, "object")?.clone();
            list.change(|items| items.push(item));
            Ok(none)
        }
        "extend" | "__iadd__" => {
            let more = iterate(arguments.require(0, "iterable")?)?;
            list.change(|items| items.extend(more));
            Ok(none)
        }
        "insert" => {
            let (at, item) = (arguments.integer(0, "index")?, arguments.require(1, "object")?.clone());
            list.change(|items| {
                let at = clamped(at, items.len());
                items.insert(at, item);
            });
            Ok(none)
        }
        "pop" => {
            let at = arguments.optional_integer(0, "index")?.unwrap_or(-1);
            list.change(|items| position(at, items.len()).map(|at| items.remove(at)))
                .ok_or_else(|| failure("pop index out of range"))
        }
        "remove" => {
            let at = index_of(list, arguments.require(0, "value")?)
                .ok_or_else(|| failure("list.remove(x): x not in list"))?;
            list.change(|items| items.remove(at));
            Ok(none)
        }
        "clear" => {
            list.change(Vec::clear);
            Ok(none)
        }
        "reverse" => {
            list.change(|items| items.reverse());
            Ok(none)
        }
        "copy" => Ok(List::value(list.items())),
        "sort" => {
            let sorted = sorted(state, list.items(), &arguments)?;
            list.change(|items| *items = sorted);
            Ok(none)
        }
        "index" => {
            let found = index_of(list, arguments.require(0, "value")?)
                .ok_or_else(|| failure("value is not in list"))?;
            Ok(Value::from(found))
        }
        "count" => {
            let wanted = arguments.require(0, "value")?;
            Ok(Value::from(list.items().iter().filter(|item| equal(item, wanted)).count()))
        }
        "__getitem__" => item(list, &arguments, |items, at| items[at].clone()),
        "__delitem__" => item(list, &arguments, |items, at| {
            items.remove(at);
            Value::from(())
        }),
        "__setitem__" => {
            let value = arguments.require(1, "value")?.clone();
            item(list, &arguments, |items, at| {
                items[at] = value;
                Value::from(())
            })
        }
        "__len__" => Ok(Value::from(list.items().len())),
        "__contains__" => Ok(Value::from(index_of(list, arguments.require(0, "value")?).is_some())),
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn item(
    list: &List,
    arguments: &Arguments,
    action: impl FnOnce(&mut Vec<Value>, usize) -> Value,
) -> Result<Value, Error> {
    let at = arguments.integer(0, "index")?;
    list.change(|items| position(at, items.len()).map(|at| action(items, at)))
        .ok_or_else(|| failure("list index out of range"))
}

fn index_of(list: &List, wanted: &Value) -> Option<usize> {
    list.items().iter().position(|item| equal(item, wanted))
}

/// The place that `index` names, counted from the end when it is negative.
pub(super) fn position(index: i64, length: usize) -> Option<usize> {
    let from_start = if index < 0 {
        length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?
    } else {
        usize::try_from(index).ok()?
    };
    (from_start < length).then_some(from_start)
}

fn clamped(index: i64, length: usize) -> usize {
    match usize::try_from(index) {
        Ok(index) => index.min(length),
        Err(_) => length.saturating_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX)),
    }
}

/// The items in order, as `sorted(items, key=…, reverse=…)`.
pub(super) fn sorted(
    state: &mut State<'_, '_>,
    items: Vec<Value>,
    arguments: &Arguments,
) -> Result<Vec<Value>, Error> {
    let key = arguments.by_name("key").filter(|key| !key.is_none());
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        let by = match key {
            Some(key) => key.call(state, std::slice::from_ref(&item))?,
            None => item.clone(),
        };
        keyed.push((by, item));
    }
    sort_by_key(&mut keyed, arguments.by_name("reverse").is_some_and(Value::is_true))?;
    Ok(keyed.into_iter().map(|(_, item)| item).collect())
}
