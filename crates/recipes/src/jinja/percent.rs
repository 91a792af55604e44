//! `'…' % values`: the printf-like formatting of Python's strings.

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::format_spec::{Spec, format_value};
use super::number::Number;
use super::objects::{AsText, Dict, failure, iterate, pairs, type_name};
use super::text::{display, repr};

/// Formats `values` (a tuple, a mapping for `%(name)s`, or one value) into `format`.
pub(super) fn format(format: &str, values: &Value) -> Result<String, Error> {
    let mut source = Source {
        values: if values.is_tuple() { iterate(values)? } else { vec![values.clone()] },
        mapping: if values.is_tuple() { None } else { pairs(values) },
        used: 0,
    };
    let mut output = String::with_capacity(format.len());
    let mut rest = format;
    while let Some(start) = rest.find('%') {
        output.push_str(&rest[..start]);
        let (text, after) = conversion(&rest[start + 1..], &mut source)?;
        output.push_str(&text);
        rest = after;
    }
    output.push_str(rest);
    let is_spent = source.used >= source.values.len() || source.mapping.is_some();
    if is_spent { Ok(output) } else { Err(failure("not all arguments converted during string formatting")) }
}

/// Formats `text` with values for its `%(name)s`.
///
/// # Errors
/// A name without a value, or a `%` that begins no conversion.
pub(crate) fn format_names<'n>(
    text: &str,
    values: impl IntoIterator<Item = (&'n str, Value)>,
) -> Result<String, Error> {
    if !text.contains('%') {
        return Ok(text.to_owned());
    }
    format(text, &Dict::value(values.into_iter().map(|(name, value)| (Value::from(name), value))))
}

struct Source {
    values: Vec<Value>,
    mapping: Option<Vec<(Value, Value)>>,
    used: usize,
}

impl Source {
    fn next(&mut self) -> Result<Value, Error> {
        let value = self.values.get(self.used).cloned();
        self.used += 1;
        value.ok_or_else(|| failure("not enough arguments for format string"))
    }

    fn named(&self, name: &str) -> Result<Value, Error> {
        let mapping = self.mapping.as_ref().ok_or_else(|| failure("format requires a mapping"))?;
        let key = Value::from(name);
        let found = mapping.iter().find(|(other, _)| *other == key);
        found.map(|(_, value)| value.clone()).ok_or_else(|| failure(format!("KeyError: {}", repr(&key))))
    }
}

/// One conversion, after its `%`: its text, and what follows it.
fn conversion<'a>(text: &'a str, source: &mut Source) -> Result<(String, &'a str), Error> {
    let incomplete = || failure("incomplete format");
    let mut rest = text;
    let mut named = None;
    if let Some(inner) = rest.strip_prefix('(') {
        let end = inner.find(')').ok_or_else(|| failure("incomplete format key"))?;
        named = Some(source.named(&inner[..end])?);
        rest = &inner[end + 1..];
    }
    let after_flags = rest.trim_start_matches(['-', '+', ' ', '#', '0']);
    let flags = &rest[..rest.len() - after_flags.len()];
    let (width, after_width) = number(after_flags, source)?;
    let (precision, after_precision) = match after_width.strip_prefix('.') {
        Some(digits) => {
            let (precision, after) = number(digits, source)?;
            (Some(precision.unwrap_or(0)), after)
        }
        None => (None, after_width),
    };
    let after_length = after_precision.trim_start_matches(['h', 'l', 'L']);
    let kind = after_length.chars().next().ok_or_else(incomplete)?;
    let after = &after_length[kind.len_utf8()..];
    if kind == '%' {
        return Ok(("%".to_owned(), after));
    }
    let value = match named {
        Some(value) => value,
        None => source.next()?,
    };
    if value.is_undefined() {
        return Err(Error::new(minijinja::ErrorKind::UndefinedError, "an undefined value is formatted"));
    }
    let mut spec = Spec {
        fill: if flags.contains('0') && !flags.contains('-') { '0' } else { ' ' },
        align: if flags.contains('-') { '<' } else { '>' },
        sign: if flags.contains('+') {
            '+'
        } else if flags.contains(' ') {
            ' '
        } else {
            '-'
        },
        alternate: flags.contains('#'),
        width: width.unwrap_or(0),
        precision,
        ..Spec::default()
    };
    if spec.fill == '0' {
        spec.align = '=';
    }
    Ok((convert(kind, &value, spec)?, after))
}

