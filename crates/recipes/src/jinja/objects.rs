//! Python's containers as objects of the template engine: lists, dictionaries and sets that templates may change, and
//! iterators that can be read once. Tuples are the engine's own.

mod bound;
mod cursor;
mod dict;
mod list;
mod range;
mod set;

use std::sync::{Mutex, MutexGuard};

use minijinja::value::{Tuple, Value, ValueKind};
use minijinja::{Error, ErrorKind};

pub(super) use self::cursor::Cursor;
pub(super) use self::dict::{Dict, View, ViewKind};
pub(super) use self::list::List;
pub(super) use self::range::Range;
pub(super) use self::set::Set;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it holds a container")
}

/// The text of a value, of a Python `str` only: the engine's own `as_str` takes bytes for text too.
pub(super) trait AsText {
    fn as_text(&self) -> Option<&str>;
}

impl AsText for Value {
    fn as_text(&self) -> Option<&str> {
        if self.kind() == ValueKind::String { self.as_str() } else { None }
    }
}

/// An error of the given kind, in the engine's terms.
pub(super) fn failure(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

pub(super) fn tuple(items: Vec<Value>) -> Value {
    Value::from_object(Tuple::new(items))
}

/// The items of anything that Python can iterate.
pub(super) fn iterate(value: &Value) -> Result<Vec<Value>, Error> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None | ValueKind::Number | ValueKind::Bool | ValueKind::Plain => {
            Err(failure(format!("'{}' object is not iterable", type_name(value))))
        }
        ValueKind::Bytes => Ok(value
            .as_bytes()
            .unwrap_or_default()
            .iter()
            .map(|byte| Value::from(u32::from(*byte)))
            .collect()),
        _ => value.try_iter()?.checked().collect(),
    }
}

/// The key and value pairs of a dictionary, of named arguments included.
pub(super) fn pairs(value: &Value) -> Option<Vec<(Value, Value)>> {
    if let Some(dict) = value.downcast_object_ref::<Dict>() {
        return Some(dict.items().into_iter().collect());
    }
    let object = value.as_object().filter(|_| value.is_kwargs())?;
    Some(object.try_iter_pairs()?.collect())
}

/// Whether a value is a dictionary. To the engine macros, namespaces and imported templates are maps too.
pub(super) fn is_mapping(value: &Value) -> bool {
    value.is_kwargs() || value.downcast_object_ref::<Dict>().is_some()
}

/// Whether a value is a macro, which the engine shows as a map with these attributes.
pub(super) fn is_macro(value: &Value) -> bool {
    let has = |name: &str| value.get_attr(name).is_ok_and(|found| !found.is_undefined());
    value.kind() == ValueKind::Map && !is_mapping(value) && has("arguments") && has("caller")
}

/// A value as a dictionary key or a set's item.
pub(super) fn hashable(value: &Value) -> Result<Value, Error> {
    let is_frozen = value.downcast_object_ref::<Set>().is_none_or(|set| set.is_frozen);
    let is_mutable =
        value.downcast_object_ref::<List>().is_some() || value.downcast_object_ref::<Dict>().is_some();
    if is_mutable || !is_frozen {
        return Err(failure(format!("unhashable type: '{}'", type_name(value))));
    }
    if value.is_undefined() {
        return Err(Error::new(ErrorKind::UndefinedError, "an undefined value cannot be a key"));
    }
    Ok(value.clone())
}

/// Python's name for the type of a value.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "StrictUndefined",
        ValueKind::None => "NoneType",
        ValueKind::Bool => "bool",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        ValueKind::String => "str",
        ValueKind::Bytes => "bytes",
        _ if value.is_tuple() => "tuple",
        _ if value.downcast_object_ref::<Range>().is_some() => "range",
        _ if value.downcast_object_ref::<Cursor>().is_some() => "generator",
        ValueKind::Seq => "list",
        ValueKind::Map if is_mapping(value) => "dict",
        _ => match (value.downcast_object_ref::<Set>(), value.downcast_object_ref::<View>()) {
            (Some(set), _) if set.is_frozen => "frozenset",
            (Some(_), _) => "set",
            (_, Some(View { kind: ViewKind::Keys, .. })) => "dict_keys",
            (_, Some(View { kind: ViewKind::Values, .. })) => "dict_values",
            (_, Some(_)) => "dict_items",
            _ => "object",
        },
    }
}

/// Whether a value is what Python calls a list.
pub(super) fn is_list(value: &Value) -> bool {
    type_name(value) == "list"
}
