//! The values of conditions, and what Python does with them: items, order, the methods of texts.

use std::cmp::Ordering;

use super::ConditionError;
use super::expression::Comparison;

/// What an expression evaluates to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Text(String),
    Tuple(Vec<Self>),
    List(Vec<Self>),
    /// A module or one of its functions, by its full name.
    Module(String),
    /// A method of a text, to be called.
    Method(String, String),
    /// What an opened file holds.
    File(String),
    /// Named fields.
    Record(Vec<(&'static str, Self)>),
    Map(Vec<(String, Self)>),
}

impl Value {
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(number) => *number != 0,
            Self::Text(text) => !text.is_empty(),
            Self::Tuple(items) | Self::List(items) => !items.is_empty(),
            Self::Map(items) => !items.is_empty(),
            Self::Module(_) | Self::Method(..) | Self::File(_) | Self::Record(_) => true,
        }
    }
}

pub(super) fn method(text: &str, name: &str, arguments: &[Value]) -> Option<Value> {
    let flag = |value| Some(Value::Bool(value));
    let list = |items: Vec<&str>| {
        Some(Value::List(items.into_iter().map(|item| Value::Text(item.into())).collect()))
    };
    match (name, arguments) {
        ("read", []) => Some(Value::Text(text.to_owned())),
        ("lower", []) => Some(Value::Text(text.to_lowercase())),
        ("upper", []) => Some(Value::Text(text.to_uppercase())),
        ("strip", []) => Some(Value::Text(text.trim().to_owned())),
        ("split", []) => list(text.split_whitespace().collect()),
        ("split", [Value::Text(by)]) if !by.is_empty() => list(text.split(by.as_str()).collect()),
        ("startswith", [Value::Text(start)]) => flag(text.starts_with(start.as_str())),
        ("endswith", [Value::Text(end)]) => flag(text.ends_with(end.as_str())),
        ("startswith" | "endswith", [Value::Tuple(choices)]) => {
            let mut any = false;
            for choice in choices {
                let Value::Text(choice) = choice else { return None };
                any |= if name == "startswith" { text.starts_with(choice) } else { text.ends_with(choice) };
            }
            flag(any)
        }
        _ => None,
    }
}

pub(super) fn index_of(owner: &Value, index: &Value) -> Result<Value, ConditionError> {
    let missing = || ConditionError::Meaning("there is no such item".to_owned());
    match (owner, index) {
        (Value::Tuple(items) | Value::List(items), Value::Int(index)) => {
            position(*index, items.len()).map(|index| items[index].clone()).ok_or_else(missing)
        }
        (Value::Text(text), Value::Int(index)) => {
            let letters: Vec<char> = text.chars().collect();
            position(*index, letters.len())
                .map(|index| Value::Text(letters[index].to_string()))
                .ok_or_else(missing)
        }
        (Value::Map(items), Value::Text(key)) => {
            items.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone()).ok_or_else(missing)
        }
        (Value::Tuple(_) | Value::List(_) | Value::Text(_) | Value::Map(_), _) => Err(missing()),
        // Of what `os.uname` gives, not every field is here.
        _ => Err(ConditionError::Beyond("this has no items".to_owned())),
    }
}

fn position(index: i64, length: usize) -> Option<usize> {
    let index = if index < 0 { index + length as i64 } else { index };
    usize::try_from(index).ok().filter(|index| *index < length)
}

pub(super) fn slice(owner: &Value, start: Option<i64>, end: Option<i64>) -> Result<Value, ConditionError> {
    let cut = |length: usize| {
        let bound = |index: i64| {
            let index = if index < 0 { index + length as i64 } else { index };
            usize::try_from(index.max(0)).unwrap_or(length).min(length)
        };
        let from = start.map_or(0, bound);
        from..end.map_or(length, bound).max(from)
    };
    match owner {
        Value::Tuple(items) => Ok(Value::Tuple(items[cut(items.len())].to_vec())),
        Value::List(items) => Ok(Value::List(items[cut(items.len())].to_vec())),
        Value::Text(text) => {
            let letters: Vec<char> = text.chars().collect();
            Ok(Value::Text(letters[cut(letters.len())].iter().collect()))
        }
        _ => Err(ConditionError::Beyond("this has no slices".to_owned())),
    }
}

pub(super) fn compare(left: &Value, comparison: Comparison, right: &Value) -> Result<bool, ConditionError> {
    let ordered =
        || order(left, right).ok_or_else(|| ConditionError::Beyond("these values have no order".to_owned()));
    Ok(match comparison {
        Comparison::Equal | Comparison::Is => is_equal(left, right),
        Comparison::NotEqual | Comparison::IsNot => !is_equal(left, right),
        Comparison::Less => ordered()?.is_lt(),
        Comparison::LessOrEqual => ordered()?.is_le(),
        Comparison::Greater => ordered()?.is_gt(),
        Comparison::GreaterOrEqual => ordered()?.is_ge(),
        Comparison::In => contains(right, left)?,
        Comparison::NotIn => !contains(right, left)?,
    })
}

fn is_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Bool(flag), Value::Int(number)) | (Value::Int(number), Value::Bool(flag)) => {
            i64::from(*flag) == *number
        }
        _ => left == right,
    }
}

fn contains(container: &Value, item: &Value) -> Result<bool, ConditionError> {
    match (container, item) {
        (Value::Text(text), Value::Text(part)) => Ok(text.contains(part.as_str())),
        (Value::Tuple(items) | Value::List(items), _) => Ok(items.iter().any(|other| is_equal(other, item))),
        (Value::Map(items), Value::Text(key)) => Ok(items.iter().any(|(name, _)| name == key)),
        _ => Err(ConditionError::Beyond("`in` has no meaning between these values".to_owned())),
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Tuple(left), Value::Tuple(right)) | (Value::List(left), Value::List(right)) => {
            for (left, right) in left.iter().zip(right) {
                if !is_equal(left, right) {
                    return order(left, right);
                }
            }
            Some(left.len().cmp(&right.len()))
        }
        _ => None,
    }
}
