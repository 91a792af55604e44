//! The tokens inside a Jinja2 tag: what is between `{{` and `}}`, or between `{%` and `%}`.

use super::SyntaxError;

/// One token. Strings are decoded: their quotes and escapes are gone.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name(String),
    Integer(i128),
    Float(f64),
    Text(String),
    /// An operator or a punctuation mark.
    Mark(&'static str),
}

/// A token and the line it starts on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Located {
    pub(super) token: Token,
    pub(super) line: usize,
}

/// What was between two delimiters.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) tokens: Vec<Located>,
    /// Bytes from the start of the text up to and including the closing delimiter.
    pub(super) length: usize,
    /// The closing delimiter with its white space control, as written.
    pub(super) close: String,
    /// Line breaks inside the tag.
    pub(super) breaks: usize,
}

// Longest first, so that `//` is not read as two divisions.
const MARKS: [&str; 28] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
    "=", ".", ":", "|", ",", ";", "&", "^",
];

/// Reads the tokens at the start of `text` up to the delimiter `close` (`}}` or `%}`), which inside brackets does not
/// count.
pub(super) fn read_tag(text: &str, close: &str, first_line: usize) -> Result<Tag, SyntaxError> {
    let mut reader = Reader { text, offset: 0, line: first_line, open: Vec::new() };
    let mut tokens = Vec::new();
    loop {
        reader.skip_blanks();
        if reader.rest().is_empty() {
            return Err(SyntaxError::new(first_line, format!("the tag is not closed by `{close}`")));
        }
        if let Some(closing) = reader.closing(close) {
            reader.offset += closing.len();
            return Ok(Tag {
                tokens,
                length: reader.offset,
                close: closing,
                breaks: reader.line - first_line,
            });
        }
        tokens.push(reader.token()?);
    }
}

struct Reader<'a> {
    text: &'a str,
    offset: usize,
    line: usize,
    open: Vec<char>,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.offset..]
    }

    fn skip_blanks(&mut self) {
        while let Some(next) = self.rest().chars().next().filter(|next| next.is_whitespace()) {
            self.offset += next.len_utf8();
            self.line += usize::from(next == '\n');
        }
    }

    fn closing(&self, close: &str) -> Option<String> {
        if !self.open.is_empty() {
            return None;
        }
        ["-", "+", ""]
            .iter()
            .map(|control| format!("{control}{close}"))
            .find(|closing| self.rest().starts_with(closing))
    }

    fn token(&mut self) -> Result<Located, SyntaxError> {
        let line = self.line;
        let first = self.rest().chars().next().expect("the caller has seen that something is left");
        let token = if first == '\'' || first == '"' {
            self.text_literal(first)?
        } else if first.is_ascii_digit() {
            self.number()?
        } else if first == '_' || first.is_alphabetic() {
            let name: String =
                self.rest().chars().take_while(|next| *next == '_' || next.is_alphanumeric()).collect();
            self.offset += name.len();
            Token::Name(name)
        } else {
            self.mark(first)?
        };
        Ok(Located { token, line })
    }

    fn mark(&mut self, first: char) -> Result<Token, SyntaxError> {
        let Some(mark) = MARKS.into_iter().find(|mark| self.rest().starts_with(mark)) else {
            return Err(SyntaxError::new(self.line, format!("unexpected character `{first}`")));
        };
        match first {
            '(' | '[' | '{' => self.open.push(first),
            ')' | ']' | '}' => {
                let expected = match first {
                    ')' => '(',
                    ']' => '[',
                    _ => '{',
                };
                if self.open.pop() != Some(expected) {
                    return Err(SyntaxError::new(self.line, format!("unexpected `{first}`")));
                }
            }
            _ => {}
        }
        self.offset += mark.len();
        Ok(Token::Mark(mark))
    }

    fn number(&mut self) -> Result<Token, SyntaxError> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
            if rest.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(prefix)) {
                let digits: String =
                    rest[2..].chars().take_while(|next| *next == '_' || next.is_digit(radix)).collect();
                self.offset += 2 + digits.len();
                return self.integer(&digits, radix);
            }
        }
        let digits = |from: usize| {
            bytes[from..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'_').count()
        };
        let whole = digits(0);
        let mut end = whole;
        let mut is_float = false;
        if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
            end += 1 + digits(end + 1);
            is_float = true;
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits(end + 1 + sign);
            if exponent > 0 {
                end += 1 + sign + exponent;
                is_float = true;
            }
        }
        self.offset += end;
        if !is_float {
            return self.integer(&rest[..end], 10);
        }
        rest[..end].replace('_', "").parse().map(Token::Float).map_err(|_| self.bad_number(&rest[..end]))
    }

    fn integer(&self, digits: &str, radix: u32) -> Result<Token, SyntaxError> {
        i128::from_str_radix(&digits.replace('_', ""), radix)
            .map(Token::Integer)
            .map_err(|_| self.bad_number(digits))
    }

    fn bad_number(&self, text: &str) -> SyntaxError {
        SyntaxError::new(self.line, format!("`{text}` is not a number that can be read"))
    }

    fn text_literal(&mut self, quote: char) -> Result<Token, SyntaxError> {
        let start = self.line;
        let mut raw = String::new();
        let mut characters = self.rest()[1..].chars();
        loop {
            match characters.next() {
                None => return Err(SyntaxError::new(start, "a string is not closed")),
                Some(next) if next == quote => break,
                Some('\\') => {
                    raw.push('\\');
                    if let Some(escaped) = characters.next() {
                        raw.push(escaped);
                    }
                }
                Some(next) => raw.push(next),
            }
        }
        self.offset = self.text.len() - characters.as_str().len();
        self.line += raw.matches('\n').count();
        unescape(&raw).map(Token::Text).map_err(|reason| SyntaxError::new(start, reason))
    }
}

