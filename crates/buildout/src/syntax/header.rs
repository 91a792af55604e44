//! The line that opens a section: `[name]`, `[name : condition]`, each with a comment behind it.

use std::borrow::Cow;

use super::is_blank;

/// A section header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header<'a> {
    pub(super) name: &'a str,
    /// The condition, its two escapes undone.
    pub(super) condition: Option<Cow<'a, str>>,
}

pub(super) fn parse(line: &str) -> Option<Header<'_>> {
    let rest = line.strip_prefix('[')?.trim_start_matches(is_blank);
    let is_name = |letter: char| !is_blank(letter) && !"#[]:;{}".contains(letter);
    let end = rest.find(|letter| !is_name(letter))?;
    let (name, rest) = rest.split_at(end);
    if name.is_empty() {
        return None;
    }
    let rest = rest.trim_start_matches(is_blank);
    if let Some(condition) = rest.strip_prefix(':') {
        // A condition may hold brackets but neither comment sign, so the last bracket before a comment closes it.
        let before_comment = condition.split(['#', ';']).next()?;
        let condition = before_comment.trim_end_matches(is_blank).strip_suffix(']')?;
        let condition = (!condition.is_empty()).then(|| unescape(condition));
        return Some(Header { name, condition });
    }
    let behind = rest.strip_prefix(']')?.trim_start_matches(is_blank);
    (behind.is_empty() || behind.starts_with(['#', ';'])).then_some(Header { name, condition: None })
}

fn unescape(condition: &str) -> Cow<'_, str> {
    if !condition.contains("\\x") {
        return Cow::Borrowed(condition);
    }
    Cow::Owned(condition.replace("\\x23", "#").replace("\\x3b", ";"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(line: &str) -> Option<&str> {
        parse(line).filter(|header| header.condition.is_none()).map(|header| header.name)
    }

    #[test]
    fn blanks_and_a_comment_may_surround_the_name() {
        for line in ["[a]", "[ a ]", "[a] # b", "[a];b", "[a]\t", "[a:]"] {
            assert_eq!(plain(line), Some("a"), "{line}");
        }
    }

    #[test]
    fn other_lines_are_no_headers() {
        for line in ["a", " [a]", "[a", "[a] b", "[a b]", "[]", "[ ]", "[a{]", "[a]b", "[a]]"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn a_condition_ends_at_the_last_bracket_before_a_comment() {
        let condition = |line| parse(line).unwrap().condition.unwrap();

        assert_eq!(condition("[a: b[0] ] # c]"), " b[0] ");
        assert_eq!(condition("[a:x == '\\x23\\x3b']"), "x == '#;'");
        assert_eq!(condition("[a : b]"), " b");
    }
}
