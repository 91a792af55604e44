//! `base64`: the standard and the URL-safe alphabet.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::super::arguments::Arguments;
use super::super::builtins::Builtin;
use super::super::objects::{AsText, failure, type_name};
use super::Module;

pub(super) fn module() -> Value {
    let functions = vec![
        ("b64encode", Builtin::function("b64encode", |_, args| Ok(text(STANDARD.encode(bytes(args)?))))),
        (
            "standard_b64encode",
            Builtin::function("standard_b64encode", |_, args| Ok(text(STANDARD.encode(bytes(args)?)))),
        ),
        (
            "urlsafe_b64encode",
            Builtin::function("urlsafe_b64encode", |_, args| Ok(text(URL_SAFE.encode(bytes(args)?)))),
        ),
        ("b64decode", Builtin::function("b64decode", |_, args| decode(&STANDARD, args))),
        ("standard_b64decode", Builtin::function("standard_b64decode", |_, args| decode(&STANDARD, args))),
        ("urlsafe_b64decode", Builtin::function("urlsafe_b64decode", |_, args| decode(&URL_SAFE, args))),
    ];
    Module::value("base64", functions)
}

fn text(encoded: String) -> Value {
    Value::from_bytes(encoded.into_bytes())
}

fn bytes(args: &Arguments) -> Result<Vec<u8>, Error> {
    args.limit(1, &["s"])?;
    let data = args.require(0, "s")?;
    match data.kind() {
        ValueKind::Bytes => Ok(data.as_bytes().unwrap_or_default().to_vec()),
        _ => Err(failure(format!("a bytes-like object is required, not '{}'", type_name(data)))),
    }
}

fn decode(engine: &impl Engine, args: &Arguments) -> Result<Value, Error> {
    args.limit(1, &["s"])?;
    let data = args.require(0, "s")?;
    let encoded = data.as_text().map(str::as_bytes).or_else(|| data.as_bytes()).unwrap_or_default();
    engine.decode(encoded).map(Value::from_bytes).map_err(|error| failure(format!("binascii.Error: {error}")))
}
