//! Python's dict, and the views of it.

use std::fmt;
use std::sync::{Arc, Mutex};

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use minijinja::{Error, State};

use super::bound::bound;
use super::{lock, tuple};
use crate::jinja::{dict_methods, text};

/// Python's dict; it keeps the order of insertion.
#[derive(Debug, Default)]
pub(in crate::jinja) struct Dict(Mutex<IndexMap<Value, Value>>);

impl Dict {
    pub(in crate::jinja) fn value(items: impl IntoIterator<Item = (Value, Value)>) -> Value {
        Value::from_object(Self(Mutex::new(items.into_iter().collect())))
    }

    pub(in crate::jinja) fn items(&self) -> IndexMap<Value, Value> {
        lock(&self.0).clone()
    }

    pub(in crate::jinja) fn get(&self, key: &Value) -> Option<Value> {
        lock(&self.0).get(key).cloned()
    }

    pub(in crate::jinja) fn change<T>(&self, change: impl FnOnce(&mut IndexMap<Value, Value>) -> T) -> T {
        change(&mut lock(&self.0))
    }
}

impl Object for Dict {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get(key).or_else(|| bound(self, key, &dict_methods::NAMES))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(lock(&self.0).keys().cloned().collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(lock(&self.0).len())
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        name: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        dict_methods::call(self, state, name, args)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::repr(&Value::from_dyn_object(self.clone())))
    }
}

/// What `dict.keys()`, `.values()` and `.items()` return: a look at the dictionary as it is when it is read.
#[derive(Debug)]
pub(in crate::jinja) struct View {
    pub(in crate::jinja) dict: Arc<Dict>,
    pub(in crate::jinja) kind: ViewKind,
}

/// Which side of a dictionary a [`View`] shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::jinja) enum ViewKind {
    Keys,
    Values,
    Items,
}

impl View {
    pub(in crate::jinja) fn items(&self) -> Vec<Value> {
        let pairs = self.dict.items().into_iter();
        match self.kind {
            ViewKind::Keys => pairs.map(|(key, _)| key).collect(),
            ViewKind::Values => pairs.map(|(_, value)| value).collect(),
            ViewKind::Items => pairs.map(|(key, value)| tuple(vec![key, value])).collect(),
        }
    }
}

impl Object for View {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.items())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::repr(&Value::from_dyn_object(self.clone())))
    }
}
