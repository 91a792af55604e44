//! Words of a POSIX shell: splitting them as Python's `shlex.split` does, and quoting them.

/// Why a text is no list of shell words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WordsError {
    /// A quotation mark is not closed.
    #[error("no closing quotation")]
    OpenQuotation,
    /// The text ends in a backslash.
    #[error("no escaped character")]
    OpenEscape,
}

/// Splits a text into words; quotes and backslashes are taken away.
///
/// # Errors
/// A quotation or an escape that is not complete.
pub(crate) fn split(text: &str) -> Result<Vec<String>, WordsError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        match next {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next() {
                        None => return Err(WordsError::OpenQuotation),
                        Some('\'') => break,
                        Some(inner) => word.push(inner),
                    }
                }
            }
            '"' => double_quoted(&mut rest, word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().push(rest.next().ok_or(WordsError::OpenEscape)?),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

fn double_quoted(rest: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), WordsError> {
    loop {
        match rest.next() {
            None => return Err(WordsError::OpenQuotation),
            Some('"') => return Ok(()),
            Some('\\') => match rest.next() {
                None => return Err(WordsError::OpenEscape),
                Some(escaped @ ('"' | '\\')) => word.push(escaped),
                Some(other) => word.extend(['\\', other]),
            },
            Some(inner) => word.push(inner),
        }
    }
}

/// A word as a shell reads it back, quoted only when it must be.
pub(crate) fn quote(word: &str) -> String {
    let is_safe = |next: char| next.is_ascii_alphanumeric() || "_@%+=:,./-".contains(next);
    if !word.is_empty() && word.chars().all(is_safe) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r#"'"'"'"#))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does() {
        let text = r#"a "b c" 'd "e"' f\ g h"i"'j' '' "k\"l\n" "#;

        assert_eq!(split(text).unwrap(), ["a", "b c", "d \"e\"", "f g", "hij", "", "k\"l\\n"]);
    }

    #[test]
    fn what_is_not_closed_is_refused() {
        assert_eq!(split("a 'b"), Err(WordsError::OpenQuotation));
        assert_eq!(split("a \"b"), Err(WordsError::OpenQuotation));
        assert_eq!(split("a \\"), Err(WordsError::OpenEscape));
    }

    proptest! {
        #[test]
        fn quoted_words_are_read_back(words in proptest::collection::vec(".*", 0..5)) {
            let line = words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(split(&line).unwrap(), words);
        }
    }
}
