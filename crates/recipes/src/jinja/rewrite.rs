//! Rewrites the expressions of a template so that operators and literals have Python's meaning.
//!
//! `[1] + x` becomes `__add(__list([1]), x)`: every operator turns into a call of a function of [`super::operators`],
//! every list and dictionary literal into an object that templates may change. What Jinja2 decides lazily (`and`, `or`,
//! `if … else`) and what needs no Python (attributes, items, calls, filters, tests) stays as it is.

use std::collections::BTreeSet;

use super::SyntaxError;
use super::tokens::{Located, Token};

/// The names of a template that is imported without context: it sees what it assigns itself, and what every template
/// of Jinja2 knows.
pub(super) type OwnNames = BTreeSet<String>;

/// What a name that such a template does not see is replaced by: nobody has it.
pub(super) const UNSEEN: &str = "__unseen_";

/// What every template of Jinja2 knows.
const EVERYWHERE: [&str; 9] =
    ["range", "dict", "namespace", "loop", "caller", "varargs", "kwargs", "self", "super"];

/// Reads one tag's tokens and writes their replacement.
pub(super) struct Rewriter<'a> {
    tokens: &'a [Located],
    position: usize,
    line: usize,
    own: Option<&'a OwnNames>,
    /// Names that the tag assigns.
    assigned: Vec<String>,
}

type Rewritten = Result<String, SyntaxError>;

impl<'a> Rewriter<'a> {
    /// A rewriter of these tokens; with `own`, every other name is hidden.
    pub(super) fn new(tokens: &'a [Located], line: usize, own: Option<&'a OwnNames>) -> Self {
        Self { tokens, position: 0, line, own, assigned: Vec::new() }
    }

    /// The names that the tag assigns, of what was read so far.
    pub(super) fn into_assigned(self) -> Vec<String> {
        self.assigned
    }

    pub(super) fn error(&self, message: impl Into<String>) -> SyntaxError {
        let line = self
            .tokens
            .get(self.position)
            .or_else(|| self.tokens.last())
            .map_or(self.line, |token| token.line);
        SyntaxError::new(line, message)
    }

    pub(super) fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.position).map(|located| &located.token)
    }

    pub(super) fn next(&mut self) -> Option<&'a Token> {
        let token = self.peek();
        self.position += 1;
        token
    }

    pub(super) fn at_end(&self) -> bool {
        self.position >= self.tokens.len()
    }

    pub(super) fn sees(&self, mark: &str) -> bool {
        matches!(self.peek(), Some(Token::Mark(found)) if *found == mark)
    }

    pub(super) fn sees_name(&self, name: &str) -> bool {
        matches!(self.peek(), Some(Token::Name(found)) if found == name)
    }

    pub(super) fn skip(&mut self, mark: &str) -> bool {
        let found = self.sees(mark);
        self.position += usize::from(found);
        found
    }

    pub(super) fn skip_name(&mut self, name: &str) -> bool {
        let found = self.sees_name(name);
        self.position += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, mark: &str) -> Result<(), SyntaxError> {
        if self.skip(mark) { Ok(()) } else { Err(self.unexpected(&format!("`{mark}`"))) }
    }

    pub(super) fn unexpected(&self, expected: &str) -> SyntaxError {
        let found = match self.peek() {
            None => "the end of the tag".to_owned(),
            Some(Token::Name(name)) => format!("`{name}`"),
            Some(Token::Mark(mark)) => format!("`{mark}`"),
            Some(Token::Text(text)) => format!("the string `{text}`"),
            Some(Token::Integer(number)) => format!("`{number}`"),
            Some(Token::Float(number)) => format!("`{number}`"),
        };
        self.error(format!("expected {expected}, found {found}"))
    }

    pub(super) fn name(&mut self) -> Result<&'a str, SyntaxError> {
        match self.peek() {
            Some(Token::Name(name)) => {
                self.position += 1;
                Ok(name)
            }
            _ => Err(self.unexpected("a name")),
        }
    }

    /// A name that is assigned.
    pub(super) fn assigned_name(&mut self) -> Result<&'a str, SyntaxError> {
        let name = self.name()?;
        self.assigned.push(name.to_owned());
        Ok(name)
    }

    /// An expression, or several separated by commas, which make a tuple.
    pub(super) fn tuple(&mut self) -> Rewritten {
        self.items_or_tuple(Self::condition)
    }

    /// As [`Self::tuple`], without `… if … else …`: what follows `in` of a `for`.
    pub(super) fn tuple_without_condition(&mut self) -> Rewritten {
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
    pub(super) fn condition(&mut self) -> Rewritten {
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

    pub(super) fn disjunction(&mut self) -> Rewritten {
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

    fn primary(&mut self) -> Rewritten {
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

    fn items(&mut self, close: &str, item: fn(&mut Self) -> Rewritten) -> Result<Vec<String>, SyntaxError> {
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

    pub(super) fn postfix(&mut self, mut value: String) -> Rewritten {
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
    pub(super) fn arguments(&mut self) -> Rewritten {
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
    pub(super) fn parameters(&mut self) -> Rewritten {
        let items = self.items(")", |rewriter| {
            let name = rewriter.assigned_name()?.to_owned();
            if rewriter.skip("=") { Ok(format!("{name}={}", rewriter.condition()?)) } else { Ok(name) }
        })?;
        Ok(items.join(", "))
    }

    fn filters_and_tests(&mut self, mut value: String) -> Rewritten {
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
    pub(super) fn filter(&mut self) -> Rewritten {
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

fn constant(name: &str) -> Option<&'static str> {
    match name {
        "true" | "True" => Some("true"),
        "false" | "False" => Some("false"),
        "none" | "None" => Some("none"),
        _ => None,
    }
}

/// A string literal for the template engine, on one line.
pub(super) fn quoted(text: &str) -> String {
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
