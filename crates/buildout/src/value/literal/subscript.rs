//! What stands between `[` and `]` behind a value: an index, a key or a slice.

use super::Reader;
use crate::value::arithmetic::chosen;
use crate::value::{Value, ValueError};

impl Reader {
    pub(super) fn subscript(&mut self, value: Value) -> Result<Value, ValueError> {
        if self.eat(':') {
            return self.slice(&value, None);
        }
        let key = self.expression()?;
        if self.eat(':') {
            let Value::Int(start) = key else { return Err(self.error("a slice wants numbers")) };
            return self.slice(&value, Some(start));
        }
        self.expect(']')?;
        let found = match (&value, &key) {
            (Value::Dict(items), _) => {
                items.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone())
            }
            (Value::List(items) | Value::Tuple(items), Value::Int(index)) => {
                position(*index, items.len()).and_then(|index| items.get(index)).cloned()
            }
            (Value::Str(text), Value::Int(index)) => {
                let letters: Vec<char> = text.chars().collect();
                position(*index, letters.len())
                    .and_then(|index| letters.get(index))
                    .map(|letter| Value::Str(letter.to_string()))
            }
            _ => None,
        };
        found.ok_or_else(|| self.error("no such item"))
    }

    fn slice(&mut self, value: &Value, start: Option<i128>) -> Result<Value, ValueError> {
        let end = self.slice_end()?;
        let step = if self.eat(':') { self.slice_end()?.unwrap_or(1) } else { 1 };
        self.expect(']')?;
        if step == 0 {
            return Err(self.error("the step of a slice cannot be 0"));
        }
        let cut = |length: usize| chosen(start, end, step, length);
        match value {
            Value::Str(text) => {
                let letters: Vec<char> = text.chars().collect();
                Ok(Value::Str(cut(letters.len()).map(|index| letters[index]).collect()))
            }
            Value::List(items) => {
                Ok(Value::List(cut(items.len()).map(|index| items[index].clone()).collect()))
            }
            Value::Tuple(items) => {
                Ok(Value::Tuple(cut(items.len()).map(|index| items[index].clone()).collect()))
            }
            Value::Bytes(bytes) => Ok(Value::Bytes(cut(bytes.len()).map(|index| bytes[index]).collect())),
            _ => Err(self.error(format!("{} has no slices", value.type_name()))),
        }
    }

    /// A number of a slice behind its first colon, if there is one.
    fn slice_end(&mut self) -> Result<Option<i128>, ValueError> {
        self.skip_blanks();
        match self.peek() {
            Some(']' | ':') => Ok(None),
            _ => match self.expression()? {
                Value::Int(end) => Ok(Some(end)),
                _ => Err(self.error("a slice wants numbers")),
            },
        }
    }
}

fn position(index: i128, length: usize) -> Option<usize> {
    let length = i128::try_from(length).ok()?;
    usize::try_from(if index < 0 { index + length } else { index }).ok()
}
