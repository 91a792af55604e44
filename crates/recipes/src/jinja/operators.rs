//! Python's operators, as the functions that rewritten templates call.

use std::cmp::Ordering;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value, ValueKind};
use minijinja::{Error, State};

use super::arguments::{Arguments, integer};
use super::objects::{
    AsText, Cursor, Dict, List, Range, Set, View, ViewKind, failure, hashable, iterate, tuple, type_name,
};
use super::percent;
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

fn unsupported(operator: &str, left: &Value, right: &Value) -> Error {
    let (left, right) = (type_name(left), type_name(right));
    failure(format!("unsupported operand type(s) for {operator}: '{left}' and '{right}'"))
}

/// Refuses text that is marked as safe: Python would escape the other operand.
fn plain(operator: &str, left: &Value, right: &Value) -> Result<(), Error> {
    if left.is_safe() || right.is_safe() {
        return Err(failure(format!("`{operator}` on escaped text is not supported")));
    }
    Ok(())
}

fn is_list(value: &Value) -> bool {
    type_name(value) == "list"
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

fn set_items(value: &Value) -> Option<Vec<Value>> {
    if let Some(set) = value.downcast_object_ref::<Set>() {
        return Some(set.items().into_iter().collect());
    }
    value.downcast_object_ref::<View>().filter(|view| view.kind != ViewKind::Values).map(View::items)
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

/// A number as Python computes with it.
#[derive(Clone, Copy)]
pub(super) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value.kind() {
            ValueKind::Bool => Some(Self::Integer(i128::from(value.is_true()))),
            ValueKind::Number if value.is_integer() => i128::try_from(value.clone()).ok().map(Self::Integer),
            ValueKind::Number => f64::try_from(value.clone()).ok().map(Self::Float),
            _ => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "Python converts integers to floats in the same way")]
    pub(super) fn float(self) -> f64 {
        match self {
            Self::Integer(number) => number as f64,
            Self::Float(number) => number,
        }
    }
}

pub(super) fn whole(number: i128) -> Value {
    i64::try_from(number).map_or_else(|_| Value::from(number), Value::from)
}

pub(super) fn arithmetic(operator: &str, left: &Value, right: &Value) -> Result<Value, Error> {
    let (Some(a), Some(b)) = (Number::of(left), Number::of(right)) else {
        return Err(unsupported(operator, left, right));
    };
    if let (Number::Integer(a), Number::Integer(b)) = (a, b)
        && operator != "/"
        && !(operator == "**" && b < 0)
    {
        return integers(operator, a, b).map(whole);
    }
    let (a, b) = (a.float(), b.float());
    let divides = matches!(operator, "/" | "//" | "%");
    if (divides && b == 0.0) || (operator == "**" && a == 0.0 && b < 0.0) {
        return Err(failure("division by zero"));
    }
    Ok(Value::from(match operator {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        "//" => (a / b).floor(),
        "%" => {
            let remainder = a % b;
            if remainder != 0.0 && (remainder < 0.0) != (b < 0.0) { remainder + b } else { remainder }
        }
        _ if a < 0.0 && b.fract() != 0.0 => return Err(failure("complex numbers are not supported")),
        _ => a.powf(b),
    }))
}

fn integers(operator: &str, a: i128, b: i128) -> Result<i128, Error> {
    if b == 0 && matches!(operator, "//" | "%") {
        return Err(failure("integer division or modulo by zero"));
    }
    let result = match operator {
        "+" => a.checked_add(b),
        "-" => a.checked_sub(b),
        "*" => a.checked_mul(b),
        "//" => a
            .checked_div(b)
            .map(|quotient| if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient }),
        "%" => a.checked_rem(b).map(|rest| if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }),
        _ => u32::try_from(b).ok().and_then(|exponent| a.checked_pow(exponent)),
    };
    result.ok_or_else(|| failure(format!("the result of `{operator}` is too large")))
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

/// Whether `left operator right` is true.
pub(super) fn holds(operator: &str, left: &Value, right: &Value) -> Result<bool, Error> {
    match operator {
        "==" => Ok(equal(left, right)),
        "!=" => Ok(!equal(left, right)),
        "in" => contains(right, left),
        "not in" => contains(right, left).map(|found| !found),
        _ => {
            if let (Some(left), Some(right)) = (set_items(left), set_items(right)) {
                return Ok(subset(operator, &left, &right));
            }
            let order = order(operator, left, right)?;
            Ok(match operator {
                "<" => order == Some(Ordering::Less),
                "<=" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
                ">" => order == Some(Ordering::Greater),
                _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            })
        }
    }
}

