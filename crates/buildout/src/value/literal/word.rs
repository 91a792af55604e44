//! Words: `None`, `True`, `False`, and the types that are called to make a value.

use super::{Reader, distinct};
use crate::value::arithmetic::complex;
use crate::value::{Value, ValueError};

impl Reader {
    pub(super) fn word(&mut self) -> Result<Value, ValueError> {
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
