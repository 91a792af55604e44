//! Reads Python literals, with `+`, indexing and slicing of them, as profiles write them after `!py!`.

mod number;
mod subscript;
mod text;
mod word;

use super::arithmetic::{negated, parts};
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

fn distinct(items: Vec<Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::with_capacity(items.len());
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}
