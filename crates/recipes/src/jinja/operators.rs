//! Python's operators, as the functions that rewritten templates call.

use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value, ValueKind};
use minijinja::{Error, State};

use super::arguments::integer;
use super::number::{Number, arithmetic, whole};
use super::objects::{
    AsText, Cursor, Dict, List, Set, failure, hashable, is_list, iterate, tuple, type_name,
};
use super::order::{holds, set_items};
use super::percent;
use super::slice::slice;
use super::text::display;

type Body = fn(&mut State<'_, '_>, &[Value]) -> Result<Value, Error>;

/// An operator as a function that templates can call.
#[derive(Debug)]
pub(super) struct Operator(pub(super) Body);

impl Object for Operator {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        (self.0)(state, args)
    }
}

/// The functions, by the name under which rewritten templates call them.
pub(super) const OPERATORS: [(&str, Body); 15] = [
    ("__add", |state, args| binary(state, args, add)),
    ("__subtract", |state, args| binary(state, args, subtract)),
    ("__multiply", |state, args| binary(state, args, multiply)),
    ("__divide", |state, args| binary(state, args, |left, right| arithmetic("/", left, right))),
    ("__floor_divide", |state, args| binary(state, args, |left, right| arithmetic("//", left, right))),
    ("__modulo", |state, args| binary(state, args, modulo)),
    ("__power", |state, args| binary(state, args, |left, right| arithmetic("**", left, right))),
    ("__negative", |state, args| unary(state, args, "-")),
    ("__positive", |state, args| unary(state, args, "+")),
    ("__concatenate", concatenate),
    ("__compare", compare_chain),
    ("__slice", slice),
    ("__list", |_, args| iterate(&args[0]).map(List::value)),
    ("__dict", |_, args| dictionary(&args[0])),
    ("__iterate", iterable),
];

type Pair = fn(&Value, &Value) -> Result<Value, Error>;

/// Fails as the engine does when `value` is undefined, naming the expression that gave it.
pub(super) fn defined(state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_undefined() { state.format(value.clone()).map(|_| ()) } else { Ok(()) }
}

fn binary(state: &mut State<'_, '_>, args: &[Value], operator: Pair) -> Result<Value, Error> {
    defined(state, &args[0])?;
    defined(state, &args[1])?;
    operator(&args[0], &args[1])
}

/// Refuses text that is marked as safe: Python would escape the other operand.
fn plain(operator: &str, left: &Value, right: &Value) -> Result<(), Error> {
    if left.is_safe() || right.is_safe() {
        return Err(failure(format!("`{operator}` on escaped text is not supported")));
    }
    Ok(())
}

fn both(kind: ValueKind, left: &Value, right: &Value) -> bool {
    left.kind() == kind && right.kind() == kind
}

pub(super) fn add(left: &Value, right: &Value) -> Result<Value, Error> {
    plain("+", left, right)?;
    if let (Some(left), Some(right)) = (left.as_text(), right.as_text()) {
        return Ok(Value::from([left, right].concat()));
    }
    if both(ValueKind::Bytes, left, right) {
        return Ok(Value::from_bytes(
            [left.as_bytes(), right.as_bytes()].map(Option::unwrap_or_default).concat(),
        ));
    }
    let joined = || Ok::<_, Error>([iterate(left)?, iterate(right)?].concat());
    if left.is_tuple() && right.is_tuple() {
        return joined().map(tuple);
    }
    if is_list(left) && is_list(right) {
        return joined().map(List::value);
    }
    arithmetic("+", left, right)
}

fn subtract(left: &Value, right: &Value) -> Result<Value, Error> {
    if let (Some(minuend), Some(subtrahend)) = (set_items(left), set_items(right)) {
        let is_frozen = left.downcast_object_ref::<Set>().is_some_and(|set| set.is_frozen);
        let rest = minuend.into_iter().filter(|item| !subtrahend.contains(item));
        return Ok(Set::value(rest, is_frozen));
    }
    arithmetic("-", left, right)
}

fn multiply(left: &Value, right: &Value) -> Result<Value, Error> {
    plain("*", left, right)?;
    for (sequence, count) in [(left, right), (right, left)] {
        let is_sequence = matches!(sequence.kind(), ValueKind::String | ValueKind::Bytes)
            || sequence.is_tuple()
            || is_list(sequence);
        if is_sequence && matches!(count.kind(), ValueKind::Bool | ValueKind::Number) {
            return repeat(sequence, integer(count)?);
        }
    }
    arithmetic("*", left, right)
}

// More than any configuration file needs, and little enough to fail before the machine does.
const LONGEST: usize = 10_000_000;

fn repeat(sequence: &Value, count: i64) -> Result<Value, Error> {
    let count = usize::try_from(count).unwrap_or(0);
    let length = sequence.len().unwrap_or(0);
    if length.saturating_mul(count) > LONGEST {
        return Err(failure("the repeated sequence is too long"));
    }
    if let Some(text) = sequence.as_text() {
        return Ok(Value::from(text.repeat(count)));
    }
    if sequence.kind() == ValueKind::Bytes {
        return Ok(Value::from_bytes(sequence.as_bytes().unwrap_or_default().repeat(count)));
    }
    let items: Vec<Value> = std::iter::repeat_n(iterate(sequence)?, count).flatten().collect();
    Ok(if sequence.is_tuple() { tuple(items) } else { List::value(items) })
}

fn modulo(left: &Value, right: &Value) -> Result<Value, Error> {
    plain("%", left, right)?;
    match left.as_text() {
        Some(format) => percent::format(format, right).map(Value::from),
        None => arithmetic("%", left, right),
    }
}

fn unary(state: &mut State<'_, '_>, args: &[Value], operator: &str) -> Result<Value, Error> {
    defined(state, &args[0])?;
    let negative = operator == "-";
    match Number::of(&args[0]) {
        Some(Number::Integer(number)) => Ok(whole(if negative { -number } else { number })),
        Some(Number::Float(number)) => Ok(Value::from(if negative { -number } else { number })),
        None => Err(failure(format!("bad operand type for unary {operator}: '{}'", type_name(&args[0])))),
    }
}

fn concatenate(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let mut text = String::new();
    for part in args {
        defined(state, part)?;
        text.push_str(&display(part));
    }
    Ok(Value::from(text))
}

fn compare_chain(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    for operand in args.iter().step_by(2) {
        defined(state, operand)?;
    }
    let mut left = &args[0];
    for step in args[1..].chunks_exact(2) {
        let (operator, right) = (step[0].as_text().unwrap_or_default(), &step[1]);
        if !holds(operator, left, right)? {
            return Ok(Value::from(false));
        }
        left = right;
    }
    Ok(Value::from(true))
}

/// A dictionary from a list of alternating keys and values.
fn dictionary(items: &Value) -> Result<Value, Error> {
    let items = iterate(items)?;
    let pairs = items.chunks_exact(2).map(|pair| Ok((hashable(&pair[0])?, pair[1].clone())));
    Ok(Dict::value(pairs.collect::<Result<Vec<_>, Error>>()?))
}

/// What a `for` may walk over; the engine itself would take None for empty.
fn iterable(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let value = &args[0];
    defined(state, value)?;
    if value.downcast_object_ref::<Cursor>().is_some() {
        return Ok(value.clone());
    }
    match value.kind() {
        ValueKind::Seq | ValueKind::Map | ValueKind::String => Ok(value.clone()),
        _ => iterate(value).map(List::value),
    }
}
