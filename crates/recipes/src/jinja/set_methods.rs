//! The methods of Python's set and frozenset.

use std::sync::Arc;

use indexmap::IndexSet;
use minijinja::value::Value;
use minijinja::{Error, ErrorKind};

use super::arguments::Arguments;
use super::objects::{Set, failure, hashable, iterate};
use super::text::repr;

/// Calls `set.name(args)`.
pub(super) fn call(set: &Arc<Set>, name: &str, args: &[Value]) -> Result<Value, Error> {
    let arguments = Arguments::new(name, args);
    let changes =
        ["add", "discard", "remove", "pop", "clear", "update", "difference_update", "intersection_update"];
    if set.is_frozen && changes.contains(&name) {
        return Err(failure(format!("'frozenset' object has no attribute '{name}'")));
    }
    let item = || hashable(arguments.require(0, "elem")?);
    let others = || -> Result<Vec<IndexSet<Value>>, Error> {
        arguments.positional().iter().map(|other| Ok(iterate(other)?.into_iter().collect())).collect()
    };
    let first = || -> Result<IndexSet<Value>, Error> {
        Ok(iterate(arguments.require(0, "iterable")?)?.into_iter().collect())
    };
    let own = set.items();
    let result = |items: Vec<Value>| Ok(Set::value(items, set.is_frozen));
    match name {
        "add" => change(set, item()?, |items, item| {
            items.insert(item);
        }),
        "discard" => change(set, item()?, |items, item| {
            items.shift_remove(&item);
        }),
        "remove" => {
            let item = item()?;
            if set.change(|items| items.shift_remove(&item)) {
                Ok(Value::from(()))
            } else {
                Err(failure(format!("KeyError: {}", repr(&item))))
            }
        }
        "clear" => {
            set.change(IndexSet::clear);
            Ok(Value::from(()))
        }
        "update" => {
            let others = others()?;
            set.change(|items| items.extend(others.into_iter().flatten()));
            Ok(Value::from(()))
        }
        "copy" => result(own.into_iter().collect()),
        "union" => result(own.into_iter().chain(others()?.into_iter().flatten()).collect()),
        "intersection" => {
            let others = others()?;
            result(own.into_iter().filter(|item| others.iter().all(|other| other.contains(item))).collect())
        }
        "difference" => {
            let others = others()?;
            result(own.into_iter().filter(|item| !others.iter().any(|other| other.contains(item))).collect())
        }
        "symmetric_difference" => result(own.symmetric_difference(&first()?).cloned().collect()),
        "issubset" => Ok(Value::from(own.is_subset(&first()?))),
        "issuperset" => Ok(Value::from(own.is_superset(&first()?))),
        "isdisjoint" => Ok(Value::from(own.is_disjoint(&first()?))),
        "__contains__" => Ok(Value::from(own.contains(&item()?))),
        "__len__" => Ok(Value::from(own.len())),
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn change(set: &Set, item: Value, change: impl FnOnce(&mut IndexSet<Value>, Value)) -> Result<Value, Error> {
    set.change(|items| change(items, item));
    Ok(Value::from(()))
}
