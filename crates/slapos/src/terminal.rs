//! Text on its way to a terminal: what a profile, a server or an error says must not move the cursor, hide what was
//! printed, or pass for something else. Pipes and files get every byte as it is.

use std::borrow::Cow;
use std::fmt::Write as _;

/// How the colours that we print ourselves begin.
const COLOUR: &str = "\u{1b}[";

/// The text as it is shown: characters that command a terminal, or change the direction of the text, are written out.
/// Line breaks, tabs and colours stay.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    if !text.contains(is_command) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(position) = rest.find(is_command) {
        shown.push_str(&rest[..position]);
        rest = &rest[position..];
        let kept = colour(rest).or_else(|| rest.starts_with("\r\n").then_some("\r\n"));
        if let Some(kept) = kept {
            shown.push_str(kept);
            rest = &rest[kept.len()..];
            continue;
        }
        let letter = rest.chars().next().unwrap_or_default();
        let number = u32::from(letter);
        // Writing to a text cannot fail.
        let _ =
            if number < 0x100 { write!(shown, "\\x{number:02x}") } else { write!(shown, "\\u{number:04x}") };
        rest = &rest[letter.len_utf8()..];
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

fn is_command(letter: char) -> bool {
    match letter {
        '\n' | '\t' => false,
        // Separators of lines and paragraphs; what embeds, overrides and isolates a direction.
        '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        letter => letter.is_control(),
    }
}

/// The sequence at the beginning of a text that chooses a colour, or bold. Others of the kind hide what follows, or blink.
fn colour(text: &str) -> Option<&str> {
    let numbers = text.strip_prefix(COLOUR)?;
    let numbers = &numbers[..numbers.find(|letter: char| !letter.is_ascii_digit() && letter != ';')?];
    let end = COLOUR.len() + numbers.len();
    let is_harmless = matches!(numbers, "" | "0" | "1" | "2" | "39")
        || numbers
            .split(';')
            .all(|number| matches!(number.as_bytes(), [b'3' | b'9', b'0'..=b'7'] | b"1" | b"0"))
        || numbers.strip_prefix("38;5;").is_some_and(|number| number.parse::<u8>().is_ok());
    (is_harmless && text[end..].starts_with('m')).then(|| &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_as_it_is() {
        for text in ["", "a\tb\nc\r\n", "grün — 日本 🎉"] {
            assert!(
                matches!(shown(text), Cow::Borrowed(same) if same == text) || shown(text) == text,
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_commands_a_terminal_is_written_out() {
        assert_eq!(shown("a\u{1b}[2Jb\u{1b}]0;title\u{7}c"), r"a\x1b[2Jb\x1b]0;title\x07c");
        assert_eq!(shown("over\rwritten\u{8}\u{7f}"), r"over\x0dwritten\x08\x7f");
        assert_eq!(shown("\u{85}\u{9b}2J\u{2028}\u{202e}x"), r"\x85\x9b2J\u2028\u202ex");
        assert_eq!(shown("\u{1b}"), r"\x1b");
    }

    #[test]
    fn colours_stay_and_nothing_else_of_their_kind() {
        for text in ["\u{1b}[1m\u{1b}[91merror\u{1b}[0m", "\u{1b}[38;5;12mx\u{1b}[m", "\u{1b}[1;31mx"] {
            assert_eq!(shown(text), text);
        }
        assert_eq!(shown("\u{1b}[8mhidden\u{1b}[38;5;999m\u{1b}[31"), r"\x1b[8mhidden\x1b[38;5;999m\x1b[31");
    }
}
