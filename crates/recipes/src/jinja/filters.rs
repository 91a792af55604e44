//! Jinja2's filters with Python's meaning. A filter that is not here is an error, never a different result.

mod items;
mod text;

use minijinja::value::{Rest, Value, ValueOrKwargs};
use minijinja::{Environment, Error, State};

use self::items::{batch, dictsort, extreme, groupby, join, map, select, sort, sum, unique};
use self::text::{escape, indent, jinja_title};
use super::arguments::Arguments;
use super::builtins::length;
use super::modules::json;
use super::number::{Number, absolute, parse_integer, rounded, truncated, whole};
use super::objects::{AsText, Cursor, List, failure, iterate, pairs, tuple, type_name};
use super::operators::defined;
use super::string_methods::capitalized;
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
    ("abs", |_, value, _| absolute(value)),
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

fn int(_: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
    let base = args.optional_integer(1, "base")?.unwrap_or(10);
    let parsed = match (Number::of(value), value.as_text()) {
        (Some(Number::Integer(number)), _) => Some(number),
        (Some(Number::Float(number)), _) => truncated(number),
        (_, Some(text)) => parse_integer(text, base).or_else(|| text.trim().parse().ok().and_then(truncated)),
        _ => None,
    };
    Ok(parsed.map_or_else(|| args.get(0, "default").cloned().unwrap_or_else(|| Value::from(0)), whole))
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
            rounded(number, usize::try_from(precision).unwrap_or(0))
        }
        _ => Err(failure("this rounding is not supported")),
    }
}
