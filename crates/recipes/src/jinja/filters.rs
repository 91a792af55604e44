//! Jinja2's filters with Python's meaning. A filter that is not here is an error, never a different result.

use minijinja::value::{Rest, Value, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, State};

use super::arguments::Arguments;
use super::builtins::{length, parse_integer};
use super::modules::json;
use super::objects::{AsText, Cursor, List, failure, is_mapping, iterate, pairs, tuple, type_name};
use super::operators::{Number, add, defined, equal, holds, order, sort_by_key, whole};
use super::string_methods::{capitalized, title};
use super::text::display;

type Body = fn(&mut State<'_, '_>, &Value, &Arguments) -> Result<Value, Error>;

/// Makes the filters known to `environment`.
pub(super) fn register(environment: &mut Environment<'_>) {
    for (name, body) in FILTERS {
        environment.add_filter(
            name,
            move |state: &mut State<'_, '_>, value: &Value, rest: Rest<ValueOrKwargs>| {
                let rest: Vec<Value> = rest.0.into_iter().map(ValueOrKwargs::into_value).collect();
                if !matches!(name, "default" | "d") {
                    defined(state, value)?;
                }
                body(state, value, &Arguments::new(name, &rest))
            },
        );
    }
}

const FILTERS: [(&str, Body); 46] = [
    ("abs", |_, value, _| match Number::of(value) {
        Some(Number::Integer(number)) => Ok(whole(number.abs())),
        Some(Number::Float(number)) => Ok(Value::from(number.abs())),
        None => Err(failure(format!("bad operand type for abs(): '{}'", type_name(value)))),
    }),
    ("attr", |_, value, args| value.get_attr(args.text(0, "name")?)),
    ("batch", batch),
    ("capitalize", |_, value, _| Ok(Value::from(capitalized(&display(value))))),
    ("count", |_, value, _| length(value)),
    ("d", default),
    ("default", default),
    ("dictsort", dictsort),
    ("e", escape),
    ("escape", escape),
    ("first", |_, value, _| Ok(iterate(value)?.into_iter().next().unwrap_or(Value::UNDEFINED))),
    ("float", |_, value, args| {
        let number = Number::of(value).map(Number::float).or_else(|| value.as_text()?.trim().parse().ok());
        Ok(number
            .map_or_else(|| args.get(0, "default").cloned().unwrap_or_else(|| Value::from(0.0)), Value::from))
    }),
    ("format", |_, value, args| {
        let format = value.as_text().ok_or_else(|| failure("the filter `format` needs a string"))?;
        super::percent::format(format, &tuple(args.positional().to_vec())).map(Value::from)
    }),
    ("groupby", groupby),
    ("indent", indent),
    ("int", int),
    ("items", |_, value, _| {
        let entries = pairs(value).ok_or_else(|| failure("Can only get item pairs from a mapping."))?;
        Ok(Cursor::value(entries.into_iter().map(|(key, value)| tuple(vec![key, value]))))
    }),
    ("join", join),
    ("last", |_, value, _| Ok(iterate(value)?.pop().unwrap_or(Value::UNDEFINED))),
    ("length", |_, value, _| length(value)),
    ("list", |_, value, _| iterate(value).map(List::value)),
    ("lower", |_, value, _| Ok(Value::from(display(value).to_lowercase()))),
    ("map", map),
    ("max", |_, value, args| extreme(value, args, ">")),
    ("min", |_, value, args| extreme(value, args, "<")),
    ("reject", |state, value, args| select(state, value, args, false, false)),
    ("rejectattr", |state, value, args| select(state, value, args, true, false)),
    ("replace", |_, value, args| {
        let (text, old, new) = (display(value), args.text(0, "old")?, args.text(1, "new")?);
        Ok(Value::from(
            match args.optional_integer(2, "count")?.and_then(|count| usize::try_from(count).ok()) {
                Some(count) => text.replacen(old, new, count),
                None => text.replace(old, new),
            },
        ))
    }),
    ("reverse", |_, value, _| match value.as_text() {
        Some(text) => Ok(Value::from(text.chars().rev().collect::<String>())),
        None => Ok(Cursor::value(iterate(value)?.into_iter().rev())),
    }),
    ("round", round),
    ("safe", |_, value, _| Ok(Value::from_safe_string(display(value)))),
    ("select", |state, value, args| select(state, value, args, false, true)),
    ("selectattr", |state, value, args| select(state, value, args, true, true)),
    ("sort", sort),
    ("string", |_, value, _| {
        Ok(if value.as_text().is_some() { value.clone() } else { Value::from(display(value)) })
    }),
    ("striptags", |_, _, _| Err(failure("the filter `striptags` is not supported"))),
    ("sum", sum),
    ("title", |_, value, _| jinja_title(&display(value))),
    ("tojson", |_, value, args| {
        let text = json::dumps_sorted(value, args.optional_integer(0, "indent")?)?;
        let text = text
            .replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026")
            .replace('\'', "\\u0027");
        Ok(Value::from_safe_string(text))
    }),
    ("trim", |_, value, args| {
        let text = display(value);
        let drop = args.optional_text(0, "chars")?;
        Ok(Value::from(
            text.trim_matches(|next: char| drop.map_or(next.is_whitespace(), |drop| drop.contains(next))),
        ))
    }),
    ("unique", unique),
    ("upper", |_, value, _| Ok(Value::from(display(value).to_uppercase()))),
    ("urlencode", |_, value, _| super::modules::url::urlencode_filter(value).map(Value::from)),
    ("wordcount", |_, value, _| {
        let text = display(value);
        let is_word = |next: char| next == '_' || next.is_alphanumeric();
        Ok(Value::from(text.split(|next| !is_word(next)).filter(|word| !word.is_empty()).count()))
    }),
    ("center", |_, value, args| {
        let width = usize::try_from(args.optional_integer(0, "width")?.unwrap_or(80)).unwrap_or(0);
        let text = display(value);
        let missing = width.saturating_sub(text.chars().count());
        let left = missing / 2 + (missing & width & 1);
        Ok(Value::from(format!("{}{text}{}", " ".repeat(left), " ".repeat(missing - left))))
    }),
    ("pprint", |_, _, _| Err(failure("the filter `pprint` is not supported"))),
];