fn subset(operator: &str, left: &[Value], right: &[Value]) -> bool {
    let within = |inner: &[Value], outer: &[Value]| inner.iter().all(|item| outer.contains(item));
    match operator {
        "<" => left.len() < right.len() && within(left, right),
        "<=" => within(left, right),
        ">" => right.len() < left.len() && within(right, left),
        _ => within(right, left),
    }
}

/// Python's `==`.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    if let (Some(a), Some(b)) = (Number::of(left), Number::of(right)) {
        return match (a, b) {
            (Number::Integer(a), Number::Integer(b)) => a == b,
            (a, b) => a.float() == b.float(),
        };
    }
    if let (Some(left), Some(right)) = (set_items(left), set_items(right)) {
        return left.len() == right.len() && left.iter().all(|item| right.contains(item));
    }
    match (type_name(left), type_name(right)) {
        ("list", "list") | ("tuple", "tuple") => match (iterate(left), iterate(right)) {
            (Ok(left), Ok(right)) => {
                left.len() == right.len() && left.iter().zip(&right).all(|(left, right)| equal(left, right))
            }
            _ => false,
        },
        ("dict", "dict") => {
            let (left, right) = (super::objects::pairs(left), super::objects::pairs(right));
            let (Some(left), Some(right)) = (left, right) else { return false };
            left.len() == right.len()
                && left.iter().all(|(key, value)| {
                    right.iter().any(|(other, found)| key == other && equal(value, found))
                })
        }
        (left_type, right_type) => left_type == right_type && left == right,
    }
}

/// Python's order of two values; `None` when they are not ordered (a NaN).
pub(super) fn order(operator: &str, left: &Value, right: &Value) -> Result<Option<Ordering>, Error> {
    if let (Some(a), Some(b)) = (Number::of(left), Number::of(right)) {
        return Ok(match (a, b) {
            (Number::Integer(a), Number::Integer(b)) => Some(a.cmp(&b)),
            (a, b) => a.float().partial_cmp(&b.float()),
        });
    }
    match (type_name(left), type_name(right)) {
        ("str", "str") => Ok(Some(left.as_text().cmp(&right.as_text()))),
        ("bytes", "bytes") => Ok(Some(left.as_bytes().cmp(&right.as_bytes()))),
        ("list", "list") | ("tuple", "tuple") => {
            let (left, right) = (iterate(left)?, iterate(right)?);
            for (a, b) in left.iter().zip(&right) {
                if !equal(a, b) {
                    return order(operator, a, b);
                }
            }
            Ok(Some(left.len().cmp(&right.len())))
        }
        (left, right) => {
            Err(failure(format!("'{operator}' not supported between instances of '{left}' and '{right}'")))
        }
    }
}

/// Sorts as Python's `sorted` does; the first pair that cannot be compared is an error.
pub(super) fn sort_by_key(items: &mut [(Value, Value)], reverse: bool) -> Result<(), Error> {
    let mut error = None;
    items.sort_by(|left, right| {
        let (left, right) = if reverse { (right, left) } else { (left, right) };
        order("<", &left.0, &right.0)
            .unwrap_or_else(|failed| {
                error.get_or_insert(failed);
                None
            })
            .unwrap_or(Ordering::Equal)
    });
    error.map_or(Ok(()), Err)
}

fn contains(container: &Value, item: &Value) -> Result<bool, Error> {
    if let Some(text) = container.as_text() {
        let part = item.as_text().ok_or_else(|| {
            failure(format!("'in <string>' requires string as left operand, not {}", type_name(item)))
        })?;
        return Ok(text.contains(part));
    }
    if let Some(dict) = container.downcast_object_ref::<Dict>() {
        return Ok(dict.get(&hashable(item)?).is_some());
    }
    match container.kind() {
        ValueKind::Bytes | ValueKind::Number | ValueKind::Bool | ValueKind::None | ValueKind::Plain => {
            Err(failure(format!("argument of type '{}' is not iterable", type_name(container))))
        }
        ValueKind::Map => Ok(iterate(container)?.contains(item)),
        _ => Ok(iterate(container)?.iter().any(|found| equal(found, item))),
    }
}

