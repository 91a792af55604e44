//! Slices of texts, bytes and sequences.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, State};

use super::arguments::Arguments;
use super::objects::{AsText, List, Range, failure, is_list, iterate, tuple, type_name};
use super::operators::defined;

/// The call `__slice(sequence, start, stop, step)`.
pub(super) fn slice(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
