//! The filters that go through items: they choose, sort, group and join them.

use minijinja::value::Value;
use minijinja::{Error, State};

use crate::jinja::arguments::Arguments;
use crate::jinja::checks::comparison;
use crate::jinja::objects::{AsText, Cursor, List, failure, iterate, pairs, tuple, type_name};
use crate::jinja::operators::{add, defined};
use crate::jinja::order::{equal, holds, is_ordered, sort_by_key};
use crate::jinja::text::display;

pub(super) fn batch(_: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
    let size = usize::try_from(args.integer(0, "linecount")?).ok().filter(|size| *size > 0);
    let size = size.ok_or_else(|| failure("the filter `batch` needs a positive number"))?;
    let fill = args.get(1, "fill_with").filter(|fill| !fill.is_none());
    let mut rows: Vec<Vec<Value>> = iterate(value)?.chunks(size).map(<[Value]>::to_vec).collect();
    if let (Some(last), Some(fill)) = (rows.last_mut(), fill) {
        last.resize(size, fill.clone());
    }
    Ok(Cursor::value(rows.into_iter().map(List::value)))
}

/// A value as sorting and grouping compare it: text without case unless asked otherwise.
fn comparable(value: &Value, case_sensitive: bool) -> Value {
    match value.as_text() {
        Some(text) if !case_sensitive => Value::from(text.to_lowercase()),
        _ => value.clone(),
    }
}

pub(super) fn dictsort(_: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
    let case_sensitive = args.flag(0, "case_sensitive", false);
    let by_value = match args.optional_text(1, "by")?.unwrap_or("key") {
        "key" => false,
        "value" => true,
        _ => return Err(failure("You can only sort by either \"key\" or \"value\"")),
    };
    let entries = pairs(value)
        .ok_or_else(|| failure(format!("'{}' object has no attribute 'items'", type_name(value))))?;
    let mut keyed: Vec<_> = entries
        .into_iter()
        .map(|(key, value)| {
            (comparable(if by_value { &value } else { &key }, case_sensitive), tuple(vec![key, value]))
        })
        .collect();
    sort_by_key(&mut keyed, args.flag(2, "reverse", false))?;
    Ok(List::value(keyed.into_iter().map(|(_, item)| item).collect()))
}

/// The attribute that filters such as `map(attribute='a.b')` name: steps separated by dots, numbers being indexes.
fn attribute(item: &Value, path: &Value) -> Result<Value, Error> {
    let Some(text) = path.as_text() else { return item.get_item(path) };
    text.split('.').try_fold(item.clone(), |value, step| {
        step.parse::<usize>()
            .map_or_else(|_| value.get_item(&Value::from(step)), |index| value.get_item(&Value::from(index)))
    })
}

pub(super) fn groupby(state: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
    args.limit(1, &["attribute"])?;
    let path = args.require(0, "attribute")?;
    let mut keyed = Vec::new();
    for item in iterate(value)? {
        let key = attribute(&item, path)?;
        defined(state, &key)?;
        keyed.push((comparable(&key, false), item));
    }
    sort_by_key(&mut keyed, false)?;
    let mut groups: Vec<(Value, Value, Vec<Value>)> = Vec::new();
    for (key, item) in keyed {
        match groups.last_mut().filter(|(last, _, _)| equal(last, &key)) {
            Some((_, _, items)) => items.push(item),
            None => groups.push((key, attribute(&item, path)?, vec![item])),
        }
    }
    Ok(List::value(
        groups.into_iter().map(|(_, shown, items)| tuple(vec![shown, List::value(items)])).collect(),
    ))
}

pub(super) fn join(state: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
    let separator = args.get(0, "d").map(display).unwrap_or_default();
    let path = args.get(1, "attribute").filter(|path| !path.is_none());
    let mut parts = Vec::new();
    for item in iterate(value)? {
        let item = match path {
            Some(path) => attribute(&item, path)?,
            None => item,
        };
        defined(state, &item)?;
        parts.push(display(&item));
    }
    Ok(Value::from(parts.join(&separator)))
}

pub(super) fn map(state: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
    let mut mapped = Vec::new();
    for item in iterate(value)? {
        mapped.push(match (args.positional().split_first(), args.by_name("attribute")) {
            (Some((filter, rest)), _) => {
                let filter =
                    filter.as_text().ok_or_else(|| failure("the filter `map` needs the name of a filter"))?;
                if !args.named().is_empty() {
                    return Err(failure("names of arguments in `map` are not supported"));
                }
                let mut values = vec![item];
                values.extend_from_slice(rest);
                state.apply_filter(filter, &values)?
            }
            (None, Some(path)) => {
                let found = attribute(&item, path)?;
                if found.is_undefined() { args.by_name("default").cloned().unwrap_or(found) } else { found }
            }
            (None, None) => return Err(failure("map requires a filter argument")),
        });
    }
    Ok(Cursor::value(mapped.into_iter()))
}

