//! Python's iterators: what can be read once.

use std::fmt;
use std::sync::{Arc, Mutex};

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use minijinja::{Error, ErrorKind, State};

use super::bound::bound;
use super::{failure, lock};

type Items = Box<dyn Iterator<Item = Value> + Send>;

/// Python's iterators and generators: each item is given once.
pub(in crate::jinja) struct Cursor {
    items: Arc<Mutex<Items>>,
}

impl Cursor {
    pub(in crate::jinja) fn value(items: impl Iterator<Item = Value> + Send + 'static) -> Value {
        Value::from_object(Self { items: Arc::new(Mutex::new(Box::new(items))) })
    }

    pub(in crate::jinja) fn next(&self) -> Option<Value> {
        lock(&self.items).next()
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<iterator>")
    }
}

impl Object for Cursor {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        bound(self, key, &["__next__"])
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, name: &str, _: &[Value]) -> Result<Value, Error> {
        match name {
            "__next__" => self.next().ok_or_else(|| failure("StopIteration")),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let items = Arc::clone(&self.items);
        Enumerator::Iter(Box::new(std::iter::from_fn(move || lock(&items).next())))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        match lock(&self.items).size_hint() {
            (least, Some(most)) if least == most => Some(least),
            _ => None,
        }
    }

    // An iterator is true in Python even when nothing is left.
    fn is_true(self: &Arc<Self>) -> bool {
        true
    }
}
