//! How Python compares values: equality, order, membership, and sorting by them.

use std::cmp::Ordering;

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::number::Number;
use super::objects::{AsText, Dict, Set, View, ViewKind, failure, hashable, iterate, pairs, type_name};

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
            is_ordered(operator, left, right)
        }
    }
}

/// Whether two values, of which neither is taken for a set, are in the order that `operator` asks for.
pub(super) fn is_ordered(operator: &str, left: &Value, right: &Value) -> Result<bool, Error> {
    let order = order(operator, left, right)?;
    Ok(match operator {
        "<" => order == Some(Ordering::Less),
        "<=" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        ">" => order == Some(Ordering::Greater),
        _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    })
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
            let (left, right) = (pairs(left), pairs(right));
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
fn order(operator: &str, left: &Value, right: &Value) -> Result<Option<Ordering>, Error> {
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

/// The items of a set, or of a view that is one.
pub(super) fn set_items(value: &Value) -> Option<Vec<Value>> {
    if let Some(set) = value.downcast_object_ref::<Set>() {
        return Some(set.items().into_iter().collect());
    }
    value.downcast_object_ref::<View>().filter(|view| view.kind != ViewKind::Values).map(View::items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jinja::objects::{List, tuple};

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
