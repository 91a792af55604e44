//! Methods that are taken from their objects.

use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, State};

use super::AsText as _;

/// A method taken from its object, to be called later.
#[derive(Debug)]
struct Bound {
    object: Value,
    name: String,
}

impl Object for Bound {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        self.object.call_method(state, &self.name, args)
    }
}

/// The method of that name, when it is one of `names`.
pub(super) fn bound<T: Object + 'static>(object: &Arc<T>, key: &Value, names: &[&str]) -> Option<Value> {
    let name = key.as_text().filter(|name| names.contains(name))?;
    Some(Value::from_object(Bound {
        object: Value::from_dyn_object(Arc::clone(object)),
        name: name.to_owned(),
    }))
}
