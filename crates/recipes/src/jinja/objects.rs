//! Python's containers as objects of the template engine: lists, dictionaries and sets that templates may change, and
//! iterators that can be read once. Tuples are the engine's own.

use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use indexmap::{IndexMap, IndexSet};
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Tuple, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::text;
use super::{dict_methods, list_methods, set_methods};

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

/// Python's list.
#[derive(Debug, Default)]
pub(super) struct List(Mutex<Vec<Value>>);

impl List {
    pub(super) fn value(items: Vec<Value>) -> Value {
        Value::from_object(Self(Mutex::new(items)))
    }

    pub(super) fn items(&self) -> Vec<Value> {
        lock(&self.0).clone()
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Vec<Value>) -> T) -> T {
        change(&mut lock(&self.0))
    }
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_usize() {
            Some(index) => lock(&self.0).get(index).cloned(),
            None => bound(self, key, &list_methods::NAMES),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.items())
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
        list_methods::call(self, state, name, args)
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some(self.items().cmp(&other.downcast_ref::<Self>()?.items()))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::repr(&Value::from_dyn_object(self.clone())))
    }
}

/// Python's dict; it keeps the order of insertion.
#[derive(Debug, Default)]
pub(super) struct Dict(Mutex<IndexMap<Value, Value>>);

impl Dict {
    pub(super) fn value(items: impl IntoIterator<Item = (Value, Value)>) -> Value {
        Value::from_object(Self(Mutex::new(items.into_iter().collect())))
    }

    pub(super) fn items(&self) -> IndexMap<Value, Value> {
        lock(&self.0).clone()
    }

    pub(super) fn get(&self, key: &Value) -> Option<Value> {
        lock(&self.0).get(key).cloned()
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut IndexMap<Value, Value>) -> T) -> T {
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

/// Python's set and frozenset. Python leaves the order open; here it is the order of insertion, and sorted in text.
#[derive(Debug, Default)]
pub(super) struct Set {
    items: Mutex<IndexSet<Value>>,
    pub(super) is_frozen: bool,
}

impl Set {
    pub(super) fn value(items: impl IntoIterator<Item = Value>, is_frozen: bool) -> Value {
        Value::from_object(Self { items: Mutex::new(items.into_iter().collect()), is_frozen })
    }

    pub(super) fn items(&self) -> IndexSet<Value> {
        lock(&self.items).clone()
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut IndexSet<Value>) -> T) -> T {
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

/// What `dict.keys()`, `.values()` and `.items()` return: a look at the dictionary as it is when it is read.
#[derive(Debug)]
pub(super) struct View {
    pub(super) dict: Arc<Dict>,
    pub(super) kind: ViewKind,
}

/// Which side of a dictionary a [`View`] shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ViewKind {
    Keys,
    Values,
    Items,
}

impl View {
    pub(super) fn items(&self) -> Vec<Value> {
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

type Items = Box<dyn Iterator<Item = Value> + Send>;

/// Python's iterators and generators: each item is given once.
pub(super) struct Cursor {
    items: Arc<Mutex<Items>>,
}

impl Cursor {
    pub(super) fn value(items: impl Iterator<Item = Value> + Send + 'static) -> Value {
        Value::from_object(Self { items: Arc::new(Mutex::new(Box::new(items))) })
    }

    pub(super) fn next(&self) -> Option<Value> {
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
fn bound<T: Object + 'static>(object: &Arc<T>, key: &Value, names: &[&str]) -> Option<Value> {
    let name = key.as_text().filter(|name| names.contains(name))?;
    Some(Value::from_object(Bound {
        object: Value::from_dyn_object(Arc::clone(object)),
        name: name.to_owned(),
    }))
}

/// Python's range.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) start: i64,
    pub(super) stop: i64,
    pub(super) step: i64,
}

impl Range {
    pub(super) fn len(&self) -> usize {
        let distance = i128::from(self.stop) - i128::from(self.start);
        let step = i128::from(self.step);
        let count = (distance + step - step.signum()) / step;
        usize::try_from(count.max(0)).unwrap_or(usize::MAX)
    }

    fn at(&self, index: usize) -> Option<Value> {
        let offset = i64::try_from(index).ok()?.checked_mul(self.step)?;
        (index < self.len()).then(|| Value::from(self.start + offset))
    }
}

impl Object for Range {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.at(key.as_usize()?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let range = Arc::clone(self);
        Enumerator::Iter(Box::new((0..self.len()).map_while(move |index| range.at(index))))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::repr(&Value::from_dyn_object(self.clone())))
    }
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
