//! Number literals: integers, floats and imaginary ones.

use super::Reader;
use crate::value::{Value, ValueError};

impl Reader {
    pub(super) fn number(&mut self) -> Result<Value, ValueError> {
        let start = self.at;
        let mut is_float = false;
        while let Some(letter) = self.peek() {
            match letter {
                '0'..='9' | '_' => {}
                '.' => is_float = true,
                'e' | 'E' => {
                    is_float = true;
                    if matches!(self.text.get(self.at + 1), Some('+' | '-')) {
                        self.at += 1;
                    }
                }
                _ => break,
            }
            self.at += 1;
        }
        let end = self.at;
        let is_imaginary = self.eat('j') || self.eat('J');
        let digits: String = self.text[start..end].iter().filter(|letter| **letter != '_').collect();
        let value = if is_imaginary {
            digits
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .map(|part| Value::Complex(0.0, part))
        } else if is_float {
            digits.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float)
        } else if self.text[..start].last() == Some(&'-') {
            // The smallest number has no positive twin; it is read whole and turned by the caller.
            digits.parse::<u128>().ok().and_then(|number| match number {
                0x8000_0000_0000_0000_0000_0000_0000_0000 => Some(Value::Int(i128::MIN)),
                _ => i128::try_from(number).ok().map(Value::Int),
            })
        } else {
            digits.parse().ok().map(Value::Int)
        };
        value.ok_or_else(|| self.error(format!("`{digits}` is no number")))
    }
}