fn default(_: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
    let replaces = value.is_undefined() || (args.flag(1, "boolean", false) && !value.is_true());
    let default = || args.get(0, "default_value").cloned().unwrap_or_else(|| Value::from(""));
    Ok(if replaces { default() } else { value.clone() })
}

fn escape(_: &mut State<'_, '_>, value: &Value, _: &Arguments) -> Result<Value, Error> {
    if value.is_safe() {
        return Ok(value.clone());
    }
    let text =
        display(value).replace('&', "&amp;").replace('>', "&gt;").replace('<', "&lt;").replace('\'', "&#39;");
    Ok(Value::from_safe_string(text.replace('"', "&#34;")))
}

fn batch(_: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
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

fn dictsort(_: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
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

fn groupby(state: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
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

fn indent(_: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
    let margin = match args.get(0, "width") {
        None => "    ".to_owned(),
        Some(width) => match width.as_text() {
            Some(text) => text.to_owned(),
            None => " ".repeat(
                width
                    .as_usize()
                    .filter(|width| *width < 10_000)
                    .ok_or_else(|| failure("a bad indentation"))?,
            ),
        },
    };
    let (first, blank) = (args.flag(1, "first", false), args.flag(2, "blank", false));
    let text = display(value);
    // As in Jinja2, a final line break is kept but does not start an indented line.
    let joined = format!("{text}\n");
    let mut lines: Vec<&str> = joined.split('\n').collect();
    lines.pop();
    let shown = lines.iter().enumerate().map(|(index, line)| {
        if (index == 0 && !first) || (!blank && line.is_empty() && index > 0) {
            (*line).to_owned()
        } else {
            format!("{margin}{line}")
        }
    });
    Ok(Value::from(shown.collect::<Vec<_>>().join("\n")))
}

fn int(_: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
    let base = args.optional_integer(1, "base")?.unwrap_or(10);
    let parsed = match (Number::of(value), value.as_text()) {
        (Some(Number::Integer(number)), _) => Some(number),
        #[expect(clippy::cast_possible_truncation, reason = "Python truncates as well; the size is checked")]
        (Some(Number::Float(number)), _) if number.abs() < 1e18 => Some(number as i128),
        #[expect(clippy::cast_possible_truncation, reason = "Python truncates as well; the size is checked")]
        (_, Some(text)) => parse_integer(text, base).or_else(|| {
            text.trim().parse::<f64>().ok().filter(|number| number.abs() < 1e18).map(|number| number as i128)
        }),
        _ => None,
    };
    Ok(parsed.map_or_else(|| args.get(0, "default").cloned().unwrap_or_else(|| Value::from(0)), whole))
}

fn join(state: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
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

fn map(state: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
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

fn select(
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
    let operator = match test {
        "eq" | "equalto" => "==",
        "ne" => "!=",
        "lt" | "lessthan" => "<",
        "gt" | "greaterthan" => ">",
        "le" => "<=",
        "ge" => ">=",
        "==" | "!=" | "<" | ">" | "<=" | ">=" | "in" => test,
        _ => {
            let mut values = vec![value.clone()];
            values.extend_from_slice(arguments);
            return state.perform_test(test, &values);
        }
    };
    let other = arguments.first().ok_or_else(|| failure(format!("the test `{test}` needs an argument")))?;
    defined(state, value)?;
    holds(operator, value, other)
}

fn extreme(value: &Value, args: &Arguments, operator: &str) -> Result<Value, Error> {
    let case_sensitive = args.flag(0, "case_sensitive", false);
    let path = args.by_name("attribute");
    let mut best: Option<(Value, Value)> = None;
    for item in iterate(value)? {
        let by = path.map_or_else(|| Ok(item.clone()), |path| attribute(&item, path))?;
        let by = comparable(&by, case_sensitive);
        let is_better = match &best {
            None => true,
            Some((other, _)) => {
                order(operator, &by, other)?
                    == Some(if operator == ">" {
                        std::cmp::Ordering::Greater
                    } else {
                        std::cmp::Ordering::Less
                    })
            }
        };
        if is_better {
            best = Some((by, item));
        }
    }
    Ok(best.map_or(Value::UNDEFINED, |(_, item)| item))
}

fn round(_: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
    let number = Number::of(value)
        .ok_or_else(|| failure(format!("type {} doesn't define round", type_name(value))))?;
    let precision = args.optional_integer(0, "precision")?.unwrap_or(0);
    let method = args.optional_text(1, "method")?.unwrap_or("common");
    let scale = 10_f64.powi(i32::try_from(precision).map_err(|_| failure("a bad precision"))?);
    match (number, method) {
        (Number::Integer(number), "common") if precision >= 0 => Ok(whole(number)),
        (number, "ceil") => Ok(Value::from((number.float() * scale).ceil() / scale)),
        (number, "floor") => Ok(Value::from((number.float() * scale).floor() / scale)),
        (Number::Float(number), "common") if (0..300).contains(&precision) => {
            let digits = usize::try_from(precision).unwrap_or(0);
            format!("{number:.digits$}")
                .parse::<f64>()
                .map(Value::from)
                .map_err(|_| failure("this number cannot be rounded"))
        }
        _ => Err(failure("this rounding is not supported")),
    }
}

fn sort(_: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
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

fn sum(_: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
    let path = args.get(0, "attribute").filter(|path| !path.is_none());
    let start = args.get(1, "start").cloned().unwrap_or_else(|| Value::from(0));
    iterate(value)?.iter().try_fold(start, |total, item| match path {
        Some(path) => add(&total, &attribute(item, path)?),
        None => add(&total, item),
    })
}

/// Jinja2's own notion of a title: the first letter of each part after blanks or opening brackets.
fn jinja_title(text: &str) -> Result<Value, Error> {
    if text.contains(['\'', '(', '{', '[', '<', '-']) {
        return Err(failure("the filter `title` on such text is not supported"));
    }
    Ok(Value::from(if text.chars().any(|next| next.is_ascii_digit() || next == '_') {
        text.split_inclusive(char::is_whitespace).map(capitalized).collect::<String>()
    } else {
        title(text)
    }))
}

fn unique(_: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
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

/// Whether a value is of a kind that the test of that name means.
pub(super) fn kind_test(name: &str, value: &Value) -> Option<bool> {
    let kind = value.kind();
    Some(match name {
        "defined" => !value.is_undefined(),
        "undefined" => value.is_undefined(),
        "none" => value.is_none(),
        "string" => kind == ValueKind::String,
        "mapping" => is_mapping(value),
        "number" => matches!(kind, ValueKind::Number | ValueKind::Bool),
        "integer" => kind == ValueKind::Number && value.is_integer(),
        "float" => kind == ValueKind::Number && !value.is_integer(),
        "boolean" => kind == ValueKind::Bool,
        "true" => kind == ValueKind::Bool && value.is_true(),
        "false" => kind == ValueKind::Bool && !value.is_true(),
        "callable" => super::builtins::is_callable(value),
        "iterable" => matches!(
            kind,
            ValueKind::Seq | ValueKind::Map | ValueKind::Iterable | ValueKind::String | ValueKind::Bytes
        ),
        "sequence" => {
            matches!(kind, ValueKind::Seq | ValueKind::Map | ValueKind::String | ValueKind::Bytes)
        }
        _ => return None,
    })
}
