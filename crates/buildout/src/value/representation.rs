//! Values as Python's `repr` writes them, dictionaries and sets sorted.

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::{Value, ValueError, python_text};

pub(super) fn write(value: &Value, out: &mut String) -> Result<(), ValueError> {
    match value {
        Value::None => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Float(number) => float(*number, out)?,
        Value::Complex(real, imaginary) => complex(*real, *imaginary, out)?,
        Value::Str(text) => python_text::text(text, out),
        Value::Bytes(bytes) => python_text::bytes(bytes, out),
        Value::ByteArray(bytes) => {
            out.push_str("bytearray(");
            python_text::bytes(bytes, out);
            out.push(')');
        }
        Value::List(items) => sequence('[', items, ']', out)?,
        Value::Tuple(items) if items.len() == 1 => {
            out.push('(');
            write(&items[0], out)?;
            out.push_str(",)");
        }
        Value::Tuple(items) => sequence('(', items, ')', out)?,
        Value::Set(items) if items.is_empty() => out.push_str("set()"),
        Value::Set(items) => sequence('{', &sorted(items), '}', out)?,
        Value::FrozenSet(items) if items.is_empty() => out.push_str("frozenset()"),
        Value::FrozenSet(items) => {
            out.push_str("frozenset(");
            sequence('{', &sorted(items), '}', out)?;
            out.push(')');
        }
        Value::Dict(items) => dictionary(items, out)?,
    }
    Ok(())
}

fn sequence(open: char, items: &[Value], close: char, out: &mut String) -> Result<(), ValueError> {
    out.push(open);
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push_str(", ");
        }
        write(item, out)?;
    }
    out.push(close);
    Ok(())
}

fn dictionary(items: &[(Value, Value)], out: &mut String) -> Result<(), ValueError> {
    let mut items: Vec<&(Value, Value)> = items.iter().collect();
    items.sort_by(|left, right| order(&left.0, &right.0));
    out.push('{');
    for (position, (key, value)) in items.into_iter().enumerate() {
        if position > 0 {
            out.push_str(", ");
        }
        write(key, out)?;
        out.push_str(": ");
        write(value, out)?;
    }
    out.push('}');
    Ok(())
}

fn sorted(items: &[Value]) -> Vec<Value> {
    let mut items = items.to_vec();
    items.sort_by(order);
    items
}

/// Numbers by size, texts by code point; values that do not compare, by the names of their types.
fn order(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Str(left), Value::Str(right)) => left.cmp(right),
        (Value::Bytes(left), Value::Bytes(right)) => left.cmp(right),
        (Value::Tuple(left), Value::Tuple(right)) => left
            .iter()
            .zip(right)
            .map(|(left, right)| order(left, right))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| left.len().cmp(&right.len())),
        _ => match (number(left), number(right)) {
            (Some(left), Some(right)) => left.total_cmp(&right),
            _ => left.type_name().cmp(right.type_name()),
        },
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

fn float(number: f64, out: &mut String) -> Result<(), ValueError> {
    if !number.is_finite() {
        return Err(ValueError::NotFinite);
    }
    out.push_str(&python_text::float(number));
    Ok(())
}

fn complex(real: f64, imaginary: f64, out: &mut String) -> Result<(), ValueError> {
    let short = |number: f64| -> Result<String, ValueError> {
        let mut text = String::new();
        float(number, &mut text)?;
        Ok(text.strip_suffix(".0").map(str::to_owned).unwrap_or(text))
    };
    let (left, right) = (short(real)?, short(imaginary)?);
    if real == 0.0 && real.is_sign_positive() {
        let _ = write!(out, "{right}j");
    } else {
        let sign = if right.starts_with('-') { "" } else { "+" };
        let _ = write!(out, "({left}{sign}{right}j)");
    }
    Ok(())
}
