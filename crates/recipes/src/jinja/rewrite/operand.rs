//! What operators work on: names, literals, and what stands in brackets.

use super::{Rewriter, Rewritten, UNSEEN};
use crate::jinja::SyntaxError;
use crate::jinja::tokens::Token;

/// What every template of Jinja2 knows.
const EVERYWHERE: [&str; 9] =
    ["range", "dict", "namespace", "loop", "caller", "varargs", "kwargs", "self", "super"];

impl Rewriter<'_> {
    pub(super) fn primary(&mut self) -> Rewritten {
        let Some(token) = self.peek() else { return Err(self.unexpected("an expression")) };
        match token {
            Token::Name(name) => {
                self.position += 1;
                if let Some(constant) = constant(name) {
                    return Ok(constant.to_owned());
                }
                let is_seen =
                    self.own.is_none_or(|own| own.contains(name) || EVERYWHERE.contains(&name.as_str()));
                Ok(if is_seen { name.clone() } else { format!("{UNSEEN}{name}") })
            }
            Token::Integer(number) => {
                self.position += 1;
                Ok(number.to_string())
            }
            Token::Float(number) => {
                self.position += 1;
                Ok(format!("__float('{number:?}')"))
            }
            Token::Text(_) => {
                let mut text = String::new();
                while let Some(Token::Text(part)) = self.peek() {
                    text.push_str(part);
                    self.position += 1;
                }
                Ok(quoted(&text))
            }
            Token::Mark("(") => {
                self.position += 1;
                if self.skip(")") {
                    return Ok("()".to_owned());
                }
                let inner = self.tuple()?;
                self.expect(")")?;
                Ok(format!("({inner})"))
            }
            Token::Mark("[") => {
                self.position += 1;
                let items = self.items("]", Self::condition)?;
                Ok(format!("__list([{}])", items.join(", ")))
            }
            Token::Mark("{") => {
                self.position += 1;
                let items = self.items("}", |rewriter| {
                    let key = rewriter.condition()?;
                    rewriter.expect(":")?;
                    Ok(format!("{key}, {}", rewriter.condition()?))
                })?;
                Ok(format!("__dict([{}])", items.join(", ")))
            }
            Token::Mark(_) => Err(self.unexpected("an expression")),
        }
    }

    pub(super) fn items(
        &mut self,
        close: &str,
        item: fn(&mut Self) -> Rewritten,
    ) -> Result<Vec<String>, SyntaxError> {
        let mut items = Vec::new();
        while !self.skip(close) {
            if !items.is_empty() {
                self.expect(",")?;
                if self.skip(close) {
                    break;
                }
            }
            items.push(item(self)?);
        }
        Ok(items)
    }
}

fn constant(name: &str) -> Option<&'static str> {
    match name {
        "true" | "True" => Some("true"),
        "false" | "False" => Some("false"),
        "none" | "None" => Some("none"),
        _ => None,
    }
}

/// A string literal for the template engine, on one line.
fn quoted(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for next in text.chars() {
        match next {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            _ => literal.push(next),
        }
    }
    literal.push('"');
    literal
}
