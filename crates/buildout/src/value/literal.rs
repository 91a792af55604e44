//! Reads Python literals, with `+`, indexing and slicing of them, as profiles write them after `!py!`.

use super::arithmetic::{chosen, complex, negated, parts};
use super::{Value, ValueError};

/// Deeper nesting is refused instead of exhausting the stack.
const DEEPEST: u32 = 100;

pub(super) fn parse(text: &str) -> Result<Value, ValueError> {
    let mut reader = Reader { text: text.chars().collect(), at: 0, depth: 0 };
    let value = reader.expression()?;
    reader.skip_blanks();
    if reader.at < reader.text.len() {
        return Err(reader.error("something follows the value"));
    }
    Ok(value)
}

struct Reader {
    text: Vec<char>,
    at: usize,
    depth: u32,
}

impl Reader {
    fn expression(&mut self) -> Result<Value, ValueError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error("nested too deep"));
        }
        let mut left = self.postfix()?;
        loop {
            if self.eat('-') {
                let right = self.postfix()?;
                left = self.sum(left, negated(right).ok_or_else(|| self.error("`-` wants a number"))?)?;
                continue;
            }
            if !self.eat('+') {
                break;
            }
            let right = self.postfix()?;
            left = match (left, right) {
                (Value::Str(left), Value::Str(right)) => Value::Str(left + &right),
                (Value::List(left), Value::List(right)) => Value::List([left, right].concat()),
                (Value::Tuple(left), Value::Tuple(right)) => Value::Tuple([left, right].concat()),
                (Value::Bytes(left), Value::Bytes(right)) => Value::Bytes([left, right].concat()),
                (left, right) => self.sum(left, right)?,
            };
        }
        self.depth -= 1;
        Ok(left)
    }

    /// The sum of two numbers.
    fn sum(&self, left: Value, right: Value) -> Result<Value, ValueError> {
        if let (Value::Int(left), Value::Int(right)) = (&left, &right) {
            let sum = left.checked_add(*right).ok_or_else(|| self.error("a number too large"))?;
            return Ok(Value::Int(sum));
        }
        match (parts(&left), parts(&right)) {
            (Some((left, None)), Some((right, None))) => Ok(Value::Float(left + right)),
            (Some((real, imaginary)), Some((more, further))) => {
                let imaginary = match (imaginary, further) {
                    (Some(one), Some(other)) => one + other,
                    (one, other) => one.or(other).unwrap_or_default(),
                };
                Ok(Value::Complex(real + more, imaginary))
            }
            _ => {
                let reason = format!("{} + {} has no meaning", left.type_name(), right.type_name());
                Err(self.error(reason))
            }
        }
    }

    fn postfix(&mut self) -> Result<Value, ValueError> {
        let mut value = self.primary()?;
        while self.eat('[') {
            value = self.subscript(value)?;
        }
        Ok(value)
    }

    fn subscript(&mut self, value: Value) -> Result<Value, ValueError> {
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

    fn primary(&mut self) -> Result<Value, ValueError> {
        self.skip_blanks();
        match self.peek() {
            Some('[') => {
                self.at += 1;
                Ok(Value::List(self.items(']')?.0))
            }
            Some('(') => {
                self.at += 1;
                let (mut items, trailing_comma) = self.items(')')?;
                if items.len() == 1 && !trailing_comma {
                    return Ok(items.remove(0));
                }
                Ok(Value::Tuple(items))
            }
            Some('{') => {
                self.at += 1;
                self.braces()
            }
            Some('\'' | '"') => self.strings(),
            Some('-') => {
                self.at += 1;
                let number = self.primary()?;
                negated(number).ok_or_else(|| self.error("`-` wants a number"))
            }
            Some(digit) if digit.is_ascii_digit() || digit == '.' => self.number(),
            Some(letter) if letter.is_alphabetic() || letter == '_' => self.word(),
            Some(other) => Err(self.error(format!("unexpected `{other}`"))),
            None => Err(self.error("the value ends too early")),
        }
    }

    /// The items up to `close`, and whether the last was followed by a comma.
    fn items(&mut self, close: char) -> Result<(Vec<Value>, bool), ValueError> {
        let mut items = Vec::new();
        let mut trailing_comma = false;
        while !self.eat(close) {
            if !items.is_empty() && !trailing_comma {
                return Err(self.error("a comma is missing"));
            }
            items.push(self.expression()?);
            trailing_comma = self.eat(',');
        }
        Ok((items, trailing_comma))
    }

    fn braces(&mut self) -> Result<Value, ValueError> {
        if self.eat('}') {
            return Ok(Value::Dict(Vec::new()));
        }
        let first = self.expression()?;
        if !self.eat(':') {
            let mut items = vec![first];
            if !self.eat('}') {
                self.expect(',')?;
                items.extend(self.items('}')?.0);
            }
            return Ok(Value::Set(distinct(items)));
        }
        let mut pairs: Vec<(Value, Value)> = Vec::new();
        let mut key = first;
        loop {
            let value = self.expression()?;
            match pairs.iter_mut().find(|(known, _)| *known == key) {
                Some(pair) => pair.1 = value,
                None => pairs.push((key, value)),
            }
            let comma = self.eat(',');
            if self.eat('}') {
                return Ok(Value::Dict(pairs));
            }
            if !comma {
                return Err(self.error("a comma is missing"));
            }
            key = self.expression()?;
            self.expect(':')?;
        }
    }

    fn word(&mut self) -> Result<Value, ValueError> {
        let start = self.at;
        while self.peek().is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
            self.at += 1;
        }
        let word: String = self.text[start..self.at].iter().collect();
        match word.as_str() {
            "None" => return Ok(Value::None),
            "True" => return Ok(Value::Bool(true)),
            "False" => return Ok(Value::Bool(false)),
            _ => {}
        }
        if matches!(self.peek(), Some('\'' | '"')) && word.len() <= 2 {
            self.at = start;
            return self.strings();
        }
        if !matches!(word.as_str(), "set" | "frozenset" | "list" | "tuple" | "dict" | "bytearray" | "complex")
        {
            self.at = start;
            return Err(self.error(format!("unknown name `{word}`")));
        }
        self.expect('(')?;
        let mut arguments = self.items(')')?.0;
        if word == "complex" {
            return complex(&arguments).ok_or_else(|| self.error("`complex` takes two numbers"));
        }
        if arguments.len() > 1 {
            return Err(self.error(format!("`{word}` takes one argument")));
        }
        let made = match (word.as_str(), arguments.pop()) {
            ("bytearray", None) => Some(Value::ByteArray(Vec::new())),
            ("bytearray", Some(Value::Bytes(bytes))) => Some(Value::ByteArray(bytes)),
            ("dict", None) => Some(Value::Dict(Vec::new())),
            ("dict", Some(Value::Dict(pairs))) => Some(Value::Dict(pairs)),
            (kind, None) => collection(kind, Vec::new()),
            (
                kind,
                Some(Value::List(items) | Value::Tuple(items) | Value::Set(items) | Value::FrozenSet(items)),
            ) => collection(kind, items),
            _ => None,
        };
        made.ok_or_else(|| self.error(format!("`{word}` of this has no meaning")))
    }

    fn number(&mut self) -> Result<Value, ValueError> {
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

    /// One or more string literals side by side, which Python joins.
    fn strings(&mut self) -> Result<Value, ValueError> {
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

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek();
        self.at += usize::from(letter.is_some());
        letter
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.skip_blanks();
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: char) -> Result<(), ValueError> {
        if self.eat(wanted) { Ok(()) } else { Err(self.error(format!("`{wanted}` is missing"))) }
    }

    fn error(&self, reason: impl Into<String>) -> ValueError {
        ValueError::Literal { reason: reason.into(), position: self.at + 1 }
    }
}

fn collection(kind: &str, items: Vec<Value>) -> Option<Value> {
    match kind {
        "set" => Some(Value::Set(distinct(items))),
        "frozenset" => Some(Value::FrozenSet(distinct(items))),
        "list" => Some(Value::List(items)),
        "tuple" => Some(Value::Tuple(items)),
        _ => None,
    }
}

fn distinct(items: Vec<Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::with_capacity(items.len());
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}

fn position(index: i128, length: usize) -> Option<usize> {
    let length = i128::try_from(length).ok()?;
    usize::try_from(if index < 0 { index + length } else { index }).ok()
}
