//! Operators by how closely they bind, from `a if b else c` to the sign of a number.

use super::{Rewriter, Rewritten};
use crate::jinja::tokens::{Located, Token};

impl Rewriter<'_> {
    /// An expression, or several separated by commas, which make a tuple.
    pub(in crate::jinja) fn tuple(&mut self) -> Rewritten {
        self.items_or_tuple(Self::condition)
    }

    /// As [`Self::tuple`], without `… if … else …`: what follows `in` of a `for`.
    pub(in crate::jinja) fn tuple_without_condition(&mut self) -> Rewritten {
        self.items_or_tuple(Self::disjunction)
    }

    fn items_or_tuple(&mut self, item: fn(&mut Self) -> Rewritten) -> Rewritten {
        let first = item(self)?;
        if !self.sees(",") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.skip(",") {
            if self.at_end()
                || self.sees(")")
                || self.sees("=")
                || self.sees_name("if")
                || self.sees_name("recursive")
            {
                break;
            }
            items.push(item(self)?);
        }
        let comma = if items.len() == 1 { "," } else { "" };
        Ok(format!("({}{comma})", items.join(", ")))
    }

    /// An expression: `a if b else c`, or anything that binds closer.
    pub(in crate::jinja) fn condition(&mut self) -> Rewritten {
        let mut value = self.disjunction()?;
        while self.skip_name("if") {
            let condition = self.disjunction()?;
            value = if self.skip_name("else") {
                format!("({value} if {condition} else {})", self.condition()?)
            } else {
                format!("({value} if {condition})")
            };
        }
        Ok(value)
    }

    pub(in crate::jinja) fn disjunction(&mut self) -> Rewritten {
        self.joined("or", Self::conjunction)
    }

    fn conjunction(&mut self) -> Rewritten {
        self.joined("and", Self::negation)
    }

    fn joined(&mut self, word: &str, operand: fn(&mut Self) -> Rewritten) -> Rewritten {
        let mut value = operand(self)?;
        while self.skip_name(word) {
            value = format!("({value} {word} {})", operand(self)?);
        }
        Ok(value)
    }

    fn negation(&mut self) -> Rewritten {
        if self.skip_name("not") { Ok(format!("(not {})", self.negation()?)) } else { self.comparison() }
    }

    fn comparison(&mut self) -> Rewritten {
        let first = self.sum()?;
        let mut rest = Vec::new();
        loop {
            let mark = ["==", "!=", "<=", ">=", "<", ">"].into_iter().find(|mark| self.sees(mark));
            let operator = if let Some(mark) = mark {
                self.position += 1;
                mark
            } else if self.skip_name("in") {
                "in"
            } else if self.sees_name("not") && self.follows_name("in") {
                self.position += 2;
                "not in"
            } else {
                break;
            };
            rest.push(format!("'{operator}', {}", self.sum()?));
        }
        if rest.is_empty() { Ok(first) } else { Ok(format!("__compare({first}, {})", rest.join(", "))) }
    }

    fn follows_name(&self, name: &str) -> bool {
        matches!(self.tokens.get(self.position + 1), Some(Located { token: Token::Name(found), .. }) if found == name)
    }

    fn sum(&mut self) -> Rewritten {
        self.binary(&[("+", "__add"), ("-", "__subtract")], Self::concatenation)
    }

    fn concatenation(&mut self) -> Rewritten {
        let first = self.product()?;
        if !self.sees("~") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.skip("~") {
            parts.push(self.product()?);
        }
        Ok(format!("__concatenate({})", parts.join(", ")))
    }

    fn product(&mut self) -> Rewritten {
        let operators = [("*", "__multiply"), ("/", "__divide"), ("//", "__floor_divide"), ("%", "__modulo")];
        self.binary(&operators, Self::power)
    }

    fn power(&mut self) -> Rewritten {
        self.binary(&[("**", "__power")], |rewriter| rewriter.unary(true))
    }

    fn binary(&mut self, operators: &[(&str, &str)], operand: fn(&mut Self) -> Rewritten) -> Rewritten {
        let mut left = operand(self)?;
        while let Some((_, function)) = operators.iter().find(|(mark, _)| self.sees(mark)) {
            self.position += 1;
            left = format!("{function}({left}, {})", operand(self)?);
        }
        Ok(left)
    }

    fn unary(&mut self, with_filter: bool) -> Rewritten {
        let value = if self.skip("-") {
            format!("__negative({})", self.unary(false)?)
        } else if self.skip("+") {
            format!("__positive({})", self.unary(false)?)
        } else {
            self.primary()?
        };
        let value = self.postfix(value)?;
        if with_filter { self.filters_and_tests(value) } else { Ok(value) }
    }
}
