//! The Python modules that a template's `context` may import and that need no Python: each has only the functions
//! whose result is the same as Python's.

pub(super) mod base64;
pub(super) mod hashlib;
pub(super) mod itertools;
pub(super) mod json;
pub(super) mod os;
pub(super) mod re;
pub(super) mod six;
pub(super) mod url;

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, ErrorKind, State};

use super::objects::AsText;

/// A module, or any other Python object of which only attributes matter.
pub(super) struct Module {
    name: &'static str,
    members: Vec<(&'static str, Value)>,
}

impl Module {
    fn value(name: &'static str, members: Vec<(&'static str, Value)>) -> Value {
        Value::from_object(Self { name, members })
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<module '{}'>", self.name)
    }
}

impl Object for Module {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let wanted = key.as_text()?;
        self.members.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.clone())
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        name: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match self.get_value(&Value::from(name)) {
            Some(function) => function.call(state, args),
            None => {
                let message = format!("`{}.{name}` is not available without Python", self.name);
                Err(Error::new(ErrorKind::UnknownFunction, message))
            }
        }
    }
}

/// The module that `import name` gives, if it is one of ours.
pub(crate) fn import(name: &str) -> Option<Value> {
    Some(match name {
        "json" => json::module(),
        "os" => os::module(),
        "os.path" | "posixpath" => os::path_module(),
        "re" => re::module(),
        "itertools" => itertools::module(),
        "hashlib" => hashlib::module(),
        "base64" => base64::module(),
        "six" => six::module(),
        "urllib" | "six.moves.urllib" => url::package(),
        "urllib.parse" | "six.moves.urllib.parse" => url::module(),
        _ => return None,
    })
}

/// Lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