/// Decodes the escapes of a Python string literal; an unknown escape stays as it is written.
fn unescape(raw: &str) -> Result<String, String> {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw.chars();
    while let Some(next) = rest.next() {
        if next != '\\' {
            text.push(next);
            continue;
        }
        match rest.next() {
            None => text.push('\\'),
            Some('\n') => {}
            Some(plain @ ('\\' | '\'' | '"')) => text.push(plain),
            Some('a') => text.push('\x07'),
            Some('b') => text.push('\x08'),
            Some('f') => text.push('\x0c'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('v') => text.push('\x0b'),
            Some('x') => text.push(hexadecimal(&mut rest, 2)?),
            Some('u') => text.push(hexadecimal(&mut rest, 4)?),
            Some('U') => text.push(hexadecimal(&mut rest, 8)?),
            Some('N') => return Err("named characters (`\\N{…}`) are not supported".to_owned()),
            Some(digit @ '0'..='7') => {
                let mut code = digit.to_digit(8).expect("the pattern allows octal digits only");
                for _ in 0..2 {
                    let Some(more) = rest.clone().next().and_then(|next| next.to_digit(8)) else { break };
                    code = code * 8 + more;
                    rest.next();
                }
                text.push(char::from_u32(code).expect("three octal digits are below the surrogates"));
            }
            Some(other) => {
                text.push('\\');
                text.push(other);
            }
        }
    }
    Ok(text)
}

fn hexadecimal(rest: &mut std::str::Chars<'_>, digits: usize) -> Result<char, String> {
    let code: String = rest.by_ref().take(digits).collect();
    (code.len() == digits)
        .then(|| u32::from_str_radix(&code, 16).ok().and_then(char::from_u32))
        .flatten()
        .ok_or_else(|| format!("`{code}` is not the code of a character"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token> {
        read_tag(text, "}}", 1).unwrap().tokens.into_iter().map(|located| located.token).collect()
    }

    #[test]
    fn a_closing_delimiter_inside_brackets_does_not_count() {
        let tag = read_tag("{'a': {}}['a'] -}} rest", "}}", 1).unwrap();

        assert_eq!(tag.close, "-}}");
        assert_eq!(tag.length, 18);
    }

    #[test]
    fn strings_keep_unknown_escapes_and_decode_the_others() {
        assert_eq!(tokens(r#"'\d\n\x41\u00e9\101"' }}"#), [Token::Text("\\d\nA\u{e9}A\"".to_owned())]);
    }

    #[test]
    fn numbers_are_read_in_every_notation() {
        let expected = [
            Token::Integer(1000),
            Token::Integer(255),
            Token::Float(1.5e3),
            Token::Integer(1),
            Token::Mark("."),
            Token::Name("real".to_owned()),
        ];

        assert_eq!(tokens("1_000 0xff 1.5e3 1.real }}"), expected);
    }

    #[test]
    fn what_is_not_closed_is_named_with_its_line() {
        assert_eq!(read_tag("\n'abc }}", "}}", 3).unwrap_err().to_string(), "line 4: a string is not closed");
        assert_eq!(
            read_tag("abc", "}}", 3).unwrap_err().to_string(),
            "line 3: the tag is not closed by `}}`"
        );
        assert_eq!(read_tag("(] }}", "}}", 3).unwrap_err().to_string(), "line 3: unexpected `]`");
    }
}
