//! Rewrites the expressions of a template so that operators and literals have Python's meaning.
//!
//! `[1] + x` becomes `__add(__list([1]), x)`: every operator turns into a call of a function of [`super::operators`],
//! every list and dictionary literal into an object that templates may change. What Jinja2 decides lazily (`and`, `or`,
//! `if … else`) and what needs no Python (attributes, items, calls, filters, tests) stays as it is.

mod expression;
mod operand;
mod suffix;

use std::collections::BTreeSet;

use super::SyntaxError;
use super::tokens::{Located, Token};

/// The names of a template that is imported without context: it sees what it assigns itself, and what every template
/// of Jinja2 knows.
pub(super) type OwnNames = BTreeSet<String>;

/// What a name that such a template does not see is replaced by: nobody has it.
pub(super) const UNSEEN: &str = "__unseen_";

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
}
