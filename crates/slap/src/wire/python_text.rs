//! How Python's `str()` spells values. The stand-alone master keeps parameters as texts in this spelling.

use std::fmt::Write as _;

use super::marshal::Marshalled;

impl Marshalled {
    /// The text that `str()` gives in Python: texts as they are, the inside of containers as `repr()`.
    #[must_use]
    pub fn python_str(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            _ => {
                let mut output = String::new();
                repr(self, &mut output);
                output
            }
        }
    }
}

fn repr(value: &Marshalled, output: &mut String) {
    match value {
        Marshalled::None => output.push_str("None"),
        Marshalled::Bool(true) => output.push_str("True"),
        Marshalled::Bool(false) => output.push_str("False"),
        Marshalled::Int(integer) => {
            let _ = write!(output, "{integer}");
        }
        Marshalled::Long(digits) => output.push_str(digits),
        Marshalled::Float(float) => output.push_str(&float_text(*float)),
        Marshalled::Text(text) => text_repr(text, output),
        Marshalled::Tuple(items) => {
            sequence("(", items, if items.len() == 1 { ",)" } else { ")" }, output);
        }
        Marshalled::List(items) => sequence("[", items, "]", output),
        Marshalled::Set(items) if items.is_empty() => output.push_str("set()"),
        Marshalled::Set(items) => sequence("{", items, "}", output),
        Marshalled::Map(entries) => mapping(entries.iter().map(|(key, value)| (key, value)), output),
        Marshalled::Object { attributes, .. } => {
            let named: Vec<_> =
                attributes.iter().map(|(name, value)| (Marshalled::text(name), value)).collect();
            mapping(named.iter().map(|(name, value)| (name, *value)), output);
        }
    }
}

fn sequence(open: &str, items: &[Marshalled], close: &str, output: &mut String) {
    output.push_str(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            output.push_str(", ");
        }
        repr(item, output);
    }
    output.push_str(close);
}

fn mapping<'a>(entries: impl Iterator<Item = (&'a Marshalled, &'a Marshalled)>, output: &mut String) {
    output.push('{');
    for (index, (key, value)) in entries.enumerate() {
        if index > 0 {
            output.push_str(", ");
        }
        repr(key, output);
        output.push_str(": ");
        repr(value, output);
    }
    output.push('}');
}

fn text_repr(text: &str, output: &mut String) {
    // Python prefers single quotes and changes to double ones only when that saves it from escaping.
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    output.push(quote);
    for character in text.chars() {
        match character {
            '\\' => output.push_str("\\\\"),
            '\n' => output.push_str("\\n"),
            '\r' => output.push_str("\\r"),
            '\t' => output.push_str("\\t"),
            _ if character == quote => {
                output.push('\\');
                output.push(character);
            }
            _ if is_printable(character) => output.push(character),
            _ => {
                let code = character as u32;
                let _ = match code {
                    0..=0xff => write!(output, "\\x{code:02x}"),
                    0x100..=0xffff => write!(output, "\\u{code:04x}"),
                    _ => write!(output, "\\U{code:08x}"),
                };
            }
        }
    }
    output.push(quote);
}

/// Close to Python's idea of a printable character: the standard library knows no general categories, so unassigned
/// code points count as printable here.
fn is_printable(character: char) -> bool {
    character == ' '
        || !(character.is_control()
            || character.is_whitespace()
            || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}'))
}

/// The shortest text that reads back as the same number, in Python's choice between plain and scientific notation.
pub(super) fn float_text(float: f64) -> String {
    if float.is_nan() {
        return "nan".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { "inf".to_owned() } else { "-inf".to_owned() };
    }
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').expect("this notation always has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is a small integer");
    if (-4..16).contains(&exponent) {
        let plain = format!("{float}");
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_spelled_as_python_does() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.5, "1.5"),
            (100.0, "100.0"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.25e22, "1.25e+22"),
            (1e100, "1e+100"),
            (1_795_210_007.374_203_2, "1795210007.3742032"),
            (f64::INFINITY, "inf"),
        ];
        for (float, text) in cases {
            assert_eq!(float_text(float), text);
        }
    }

    #[test]
    fn containers_are_spelled_as_python_does() {
        let value = Marshalled::map([
            ("x", Marshalled::List(vec![Marshalled::Int(1), Marshalled::text("a"), Marshalled::None])),
            ("it's", Marshalled::Tuple(vec![Marshalled::Bool(true)])),
            ("q", Marshalled::text("it's \"both\"\n\u{1}\u{a0}é")),
        ]);

        assert_eq!(
            value.python_str(),
            r#"{'x': [1, 'a', None], "it's": (True,), 'q': 'it\'s "both"\n\x01\xa0é'}"#
        );
    }

    #[test]
    fn a_text_alone_is_not_quoted() {
        assert_eq!(Marshalled::text("it's").python_str(), "it's");
        assert_eq!(Marshalled::None.python_str(), "None");
    }
}
