//! `hashlib.md5`, `.sha256` and `.sha512`.

use md5::{Digest, Md5};
use minijinja::Error;
use minijinja::value::{Value, ValueKind};
use sha2::{Sha256, Sha512};

use super::super::arguments::Arguments;
use super::super::builtins::Builtin;
use super::super::objects::failure;
use super::{Module, hexadecimal};

pub(super) fn module() -> Value {
    Module::value(
        "hashlib",
        vec![
            ("md5", Builtin::function("md5", |_, args| digest::<Md5>(args))),
            ("sha256", Builtin::function("sha256", |_, args| digest::<Sha256>(args))),
            ("sha512", Builtin::function("sha512", |_, args| digest::<Sha512>(args))),
        ],
    )
}

fn digest<D: Digest>(args: &Arguments) -> Result<Value, Error> {
    let data = match args.positional() {
        [] => Vec::new(),
        [data] if data.kind() == ValueKind::Bytes => data.as_bytes().unwrap_or_default().to_vec(),
        _ => return Err(failure("Strings must be encoded before hashing")),
    };
    let bytes = D::digest(data).to_vec();
    let text = hexadecimal(&bytes);
    Ok(Module::value(
        "hashlib.hash",
        vec![
            ("hexdigest", Value::from_function(move || text.clone())),
            ("digest", Value::from_function(move || Value::from_bytes(bytes.clone()))),
        ],
    ))
}
