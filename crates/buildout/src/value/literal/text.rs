//! String and bytes literals: quotes, prefixes, escapes.

use super::Reader;
use crate::value::{Value, ValueError};

impl Reader {
    /// One or more string literals side by side, which Python joins.
    pub(super) fn strings(&mut self) -> Result<Value, ValueError> {
        let mut value = self.one_string()?;
        loop {
            self.skip_blanks();
            let prefixed = matches!(self.peek(), Some('b' | 'B' | 'u' | 'U' | 'r' | 'R'))
                && matches!(self.text.get(self.at + 1), Some('\'' | '"'));
            if !prefixed && !matches!(self.peek(), Some('\'' | '"')) {
                return Ok(value);
            }
            value = match (value, self.one_string()?) {
                (Value::Str(left), Value::Str(right)) => Value::Str(left + &right),
                (Value::Bytes(left), Value::Bytes(right)) => Value::Bytes([left, right].concat()),
                _ => return Err(self.error("text and bytes do not mix")),
            };
        }
    }

    fn one_string(&mut self) -> Result<Value, ValueError> {
        let (mut is_bytes, mut is_raw) = (false, false);
        let quote = loop {
            match self.next() {
                Some('b' | 'B') => is_bytes = true,
                Some('r' | 'R') => is_raw = true,
                Some('u' | 'U') => {}
                Some(quote @ ('\'' | '"')) => break quote,
                _ => return Err(self.error("a quote is missing")),
            }
        };
        let mut text = String::new();
        let mut bytes = Vec::new();
        loop {
            let Some(letter) = self.next() else { return Err(self.error("the text is not closed")) };
            if letter == quote {
                break;
            }
            let letter = match letter {
                '\\' if !is_raw => match self.escape(is_bytes)? {
                    Some(letter) => letter,
                    None => continue,
                },
                _ => letter,
            };
            if is_bytes {
                bytes.push(u8::try_from(u32::from(letter)).map_err(|_| self.error("a byte is beyond 255"))?);
            } else {
                text.push(letter);
            }
        }
        Ok(if is_bytes { Value::Bytes(bytes) } else { Value::Str(text) })
    }

    /// The character that the escape after a backslash stands for; none for an escaped line break.
    fn escape(&mut self, is_bytes: bool) -> Result<Option<char>, ValueError> {
        let Some(letter) = self.next() else { return Err(self.error("the text is not closed")) };
        let code = match letter {
            '\n' => return Ok(None),
            '\\' | '\'' | '"' => return Ok(Some(letter)),
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            '0'..='7' => {
                let mut code = u32::from(letter) - u32::from('0');
                for _ in 0..2 {
                    let Some(digit) = self.peek().and_then(|digit| digit.to_digit(8)) else { break };
                    code = code * 8 + digit;
                    self.at += 1;
                }
                code
            }
            'x' => self.hexadecimal(2)?,
            'u' if !is_bytes => self.hexadecimal(4)?,
            'U' if !is_bytes => self.hexadecimal(8)?,
            _ => {
                // An unknown escape stands for itself, backslash included.
                self.at -= 1;
                return Ok(Some('\\'));
            }
        };
        char::from_u32(code).map(Some).ok_or_else(|| self.error("an escape that is no character"))
    }

    fn hexadecimal(&mut self, digits: usize) -> Result<u32, ValueError> {
        let mut code = 0;
        for _ in 0..digits {
            let digit = self.next().and_then(|digit| digit.to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.error("a hexadecimal digit is missing"))?;
        }
        Ok(code)
    }
}