pub(super) fn select(
    state: &mut State<'_, '_>,
    value: &Value,
    args: &Arguments,
    by_attribute: bool,
    keep: bool,
) -> Result<Value, Error> {
    let (path, rest) = match args.positional().split_first() {
        Some((path, rest)) if by_attribute => (Some(path), rest),
        None if by_attribute => return Err(failure("Missing parameter for attribute name")),
        _ => (None, args.positional()),
    };
    let mut kept = Vec::new();
    for item in iterate(value)? {
        let tested = match path {
            Some(path) => attribute(&item, path)?,
            None => item.clone(),
        };
        let holds = match rest.split_first() {
            None => {
                defined(state, &tested)?;
                tested.is_true()
            }
            Some((test, arguments)) => {
                let test = test.as_text().ok_or_else(|| failure("the name of a test must be a string"))?;
                perform(state, test, &tested, arguments)?
            }
        };
        if holds == keep {
            kept.push(item);
        }
    }
    Ok(Cursor::value(kept.into_iter()))
}

fn perform(state: &mut State<'_, '_>, test: &str, value: &Value, arguments: &[Value]) -> Result<bool, Error> {
    let Some(operator) = comparison(test) else {
        let mut values = vec![value.clone()];
        values.extend_from_slice(arguments);
        return state.perform_test(test, &values);
    };
    let other = arguments.first().ok_or_else(|| failure(format!("the test `{test}` needs an argument")))?;
    defined(state, value)?;
    holds(operator, value, other)
}

pub(super) fn extreme(value: &Value, args: &Arguments, operator: &str) -> Result<Value, Error> {
    let case_sensitive = args.flag(0, "case_sensitive", false);
    let path = args.by_name("attribute");
    let mut best: Option<(Value, Value)> = None;
    for item in iterate(value)? {
        let by = path.map_or_else(|| Ok(item.clone()), |path| attribute(&item, path))?;
        let by = comparable(&by, case_sensitive);
        let is_better = match &best {
            None => true,
            Some((other, _)) => is_ordered(operator, &by, other)?,
        };
        if is_better {
            best = Some((by, item));
        }
    }
    Ok(best.map_or(Value::UNDEFINED, |(_, item)| item))
}

pub(super) fn sort(_: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
    let (reverse, case_sensitive) = (args.flag(0, "reverse", false), args.flag(1, "case_sensitive", false));
    let path = args.get(2, "attribute").filter(|path| !path.is_none());
    let paths: Option<Vec<Value>> = path.map(|path| match path.as_text() {
        Some(text) => text.split(',').map(|path| Value::from(path.trim())).collect(),
        None => vec![path.clone()],
    });
    let mut keyed = Vec::new();
    for item in iterate(value)? {
        let key = match &paths {
            None => comparable(&item, case_sensitive),
            Some(paths) => {
                let keys: Result<Vec<_>, Error> = paths
                    .iter()
                    .map(|path| Ok(comparable(&attribute(&item, path)?, case_sensitive)))
                    .collect();
                List::value(keys?)
            }
        };
        keyed.push((key, item));
    }
    sort_by_key(&mut keyed, reverse)?;
    Ok(List::value(keyed.into_iter().map(|(_, item)| item).collect()))
}

pub(super) fn sum(_: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
    let path = args.get(0, "attribute").filter(|path| !path.is_none());
    let start = args.get(1, "start").cloned().unwrap_or_else(|| Value::from(0));
    iterate(value)?.iter().try_fold(start, |total, item| match path {
        Some(path) => add(&total, &attribute(item, path)?),
        None => add(&total, item),
    })
}

pub(super) fn unique(_: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
    let case_sensitive = args.flag(0, "case_sensitive", false);
    let path = args.get(1, "attribute").filter(|path| !path.is_none());
    let mut seen: Vec<Value> = Vec::new();
    let mut kept = Vec::new();
    for item in iterate(value)? {
        let key = path.map_or_else(|| Ok(item.clone()), |path| attribute(&item, path))?;
        let key = comparable(&key, case_sensitive);
        if !seen.iter().any(|other| equal(other, &key)) {
            seen.push(key);
            kept.push(item);
        }
    }
    Ok(Cursor::value(kept.into_iter()))
}
