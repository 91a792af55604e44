//! Numbers of literals, and the positions that slices take.

use super::Value;

/// A number turned around.
pub(super) fn negated(number: Value) -> Option<Value> {
    match number {
        Value::Int(number) => Some(Value::Int(number.wrapping_neg())),
        Value::Float(number) => Some(Value::Float(-number)),
        Value::Complex(real, imaginary) => Some(Value::Complex(-real, -imaginary)),
        _ => None,
    }
}

/// The real part of a number, and the imaginary one when it has any.
pub(super) fn parts(number: &Value) -> Option<(f64, Option<f64>)> {
    match number {
        Value::Int(number) => Some((*number as f64, None)),
        Value::Float(number) => Some((*number, None)),
        Value::Complex(real, imaginary) => Some((*real, Some(*imaginary))),
        _ => None,
    }
}

/// `complex(…)` of none, one or two numbers.
pub(super) fn complex(arguments: &[Value]) -> Option<Value> {
    let plain = |number: &Value| parts(number).filter(|(_, imaginary)| imaginary.is_none());
    match arguments {
        [] => Some(Value::Complex(0.0, 0.0)),
        [number] => {
            parts(number).map(|(real, imaginary)| Value::Complex(real, imaginary.unwrap_or_default()))
        }
        [real, imaginary] => Some(Value::Complex(plain(real)?.0, plain(imaginary)?.0)),
        _ => None,
    }
}

/// The positions that a slice takes of so many items.
pub(super) fn chosen(
    start: Option<i128>,
    end: Option<i128>,
    step: i128,
    length: usize,
) -> Box<dyn Iterator<Item = usize>> {
    let length = i128::try_from(length).unwrap_or(i128::MAX);
    let count_from_end = |index: i128| if index < 0 { index.saturating_add(length) } else { index };
    let index = |position: i128| usize::try_from(position).unwrap_or_default();
    let stride = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
    if step > 0 {
        let from = start.map_or(0, |start| count_from_end(start).clamp(0, length));
        let to = end.map_or(length, |end| count_from_end(end).clamp(0, length));
        return Box::new((from..to.max(from)).map(index).step_by(stride));
    }
    let from = start.map_or(length - 1, |start| count_from_end(start).clamp(-1, length - 1));
    let to = end.map_or(-1, |end| count_from_end(end).clamp(-1, length - 1));
    Box::new((to + 1..from + 1).rev().map(index).step_by(stride))
}
