//! The functions that go through sequences and iterators.

use minijinja::value::Value;
use minijinja::{Error, State};

use crate::jinja::arguments::Arguments;
use crate::jinja::objects::{Cursor, failure, iterate, tuple, type_name};
use crate::jinja::order::is_ordered;

pub(super) fn filter(state: &mut State<'_, '_>, args: &Arguments) -> Result<Value, Error> {
    let function = args.require(0, "function")?;
    let mut kept = Vec::new();
    for item in iterate(args.require(1, "iterable")?)? {
        let is_kept = if function.is_none() {
            item.is_true()
        } else {
            function.call(state, std::slice::from_ref(&item))?.is_true()
        };
        if is_kept {
            kept.push(item);
        }
    }
    Ok(Cursor::value(kept.into_iter()))
}

pub(super) fn map(state: &mut State<'_, '_>, args: &Arguments) -> Result<Value, Error> {
    let function = args.require(0, "function")?;
    let rows = rows(args.positional().get(1..).unwrap_or_default())?;
    let mapped: Result<Vec<_>, _> = rows.into_iter().map(|row| function.call(state, &row)).collect();
    Ok(Cursor::value(mapped?.into_iter()))
}

pub(super) fn zip(args: &Arguments) -> Result<Value, Error> {
    args.limit(usize::MAX, &[])?;
    Ok(Cursor::value(rows(args.positional())?.into_iter().map(tuple)))
}

/// The first items of every sequence, then the second ones, up to the shortest. Endless iterators are read only as far
/// as the others reach.
fn rows(sequences: &[Value]) -> Result<Vec<Vec<Value>>, Error> {
    let mut columns = Vec::new();
    for sequence in sequences {
        columns.push(match sequence.downcast_object::<Cursor>() {
            Some(cursor) => {
                Box::new(std::iter::from_fn(move || cursor.next())) as Box<dyn Iterator<Item = Value>>
            }
            None => Box::new(iterate(sequence)?.into_iter()),
        });
    }
    let mut rows = Vec::new();
    while !columns.is_empty() {
        let row: Option<Vec<Value>> = columns.iter_mut().map(Iterator::next).collect();
        match row {
            Some(row) => rows.push(row),
            None => break,
        }
    }
    Ok(rows)
}

pub(super) fn extreme(state: &mut State<'_, '_>, args: &Arguments, operator: &str) -> Result<Value, Error> {
    let items = match args.positional() {
        [only] => iterate(only)?,
        several => several.to_vec(),
    };
    let key = args.by_name("key").filter(|key| !key.is_none());
    let mut best: Option<(Value, Value)> = None;
    for item in items {
        let by = match key {
            Some(key) => key.call(state, std::slice::from_ref(&item))?,
            None => item.clone(),
        };
        let is_better = match &best {
            None => true,
            Some((other, _)) => is_ordered(operator, &by, other)?,
        };
        if is_better {
            best = Some((by, item));
        }
    }
    best.map(|(_, item)| item)
        .or_else(|| args.by_name("default").cloned())
        .ok_or_else(|| failure("the sequence is empty"))
}

pub(super) fn next(_: &mut State<'_, '_>, args: &Arguments) -> Result<Value, Error> {
    let iterator = args.require(0, "iterator")?;
    let cursor = iterator.downcast_object_ref::<Cursor>();
    let cursor =
        cursor.ok_or_else(|| failure(format!("'{}' object is not an iterator", type_name(iterator))))?;
    cursor.next().or_else(|| args.get(1, "default").cloned()).ok_or_else(|| failure("StopIteration"))
}