fn number<'a>(text: &'a str, source: &mut Source) -> Result<(Option<usize>, &'a str), Error> {
    if let Some(rest) = text.strip_prefix('*') {
        let width = source.next()?.as_usize().ok_or_else(|| failure("* wants int"))?;
        return Ok((Some(width), rest));
    }
    let rest = text.trim_start_matches(|next: char| next.is_ascii_digit());
    let digits = &text[..text.len() - rest.len()];
    if digits.is_empty() {
        return Ok((None, rest));
    }
    digits.parse().map(|number| (Some(number), rest)).map_err(|_| failure("width too big"))
}

fn convert(kind: char, value: &Value, mut spec: Spec) -> Result<String, Error> {
    let wrong =
        |wanted: &str| failure(format!("%{kind} format: {wanted} is required, not {}", type_name(value)));
    match kind {
        's' | 'r' | 'a' => {
            let text = if kind == 's' { display(value) } else { repr(value) };
            if kind == 'a' && !text.is_ascii() {
                return Err(failure("%a of text beyond ASCII is not supported"));
            }
            let text = spec.precision.map_or_else(|| text.clone(), |most| text.chars().take(most).collect());
            (spec.fill, spec.align) = (' ', if spec.align == '<' { '<' } else { '>' });
            Ok(spec.pad(&text, ""))
        }
        'c' => {
            let text = match value.as_text() {
                Some(text) if text.chars().count() == 1 => text.to_owned(),
                _ => {
                    let code =
                        value.as_i64().and_then(|code| u32::try_from(code).ok()).and_then(char::from_u32);
                    code.ok_or_else(|| wrong("a character"))?.to_string()
                }
            };
            Ok(spec.pad(&text, ""))
        }
        'd' | 'i' | 'u' => {
            let number = match Number::of(value) {
                Some(Number::Integer(number)) => number,
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "Python truncates as well; the size is checked"
                )]
                Some(Number::Float(number)) if number.abs() < 1e18 => number as i128,
                _ => return Err(wrong("a real number")),
            };
            spec.kind = Some('d');
            zero_filled(number, spec)
        }
        'x' | 'X' | 'o' => {
            let Some(Number::Integer(number)) = Number::of(value) else { return Err(wrong("an integer")) };
            spec.kind = Some(kind);
            zero_filled(number, spec)
        }
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            if !matches!(value.kind(), ValueKind::Number | ValueKind::Bool) {
                return Err(wrong("a real number"));
            }
            spec.kind = Some(kind);
            let number = Number::of(value).ok_or_else(|| wrong("a real number"))?.float();
            format_value(&Value::from(number), spec)
        }
        other => Err(failure(format!("unsupported format character '{other}'"))),
    }
}

/// An integer, for which a precision means a least number of digits.
fn zero_filled(number: i128, mut spec: Spec) -> Result<String, Error> {
    match spec.precision.take() {
        Some(_) => Err(failure("a precision of an integer is not supported")),
        None => format_value(&super::number::whole(number), spec),
    }
}

#[cfg(test)]
mod tests {
    use super::super::objects::tuple;
    use super::*;

    #[test]
    fn every_common_conversion_matches_python() {
        let number = |number: f64| Value::from(number);
        let cases = [
            ("%s-%r", tuple(vec![Value::from("a"), Value::from("b")]), "a-'b'"),
            (
                "%5d|%-5d|%05d|%+d",
                tuple(vec![Value::from(42), 42.into(), (-42).into(), 42.into()]),
                "   42|42   |-0042|+42",
            ),
            ("%x %X %#x %o", tuple(vec![255.into(), 255.into(), 255.into(), 8.into()]), "ff FF 0xff 10"),
            (
                "%.2f %8.3f %e",
                tuple(vec![number(1.005), number(3.15), number(12345.678)]),
                "1.00    3.150 1.234568e+04",
            ),
            ("%(a)s%%", Dict::value([(Value::from("a"), Value::from(1))]), "1%"),
            ("%.3s|%5s", tuple(vec![Value::from("abcdef"), Value::from("x")]), "abc|    x"),
            ("%s", Value::from(()), "None"),
        ];
        for (pattern, values, expected) in cases {
            assert_eq!(format(pattern, &values).unwrap(), expected, "{pattern}");
        }
    }

    #[test]
    fn the_number_of_values_must_match() {
        assert!(format("%s %s", &tuple(vec![1.into()])).is_err());
        assert!(format("%s", &tuple(vec![1.into(), 2.into()])).is_err());
        assert!(format("no conversion", &Value::from(1)).is_err());
    }
}