fn slice(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    for value in args {
        defined(state, value)?;
    }
    let arguments = Arguments::new("slice", &args[1..]);
    let bounds = [0, 1, 2].map(|index| arguments.optional_integer(index, "bound"));
    let [start, stop, step] = bounds;
    let (start, stop, step) = (start?, stop?, step?.unwrap_or(1));
    let sequence = &args[0];
    if let Some(text) = sequence.as_text() {
        let characters: Vec<char> = text.chars().collect();
        return Ok(Value::from(selected(&characters, start, stop, step)?.into_iter().collect::<String>()));
    }
    if sequence.kind() == ValueKind::Bytes {
        return selected(sequence.as_bytes().unwrap_or_default(), start, stop, step).map(Value::from_bytes);
    }
    let is_sequence =
        sequence.is_tuple() || is_list(sequence) || sequence.downcast_object_ref::<Range>().is_some();
    if !is_sequence {
        return Err(failure(format!("'{}' object cannot be sliced", type_name(sequence))));
    }
    let items = selected(&iterate(sequence)?, start, stop, step)?;
    Ok(if sequence.is_tuple() { tuple(items) } else { List::value(items) })
}

fn selected<T: Clone>(
    items: &[T],
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
) -> Result<Vec<T>, Error> {
    if step == 0 {
        return Err(failure("slice step cannot be zero"));
    }
    let length = i64::try_from(items.len()).expect("a list in memory has fewer than 2^63 items");
    let (lowest, highest) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let bound = |bound: Option<i64>, default: i64| match bound {
        None => default,
        Some(bound) if bound < 0 => (bound + length).clamp(lowest, highest),
        Some(bound) => bound.clamp(lowest, highest),
    };
    let (mut index, stop) = if step > 0 {
        (bound(start, lowest), bound(stop, highest))
    } else {
        (bound(start, highest), bound(stop, lowest))
    };
    let mut chosen = Vec::new();
    while (step > 0 && index < stop) || (step < 0 && index > stop) {
        chosen.extend(usize::try_from(index).ok().and_then(|index| items.get(index)).cloned());
        index = index.saturating_add(step);
    }
    Ok(chosen)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_rounds_as_python_does() {
        let compute = |operator, a: i64, b: i64| {
            arithmetic(operator, &Value::from(a), &Value::from(b)).unwrap().to_string()
        };

        assert_eq!(compute("//", -7, 2), "-4");
        assert_eq!(compute("%", -7, 2), "1");
        assert_eq!(compute("%", 7, -2), "-1");
        assert_eq!(compute("/", 6, 3), "2.0");
        assert_eq!(compute("**", 2, 10), "1024");
    }

    #[test]
    fn slices_follow_python_at_and_beyond_the_ends() {
        let items = [0, 1, 2, 3, 4];
        type Case<'a> = (Option<i64>, Option<i64>, i64, &'a [i32]);
        let cases: [Case<'_>; 6] = [
            (None, None, 1, &[0, 1, 2, 3, 4]),
            (Some(-2), None, 1, &[3, 4]),
            (Some(1), Some(-1), 2, &[1, 3]),
            (None, None, -1, &[4, 3, 2, 1, 0]),
            (Some(10), Some(1), -2, &[4, 2]),
            (Some(3), Some(-10), -1, &[3, 2, 1, 0]),
        ];
        for (start, stop, step, expected) in cases {
            assert_eq!(selected(&items, start, stop, step).unwrap(), expected);
        }
    }

    #[test]
    fn a_list_never_equals_a_tuple() {
        let items = || vec![Value::from(1)];

        assert!(!equal(&List::value(items()), &tuple(items())));
        assert!(equal(&List::value(items()), &List::value(vec![Value::from(1.0)])));
    }

    #[test]
    fn values_of_different_types_are_not_ordered() {
        let message = order("<", &Value::from(1), &Value::from("a")).unwrap_err().to_string();

        assert!(message.contains("'<' not supported between instances of 'int' and 'str'"), "{message}");
    }
}
