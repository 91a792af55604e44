//! `json.dumps` and `json.loads`, with Python's layout and escapes.

use std::fmt::Write;

use buildout::python_text;
use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::super::arguments::Arguments;
use super::super::builtins::Builtin;
use super::super::objects::{AsText, Dict, List, failure, is_mapping, iterate, pairs, type_name};
use super::Module;

pub(super) fn module() -> Value {
    Module::value(
        "json",
        vec![
            ("dumps", Builtin::function("dumps", |_, args| dumps(args).map(Value::from))),
            ("loads", Builtin::function("loads", |_, args| loads(args.require(0, "s")?))),
        ],
    )
}

/// How a document is laid out.
struct Layout {
    indent: Option<String>,
    item_separator: String,
    key_separator: String,
    sort_keys: bool,
    ascii: bool,
}

fn dumps(args: &Arguments) -> Result<String, Error> {
    args.limit(1, &["indent", "separators", "sort_keys", "ensure_ascii", "obj"])?;
    let indent = match args.by_name("indent") {
        None => None,
        Some(none) if none.is_none() => None,
        Some(indent) => Some(match indent.as_text() {
            Some(text) => text.to_owned(),
            None => " ".repeat(
                indent.as_usize().filter(|size| *size < 1000).ok_or_else(|| failure("a bad indentation"))?,
            ),
        }),
    };
    let separators =
        args.by_name("separators").filter(|separators| !separators.is_none()).map(iterate).transpose()?;
    let (item, key) = match separators.as_deref() {
        None => (if indent.is_some() { "," } else { ", " }, ": "),
        Some([item, key]) => (item.as_text().unwrap_or_default(), key.as_text().unwrap_or_default()),
        Some(_) => return Err(failure("`separators` must be a pair")),
    };
    let layout = Layout {
        indent,
        item_separator: item.to_owned(),
        key_separator: key.to_owned(),
        sort_keys: args.by_name("sort_keys").is_some_and(Value::is_true),
        ascii: args.by_name("ensure_ascii").is_none_or(Value::is_true),
    };
    encode(args.require(0, "obj")?, &layout)
}

/// As the filter `tojson`: keys sorted.
pub(in crate::jinja) fn dumps_sorted(value: &Value, indent: Option<i64>) -> Result<String, Error> {
    let indent = indent.map(|size| " ".repeat(usize::try_from(size).unwrap_or(0).min(1000)));
    let item_separator = if indent.is_some() { "," } else { ", " }.to_owned();
    encode(
        value,
        &Layout { indent, item_separator, key_separator: ": ".to_owned(), sort_keys: true, ascii: true },
    )
}

fn encode(value: &Value, layout: &Layout) -> Result<String, Error> {
    let mut output = String::new();
    write_value(value, layout, 0, &mut output)?;
    Ok(output)
}

// Python gives up at its own recursion limit.
const DEEPEST: usize = 200;

fn write_value(value: &Value, layout: &Layout, depth: usize, output: &mut String) -> Result<(), Error> {
    if depth > DEEPEST {
        return Err(failure("Circular reference detected"));
    }
    match value.kind() {
        ValueKind::None => output.push_str("null"),
        ValueKind::Bool => output.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number if value.is_integer() => output.push_str(&value.to_string()),
        ValueKind::Number => output.push_str(&number(value)),
        ValueKind::String => write_text(value.as_text().unwrap_or_default(), layout.ascii, output),
        ValueKind::Seq if matches!(type_name(value), "list" | "tuple") => {
            let items = iterate(value)?;
            write_items(&items, ['[', ']'], layout, depth, output, |item, output| {
                write_value(item, layout, depth + 1, output)
            })?;
        }
        ValueKind::Map if is_mapping(value) => {
            let mut entries = pairs(value).unwrap_or_default();
            if layout.sort_keys {
                entries.sort_by(|left, right| left.0.cmp(&right.0));
            }
            write_items(&entries, ['{', '}'], layout, depth, output, |(key, item), output| {
                write_text(&key_text(key)?, layout.ascii, output);
                output.push_str(&layout.key_separator);
                write_value(item, layout, depth + 1, output)
            })?;
        }
        _ => return Err(failure(format!("Object of type {} is not JSON serializable", type_name(value)))),
    }
    Ok(())
}

fn write_items<T>(
    items: &[T],
    [open, close]: [char; 2],
    layout: &Layout,
    depth: usize,
    output: &mut String,
    mut write_item: impl FnMut(&T, &mut String) -> Result<(), Error>,
) -> Result<(), Error> {
    let line_break = |depth: usize, output: &mut String| {
        if let Some(indent) = &layout.indent {
            output.push('\n');
            output.push_str(&indent.repeat(depth));
        }
    };
    output.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            output.push_str(&layout.item_separator);
        }
        line_break(depth + 1, output);
        write_item(item, output)?;
    }
    if !items.is_empty() {
        line_break(depth, output);
    }
    output.push(close);
    Ok(())
}

fn number(value: &Value) -> String {
    match python_text::float(f64::try_from(value.clone()).unwrap_or(f64::NAN)).as_str() {
        "nan" => "NaN".to_owned(),
        "inf" => "Infinity".to_owned(),
        "-inf" => "-Infinity".to_owned(),
        text => text.to_owned(),
    }
}

fn key_text(key: &Value) -> Result<String, Error> {
    match key.kind() {
        ValueKind::String => Ok(key.as_text().unwrap_or_default().to_owned()),
        ValueKind::None => Ok("null".to_owned()),
        ValueKind::Bool => Ok(if key.is_true() { "true" } else { "false" }.to_owned()),
        ValueKind::Number if key.is_integer() => Ok(key.to_string()),
        ValueKind::Number => Ok(number(key)),
        _ => Err(failure(format!("keys must be str, int, float, bool or None, not {}", type_name(key)))),
    }
}

fn write_text(text: &str, ascii: bool, output: &mut String) {
    output.push('"');
    for next in text.chars() {
        match next {
            '"' => output.push_str("\\\""),
            '\\' => output.push_str("\\\\"),
            '\n' => output.push_str("\\n"),
            '\r' => output.push_str("\\r"),
            '\t' => output.push_str("\\t"),
            '\x08' => output.push_str("\\b"),
            '\x0c' => output.push_str("\\f"),
            _ if u32::from(next) < 0x20 || (ascii && !(' '..='~').contains(&next)) => {
                for unit in next.encode_utf16(&mut [0; 2]) {
                    let _ = write!(output, "\\u{unit:04x}");
                }
            }
            _ => output.push(next),
        }
    }
    output.push('"');
}

fn loads(text: &Value) -> Result<Value, Error> {
    let bytes = match text.as_text() {
        Some(text) => text.as_bytes(),
        None => text
            .as_bytes()
            .ok_or_else(|| failure(format!("the JSON object must be str, not {}", type_name(text))))?,
    };
    let document: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|error| failure(format!("JSONDecodeError: {error}")))?;
    Ok(from_json(&document))
}

/// A JSON document as Python objects.
pub(in crate::jinja) fn from_json(document: &serde_json::Value) -> Value {
    match document {
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(flag) => Value::from(*flag),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::from(number),
            (None, Some(number)) => Value::from(number),
            (None, None) => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => List::value(items.iter().map(from_json).collect()),
        serde_json::Value::Object(entries) => {
            Dict::value(entries.iter().map(|(key, item)| (Value::from(key.as_str()), from_json(item))))
        }
    }
}
