//! Python's set and frozenset.

use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, Mutex};

use indexmap::IndexSet;
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Value};
use minijinja::{Error, State};

use super::lock;
use crate::jinja::{set_methods, text};

/// Python's set and frozenset. Python leaves the order open; here it is the order of insertion, and sorted in text.
#[derive(Debug, Default)]
pub(in crate::jinja) struct Set {
    items: Mutex<IndexSet<Value>>,
    pub(in crate::jinja) is_frozen: bool,
}

impl Set {
    pub(in crate::jinja) fn value(items: impl IntoIterator<Item = Value>, is_frozen: bool) -> Value {
        Value::from_object(Self { items: Mutex::new(items.into_iter().collect()), is_frozen })
    }

    pub(in crate::jinja) fn items(&self) -> IndexSet<Value> {
        lock(&self.items).clone()
    }

    pub(in crate::jinja) fn change<T>(&self, change: impl FnOnce(&mut IndexSet<Value>) -> T) -> T {
        change(&mut lock(&self.items))
    }
}

impl Object for Set {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.items().into_iter().collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(lock(&self.items).len())
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        name: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        set_methods::call(self, name, args)
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let sorted = |set: &Self| {
            let mut items: Vec<Value> = set.items().into_iter().collect();
            items.sort();
            items
        };
        Some(sorted(self).cmp(&sorted(other.downcast_ref::<Self>()?)))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::repr(&Value::from_dyn_object(self.clone())))
    }
}
