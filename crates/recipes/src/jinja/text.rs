//! Values as Python writes them: `str()`, `repr()`, and `dumps`, the form that profiles can read back.

use std::fmt::Write;

use buildout::python_text;
use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::convert::to_option;
use super::objects::{AsText, Cursor, Range, Set, View, failure, is_mapping, iterate, pairs, type_name};

/// What `str(value)` gives, and what `{{ value }}` prints.
pub(super) fn display(value: &Value) -> String {
    match value.kind() {
        ValueKind::String => value.as_text().unwrap_or_default().to_owned(),
        // What `'x' if false` gives; every other undefined value is refused before it gets here.
        ValueKind::Undefined => String::new(),
        _ => repr(value),
    }
}

/// What `repr(value)` gives.
pub(super) fn repr(value: &Value) -> String {
    let mut output = String::new();
    put(value, &mut output, 0);
    output
}

/// The text form of a typed value in a profile: `!py!` and a Python literal with sorted keys, in which no `$` and no
/// `;` is left for the profile's reader to act on.
pub(super) fn dumps(value: &Value) -> Result<String, Error> {
    to_option(value)?.serialise().map_err(|error| failure(error.to_string()))
}

// Deeper than any profile, and shallow enough for the stack: a list may contain itself.
const DEEPEST: usize = 1000;

fn put(value: &Value, output: &mut String, depth: usize) {
    if depth > DEEPEST {
        output.push_str("...");
        return;
    }
    match value.kind() {
        ValueKind::Undefined => output.push_str("Undefined"),
        ValueKind::None => output.push_str("None"),
        ValueKind::Bool => output.push_str(if value.is_true() { "True" } else { "False" }),
        ValueKind::Number if value.is_integer() => output.push_str(&value.to_string()),
        ValueKind::Number => {
            output.push_str(&python_text::float(f64::try_from(value.clone()).unwrap_or(f64::NAN)));
        }
        ValueKind::String => python_text::text(value.as_text().unwrap_or_default(), output),
        ValueKind::Bytes => python_text::bytes(value.as_bytes().unwrap_or_default(), output),
        ValueKind::Map if is_mapping(value) => {
            let items = pairs(value).unwrap_or_default();
            output.push('{');
            for (index, (key, item)) in items.iter().enumerate() {
                output.push_str(if index == 0 { "" } else { ", " });
                put(key, output, depth + 1);
                output.push_str(": ");
                put(item, output, depth + 1);
            }
            output.push('}');
        }
        _ => put_object(value, output, depth),
    }
}

fn put_object(value: &Value, output: &mut String, depth: usize) {
    let mut sequence = |open: &str, items: &[Value], close: &str| {
        output.push_str(open);
        for (index, item) in items.iter().enumerate() {
            output.push_str(if index == 0 { "" } else { ", " });
            put(item, output, depth + 1);
        }
        output.push_str(close);
    };
    if let Some(range) = value.downcast_object_ref::<Range>() {
        let step = if range.step == 1 { String::new() } else { format!(", {}", range.step) };
        let _ = write!(output, "range({}, {}{step})", range.start, range.stop);
    } else if let Some(set) = value.downcast_object_ref::<Set>() {
        let mut items: Vec<Value> = set.items().into_iter().collect();
        items.sort();
        match (items.is_empty(), set.is_frozen) {
            (true, true) => output.push_str("frozenset()"),
            (true, false) => output.push_str("set()"),
            (false, true) => sequence("frozenset({", &items, "})"),
            (false, false) => sequence("{", &items, "}"),
        }
    } else if let Some(view) = value.downcast_object_ref::<View>() {
        sequence(&format!("{}([", type_name(value)), &view.items(), "])");
    } else if value.downcast_object_ref::<Cursor>().is_some() {
        output.push_str("<iterator>");
    } else if value.is_tuple() {
        let items = iterate(value).unwrap_or_default();
        sequence("(", &items, if items.len() == 1 { ",)" } else { ")" });
    } else if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        sequence("[", &iterate(value).unwrap_or_default(), "]");
    } else {
        output.push_str(&value.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::super::objects::{Dict, List, tuple};
    use super::*;

    #[test]
    fn text_is_quoted_as_python_does() {
        let cases = [
            ("plain", "'plain'"),
            ("it's", "\"it's\""),
            ("it's \"both\"", "'it\\'s \"both\"'"),
            ("a\\b\n\t\x00\x7f", "'a\\\\b\\n\\t\\x00\\x7f'"),
            ("caf\u{e9} \u{200b}\u{1f600}\u{a0}", "'caf\u{e9} \\u200b\u{1f600}\\xa0'"),
        ];
        for (text, expected) in cases {
            assert_eq!(repr(&Value::from(text)), expected);
        }
    }

    #[test]
    fn floats_are_written_with_the_shortest_digits() {
        let cases =
            [(1.0, "1.0"), (0.1, "0.1"), (1e16, "1e+16"), (1e15, "1000000000000000.0"), (1.5e-5, "1.5e-05")];
        for (number, expected) in cases {
            assert_eq!(repr(&Value::from(number)), expected);
        }
    }

    #[test]
    fn dumps_sorts_keys_and_hides_what_a_profile_would_act_on() {
        let value = Dict::value([
            (Value::from("b"), tuple(vec![Value::from(1), Value::from(())])),
            (Value::from("a"), List::value(vec![Value::from("${x:y};")])),
        ]);

        assert_eq!(dumps(&value).unwrap(), "!py!{'a': ['\\x24{x:y}\\x3b'], 'b': (1, None)}");
    }
}
