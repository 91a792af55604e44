//! Reads the expressions of conditions, a subset of Python's.

use super::ConditionError;

/// Deeper nesting is refused instead of exhausting the stack.
const DEEPEST: usize = 60;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    None,
    Bool(bool),
    Int(i64),
    Text(String),
    Name(String),
    Tuple(Vec<Self>),
    List(Vec<Self>),
    Comprehension(Box<Comprehension>),
    Attribute(Box<Self>, String),
    Index(Box<Self>, Box<Self>),
    Slice(Box<Self>, Option<i64>, Option<i64>),
    Call(Box<Self>, Vec<Self>),
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    /// The first operand, then each comparison with what stands on its right.
    Compare(Box<Self>, Vec<(Comparison, Self)>),
}

/// `[element for variable in items if condition]`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comprehension {
    pub(crate) element: Expression,
    pub(crate) variable: String,
    pub(crate) items: Expression,
    pub(crate) condition: Option<Expression>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Is,
    IsNot,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Int(i64),
    Text(String),
    Sign(&'static str),
}

const SIGNS: [&str; 17] =
    ["==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ",", ".", ":", "-", "+", "*", "/"];

pub(super) fn parse(text: &str) -> Result<Expression, ConditionError> {
    let mut reader = Reader { tokens: tokens(text)?, at: 0, depth: 0 };
    let expression = reader.or()?;
    match reader.tokens.get(reader.at) {
        None => Ok(expression),
        Some(token) => Err(unexpected(token)),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, ConditionError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first == '\'' || first == '"' {
            let body = &rest[1..];
            let end =
                body.find(first).ok_or_else(|| ConditionError::Syntax("a text is not closed".to_owned()))?;
            if body[..end].contains('\\') {
                return Err(ConditionError::Syntax("escapes in texts are not known here".to_owned()));
            }
            tokens.push(Token::Text(body[..end].to_owned()));
            end + 2
        } else if first.is_ascii_digit() {
            let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
            let number = rest[..end].parse();
            tokens.push(Token::Int(
                number.map_err(|_| ConditionError::Syntax("a number too large".to_owned()))?,
            ));
            end
        } else if first.is_alphabetic() || first == '_' {
            let end =
                rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
            tokens.push(Token::Name(rest[..end].to_owned()));
            end
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            sign.len()
        } else {
            return Err(ConditionError::Syntax(format!("`{first}` has no meaning here")));
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn unexpected(token: &Token) -> ConditionError {
    ConditionError::Syntax(match token {
        Token::Name(name) => format!("`{name}` does not belong here"),
        Token::Int(number) => format!("`{number}` does not belong here"),
        Token::Text(text) => format!("`{text}` does not belong here"),
        Token::Sign(sign) => format!("`{sign}` does not belong here"),
    })
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Reader {
    fn or(&mut self) -> Result<Expression, ConditionError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(ConditionError::Syntax("it is nested too deep".to_owned()));
        }
        let mut left = self.and()?;
        while self.eat_word("or") {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression, ConditionError> {
        let mut left = self.not()?;
        while self.eat_word("and") {
            left = Expression::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expression, ConditionError> {
        let mut count = 0;
        while self.eat_word("not") {
            count += 1;
        }
        let inner = self.comparison()?;
        Ok(match count {
            0 => inner,
            odd if odd % 2 == 1 => Expression::Not(Box::new(inner)),
            _ => Expression::Not(Box::new(Expression::Not(Box::new(inner)))),
        })
    }

    fn comparison(&mut self) -> Result<Expression, ConditionError> {
        let left = self.postfix()?;
        let mut rest = Vec::new();
        while let Some(comparison) = self.comparison_sign() {
            rest.push((comparison, self.postfix()?));
        }
        Ok(if rest.is_empty() { left } else { Expression::Compare(Box::new(left), rest) })
    }

    fn comparison_sign(&mut self) -> Option<Comparison> {
        let signs = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        for (sign, comparison) in signs {
            if self.eat(sign) {
                return Some(comparison);
            }
        }
        if self.eat_word("in") {
            return Some(Comparison::In);
        }
        if self.eat_word("is") {
            return Some(if self.eat_word("not") { Comparison::IsNot } else { Comparison::Is });
        }
        if self.is_word(0, "not") && self.is_word(1, "in") {
            self.at += 2;
            return Some(Comparison::NotIn);
        }
        None
    }

    fn postfix(&mut self) -> Result<Expression, ConditionError> {
        let mut value = self.primary()?;
        loop {
            if self.eat(".") {
                let Some(Token::Name(name)) = self.next() else {
                    return Err(ConditionError::Syntax("a name is missing behind `.`".to_owned()));
                };
                value = Expression::Attribute(Box::new(value), name);
            } else if self.eat("(") {
                value = Expression::Call(Box::new(value), self.items(")")?.0);
            } else if self.eat("[") {
                value = self.subscript(value)?;
            } else {
                return Ok(value);
            }
        }
    }

    fn subscript(&mut self, value: Expression) -> Result<Expression, ConditionError> {
        if self.eat(":") {
            let end = self.bound()?;
            return Ok(Expression::Slice(Box::new(value), None, end));
        }
        let index = self.or()?;
        if self.eat(":") {
            let Expression::Int(start) = index else {
                return Err(ConditionError::Syntax("a slice wants numbers".to_owned()));
            };
            let end = self.bound()?;
            return Ok(Expression::Slice(Box::new(value), Some(start), end));
        }
        self.expect("]")?;
        Ok(Expression::Index(Box::new(value), Box::new(index)))
    }

    fn bound(&mut self) -> Result<Option<i64>, ConditionError> {
        if self.eat("]") {
            return Ok(None);
        }
        let Expression::Int(end) = self.or()? else {
            return Err(ConditionError::Syntax("a slice wants numbers".to_owned()));
        };
        self.expect("]")?;
        Ok(Some(end))
    }

    fn primary(&mut self) -> Result<Expression, ConditionError> {
        match self.next() {
            Some(Token::Int(number)) => Ok(Expression::Int(number)),
            Some(Token::Text(mut text)) => {
                while let Some(Token::Text(more)) = self.tokens.get(self.at) {
                    text.push_str(more);
                    self.at += 1;
                }
                Ok(Expression::Text(text))
            }
            Some(Token::Name(name)) => Ok(match name.as_str() {
                "None" => Expression::None,
                "True" => Expression::Bool(true),
                "False" => Expression::Bool(false),
                _ => Expression::Name(name),
            }),
            Some(Token::Sign("-")) => match self.primary()? {
                Expression::Int(number) => Ok(Expression::Int(-number)),
                _ => Err(ConditionError::Syntax("`-` wants a number".to_owned())),
            },
            Some(Token::Sign("(")) => {
                let (mut items, trailing_comma) = self.items(")")?;
                if items.len() == 1 && !trailing_comma {
                    return Ok(items.remove(0));
                }
                Ok(Expression::Tuple(items))
            }
            Some(Token::Sign("[")) => self.list(),
            Some(token) => Err(unexpected(&token)),
            None => Err(ConditionError::Syntax("it ends too early".to_owned())),
        }
    }

    /// A list behind its opening bracket, or what makes one.
    fn list(&mut self) -> Result<Expression, ConditionError> {
        if self.eat("]") {
            return Ok(Expression::List(Vec::new()));
        }
        let element = self.or()?;
        if self.eat_word("for") {
            return self.comprehension(element);
        }
        let mut items = vec![element];
        if self.eat(",") {
            items.extend(self.items("]")?.0);
        } else {
            self.expect("]")?;
        }
        Ok(Expression::List(items))
    }

    /// What follows the word `for`.
    fn comprehension(&mut self, element: Expression) -> Result<Expression, ConditionError> {
        let Some(Token::Name(variable)) = self.next() else {
            return Err(ConditionError::Syntax("a name is missing behind `for`".to_owned()));
        };
        if !self.eat_word("in") {
            return Err(ConditionError::Syntax("`in` is missing".to_owned()));
        }
        let items = self.or()?;
        let condition = if self.eat_word("if") { Some(self.or()?) } else { None };
        self.expect("]")?;
        Ok(Expression::Comprehension(Box::new(Comprehension { element, variable, items, condition })))
    }

    /// The items up to `close`, and whether the last was followed by a comma.
    fn items(&mut self, close: &str) -> Result<(Vec<Expression>, bool), ConditionError> {
        let mut items = Vec::new();
        let mut trailing_comma = false;
        while !self.eat(close) {
            if !items.is_empty() && !trailing_comma {
                return Err(ConditionError::Syntax(format!("`{close}` is missing")));
            }
            items.push(self.or()?);
            trailing_comma = self.eat(",");
        }
        Ok((items, trailing_comma))
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    fn eat(&mut self, wanted: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Sign(sign)) if *sign == wanted);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: &str) -> Result<(), ConditionError> {
        if self.eat(wanted) { Ok(()) } else { Err(ConditionError::Syntax(format!("`{wanted}` is missing"))) }
    }

    fn is_word(&self, ahead: usize, wanted: &str) -> bool {
        matches!(self.tokens.get(self.at + ahead), Some(Token::Name(name)) if name == wanted)
    }

    fn eat_word(&mut self, wanted: &str) -> bool {
        let found = self.is_word(0, wanted);
        self.at += usize::from(found);
        found
    }
}
