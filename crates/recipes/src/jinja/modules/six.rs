//! `six`: the bridge between Python 2 and 3, of which Python 3's side is left.

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::super::arguments::Arguments;
use super::super::builtins::{Builtin, globals, types};
use super::super::objects::{AsText, Cursor, failure, pairs, tuple, type_name};
use super::super::string_methods::{decode, encode};
use super::{Module, url};

pub(super) fn module() -> Value {
    let class = |wanted: &str| {
        types().into_iter().find(|(name, _)| *name == wanted).map_or(Value::UNDEFINED, |(_, class)| class)
    };
    let global = |wanted: &str| {
        globals().into_iter().find(|(name, _)| *name == wanted).map_or(Value::UNDEFINED, |(_, value)| value)
    };
    let moves = Module::value(
        "six.moves",
        vec![
            ("urllib", url::package()),
            ("range", class("range")),
            ("xrange", class("range")),
            ("map", global("map")),
            ("zip", global("zip")),
            ("filter", global("filter")),
        ],
    );
    Module::value(
        "six",
        vec![
            ("PY2", Value::from(false)),
            ("PY3", Value::from(true)),
            ("moves", moves),
            ("string_types", tuple(vec![class("str")])),
            ("integer_types", tuple(vec![class("int")])),
            ("text_type", class("str")),
            ("binary_type", class("bytes")),
            ("ensure_str", Builtin::function("ensure_str", |_, args| to_text(args))),
            ("ensure_text", Builtin::function("ensure_text", |_, args| to_text(args))),
            (
                "ensure_binary",
                Builtin::function("ensure_binary", |_, args| {
                    let value = args.require(0, "s")?;
                    match value.as_text() {
                        Some(text) => encode(text, args.optional_text(1, "encoding")?),
                        None if value.kind() == ValueKind::Bytes => Ok(value.clone()),
                        None => Err(failure(format!("not expecting type '{}'", type_name(value)))),
                    }
                }),
            ),
            (
                "iteritems",
                Builtin::function("iteritems", |_, args| entries(args, |key, value| tuple(vec![key, value]))),
            ),
            ("iterkeys", Builtin::function("iterkeys", |_, args| entries(args, |key, _| key))),
            ("itervalues", Builtin::function("itervalues", |_, args| entries(args, |_, value| value))),
        ],
    )
}

fn to_text(args: &Arguments) -> Result<Value, Error> {
    let value = args.require(0, "s")?;
    match value.kind() {
        ValueKind::String => Ok(value.clone()),
        ValueKind::Bytes => decode(value.as_bytes().unwrap_or_default(), args.optional_text(1, "encoding")?),
        _ => Err(failure(format!("not expecting type '{}'", type_name(value)))),
    }
}

fn entries(args: &Arguments, pick: fn(Value, Value) -> Value) -> Result<Value, Error> {
    let dict = args.require(0, "d")?;
    let entries = pairs(dict)
        .ok_or_else(|| failure(format!("'{}' object has no attribute 'items'", type_name(dict))))?;
    Ok(Cursor::value(entries.into_iter().map(move |(key, value)| pick(key, value))))
}
