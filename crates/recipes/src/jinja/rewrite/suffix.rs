//! What follows an operand: attributes, items, calls, filters and tests.

use super::{Rewriter, Rewritten};
use crate::jinja::tokens::{Located, Token};

impl Rewriter<'_> {
    pub(in crate::jinja) fn postfix(&mut self, mut value: String) -> Rewritten {
        loop {
            if self.skip(".") {
                match self.next() {
                    Some(Token::Name(name)) => value = format!("{value}.{name}"),
                    Some(Token::Integer(index)) => value = format!("{value}[{index}]"),
                    _ => {
                        self.position -= 1;
                        return Err(self.unexpected("a name or a number"));
                    }
                }
            } else if self.skip("[") {
                value = self.subscript(&value)?;
            } else if self.skip("(") {
                value = format!("{value}({})", self.arguments()?);
            } else {
                return Ok(value);
            }
        }
    }

    fn subscript(&mut self, value: &str) -> Rewritten {
        let mut bounds: Vec<String> = Vec::new();
        let mut is_slice = false;
        loop {
            if self.sees(":") || self.sees("]") {
                bounds.push("none".to_owned());
            } else {
                bounds.push(self.condition()?);
            }
            if self.skip(":") {
                is_slice = true;
            } else if self.sees(",") {
                return Err(self.error("several subscripts are not supported"));
            } else {
                self.expect("]")?;
                break;
            }
        }
        if !is_slice {
            let index = bounds.pop().filter(|index| index != "none");
            return index
                .map(|index| format!("{value}[{index}]"))
                .ok_or_else(|| self.error("an empty subscript"));
        }
        bounds.resize(3, "none".to_owned());
        Ok(format!("__slice({value}, {})", bounds.join(", ")))
    }

    /// Call arguments after their opening bracket, up to and including the closing one.
    pub(in crate::jinja) fn arguments(&mut self) -> Rewritten {
        let items = self.items(")", |rewriter| {
            if rewriter.skip("**") {
                return Ok(format!("**{}", rewriter.condition()?));
            }
            if rewriter.skip("*") {
                return Ok(format!("*{}", rewriter.condition()?));
            }
            let is_named = matches!(
                rewriter.tokens.get(rewriter.position + 1),
                Some(Located { token: Token::Mark("="), .. })
            );
            if is_named {
                let name = rewriter.name()?;
                rewriter.expect("=")?;
                return Ok(format!("{name}={}", rewriter.condition()?));
            }
            rewriter.condition()
        })?;
        Ok(items.join(", "))
    }

    /// The parameters of a macro after their opening bracket, up to and including the closing one.
    pub(in crate::jinja) fn parameters(&mut self) -> Rewritten {
        let items = self.items(")", |rewriter| {
            let name = rewriter.assigned_name()?.to_owned();
            if rewriter.skip("=") { Ok(format!("{name}={}", rewriter.condition()?)) } else { Ok(name) }
        })?;
        Ok(items.join(", "))
    }

    pub(super) fn filters_and_tests(&mut self, mut value: String) -> Rewritten {
        loop {
            if self.skip("|") {
                value = format!("{value}|{}", self.filter()?);
            } else if self.skip_name("is") {
                value = self.test(&value)?;
            } else if self.skip("(") {
                value = format!("({value})({})", self.arguments()?);
            } else {
                return Ok(value);
            }
        }
    }

    /// A filter's name and arguments, after its `|`.
    pub(in crate::jinja) fn filter(&mut self) -> Rewritten {
        let mut filter = self.dotted_name()?;
        if self.skip("(") {
            filter = format!("{filter}({})", self.arguments()?);
        }
        Ok(filter)
    }

    fn dotted_name(&mut self) -> Rewritten {
        let mut name = self.name()?.to_owned();
        while self.skip(".") {
            name = format!("{name}.{}", self.name()?);
        }
        Ok(name)
    }

    fn test(&mut self, value: &str) -> Rewritten {
        let is_negated = self.skip_name("not");
        let name = self.dotted_name()?;
        let arguments = if self.skip("(") {
            self.arguments()?
        } else if self.starts_operand() {
            let operand = self.primary()?;
            self.postfix(operand)?
        } else {
            String::new()
        };
        let test = match name.as_str() {
            "in" => format!("__compare({value}, 'in', {arguments})"),
            _ if arguments.is_empty() => format!("({value} is {name})"),
            _ => format!("({value} is {name}({arguments}))"),
        };
        Ok(if is_negated { format!("(not {test})") } else { test })
    }

    fn starts_operand(&self) -> bool {
        match self.peek() {
            Some(Token::Name(name)) => {
                !matches!(name.as_str(), "else" | "or" | "and" | "is" | "if" | "in" | "not")
            }
            Some(Token::Text(_) | Token::Integer(_) | Token::Float(_) | Token::Mark("[" | "{")) => true,
            _ => false,
        }
    }
}
