//! Python's format specifications: `format(value, '08.3f')`, and `'{:>8}'.format(value)`.

use buildout::python_text;
use minijinja::value::{Value, ValueKind};
use minijinja::{Error, State};

use super::arguments::Arguments;
use super::number::Number;
use super::objects::{AsText, failure, type_name};
use super::text::{display, repr};

/// A parsed format specification.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spec {
    pub(super) fill: char,
    /// `<`, `>`, `^`, `=`, or `\0` for the default of the type.
    pub(super) align: char,
    pub(super) sign: char,
    pub(super) alternate: bool,
    pub(super) width: usize,
    pub(super) separator: Option<char>,
    pub(super) precision: Option<usize>,
    pub(super) kind: Option<char>,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            fill: ' ',
            align: '\0',
            sign: '-',
            alternate: false,
            width: 0,
            separator: None,
            precision: None,
            kind: None,
        }
    }
}

impl Spec {
    fn parse(text: &str) -> Result<Self, Error> {
        let bad = || failure(format!("invalid format specifier '{text}'"));
        let mut spec = Self::default();
        let characters: Vec<char> = text.chars().collect();
        let mut at = 0;
        let is_align = |character: Option<&char>| matches!(character, Some('<' | '>' | '^' | '='));
        if is_align(characters.get(1)) {
            (spec.fill, spec.align, at) = (characters[0], characters[1], 2);
        } else if is_align(characters.first()) {
            (spec.align, at) = (characters[0], 1);
        }
        if let Some(sign @ ('+' | '-' | ' ')) = characters.get(at) {
            spec.sign = *sign;
            at += 1;
        }
        if characters.get(at) == Some(&'#') {
            spec.alternate = true;
            at += 1;
        }
        if characters.get(at) == Some(&'0') {
            if spec.align == '\0' {
                (spec.fill, spec.align) = ('0', '=');
            }
            at += 1;
        }
        let digits = |from: usize| {
            characters[from..].iter().take_while(|next| next.is_ascii_digit()).collect::<String>()
        };
        let width = digits(at);
        at += width.len();
        spec.width = if width.is_empty() { 0 } else { width.parse().map_err(|_| bad())? };
        if let Some(separator @ (',' | '_')) = characters.get(at) {
            spec.separator = Some(*separator);
            at += 1;
        }
        if characters.get(at) == Some(&'.') {
            let precision = digits(at + 1);
            at += 1 + precision.len();
            spec.precision = Some(precision.parse().map_err(|_| bad())?);
        }
        spec.kind = characters.get(at).copied();
        if characters.len() > at + 1 || spec.width > 100_000 { Err(bad()) } else { Ok(spec) }
    }

    /// Fills up to the width; `sign` stays before the filling when the alignment is `=`.
    pub(super) fn pad(&self, digits: &str, sign: &str) -> String {
        let missing = self.width.saturating_sub(digits.chars().count() + sign.chars().count());
        let fill = |count: usize| String::from(self.fill).repeat(count);
        match self.align {
            '<' => format!("{sign}{digits}{}", fill(missing)),
            '^' => format!("{}{sign}{digits}{}", fill(missing / 2), fill(missing - missing / 2)),
            '=' => format!("{sign}{}{digits}", fill(missing)),
            _ => format!("{}{sign}{digits}", fill(missing)),
        }
    }
}

/// `format(value, specification)`.
pub(super) fn format(value: &Value, specification: &str) -> Result<String, Error> {
    if specification.is_empty() {
        return Ok(display(value));
    }
    format_value(value, Spec::parse(specification)?)
}

pub(super) fn format_value(value: &Value, mut spec: Spec) -> Result<String, Error> {
    let wrong = |kind: char| {
        failure(format!("Unknown format code '{kind}' for object of type '{}'", type_name(value)))
    };
    if let Some(text) = value.as_text() {
        if let Some(kind) = spec.kind.filter(|kind| *kind != 's') {
            return Err(wrong(kind));
        }
        if spec.align == '=' {
            return Err(failure("'=' alignment not allowed in string format specifier"));
        }
        let text: String = text.chars().take(spec.precision.unwrap_or(usize::MAX)).collect();
        spec.align = if spec.align == '\0' { '<' } else { spec.align };
        return Ok(spec.pad(&text, ""));
    }
    let is_plain_bool = value.kind() == ValueKind::Bool && spec.kind.is_none();
    let Some(number) = Number::of(value).filter(|_| !is_plain_bool) else {
        return Err(failure(format!("unsupported format string passed to {}.__format__", type_name(value))));
    };
    let kind = spec.kind;
    match (number, kind) {
        (Number::Integer(number), None | Some('d' | 'x' | 'X' | 'o' | 'b' | 'c' | 'n')) => {
            integer(number, &spec, kind.unwrap_or('d'))
        }
        (number, None | Some('f' | 'F' | 'e' | 'E' | 'g' | 'G' | '%')) => real(number.float(), &spec),
        (_, Some(kind)) => Err(wrong(kind)),
    }
}

fn integer(number: i128, spec: &Spec, kind: char) -> Result<String, Error> {
    if spec.precision.is_some() {
        return Err(failure("Precision not allowed in integer format specifier"));
    }
    if matches!(kind, 'c' | 'n') || (spec.separator.is_some() && kind != 'd') {
        return Err(failure(format!("the format code '{kind}' is not supported")));
    }
    let magnitude = number.unsigned_abs();
    let (digits, prefix) = match kind {
        'x' => (format!("{magnitude:x}"), "0x"),
        'X' => (format!("{magnitude:X}"), "0X"),
        'o' => (format!("{magnitude:o}"), "0o"),
        'b' => (format!("{magnitude:b}"), "0b"),
        _ => (magnitude.to_string(), ""),
    };
    let sign = sign(number < 0, spec.sign);
    let prefix = if spec.alternate { prefix } else { "" };
    padded_number(&digits, "", &format!("{sign}{prefix}"), spec)
}

fn sign(is_negative: bool, style: char) -> &'static str {
    match (is_negative, style) {
        (true, _) => "-",
        (false, '+') => "+",
        (false, ' ') => " ",
        _ => "",
    }
}

fn padded_number(whole: &str, rest: &str, sign: &str, spec: &Spec) -> Result<String, Error> {
    let whole = match spec.separator {
        Some(_) if spec.fill == '0' && spec.align == '=' => {
            return Err(failure("zero padding with a thousands separator is not supported"));
        }
        Some(separator) => grouped(whole, separator),
        None => whole.to_owned(),
    };
    Ok(spec.pad(&format!("{whole}{rest}"), sign))
}

fn grouped(digits: &str, separator: char) -> String {
    let mut output = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            output.push(separator);
        }
        output.push(digit);
    }
    output
}

fn real(number: f64, spec: &Spec) -> Result<String, Error> {
    let magnitude = number.abs();
    let is_upper = spec.kind.is_some_and(char::is_uppercase);
    let precision = spec.precision.unwrap_or(6);
    let text = if !magnitude.is_finite() {
        python_text::float(magnitude)
    } else {
        match spec.kind.map(|kind| kind.to_ascii_lowercase()) {
            Some('f') => format!("{magnitude:.precision$}"),
            Some('%') => format!("{:.precision$}%", magnitude * 100.0),
            Some('e') => scientific(magnitude, precision),
            Some(_) => general(magnitude, precision),
            None if spec.precision.is_some() => {
                return Err(failure("a precision without a format code is not supported"));
            }
            None => python_text::float(magnitude),
        }
    };
    let text = if is_upper { text.to_uppercase() } else { text };
    let whole_length = text.find(|next: char| !next.is_ascii_digit()).unwrap_or(text.len());
    let (whole, rest) = text.split_at(whole_length);
    padded_number(whole, rest, sign(number.is_sign_negative() && !number.is_nan(), spec.sign), spec)
}

fn scientific(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let (digits, exponent) = text.split_once('e').expect("this format always has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is a number");
    format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

fn general(number: f64, precision: usize) -> String {
    let precision = precision.max(1);
    let text = format!("{number:.*e}", precision - 1);
    let (_, exponent) = text.split_once('e').expect("this format always has an exponent");
    let exponent: i64 = exponent.parse().expect("the exponent is a number");
    let limit = i64::try_from(precision).unwrap_or(i64::MAX);
    if (-4..limit).contains(&exponent) {
        let decimals = usize::try_from(limit - 1 - exponent).unwrap_or(0);
        return trimmed(&format!("{number:.decimals$}"));
    }
    let text = scientific(number, precision - 1);
    let (digits, exponent) = text.split_once('e').expect("this format always has an exponent");
    format!("{}e{exponent}", trimmed(digits))
}

fn trimmed(digits: &str) -> String {
    if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        digits.to_owned()
    }
}

/// `text.format(arguments)`.
pub(super) fn format_fields(
    state: &mut State<'_, '_>,
    text: &str,
    arguments: &Arguments,
) -> Result<String, Error> {
    let mut fields = Fields { arguments, next: 0 };
    fields.render(state, text)
}

struct Fields<'a> {
    arguments: &'a Arguments,
    next: usize,
}

impl Fields<'_> {
    fn render(&mut self, state: &mut State<'_, '_>, text: &str) -> Result<String, Error> {
        let mut output = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            output.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                output.push_str(brace);
                rest = after;
            } else if brace == "}" {
                return Err(failure("Single '}' encountered in format string"));
            } else {
                let end = closing(rest).ok_or_else(|| failure("Single '{' encountered in format string"))?;
                output.push_str(&self.field(state, &rest[..end])?);
                rest = &rest[end + 1..];
            }
        }
        output.push_str(rest);
        Ok(output)
    }

    fn field(&mut self, state: &mut State<'_, '_>, field: &str) -> Result<String, Error> {
        let (field, spec) = field.split_once(':').unwrap_or((field, ""));
        let (name, conversion) = match field.split_once('!') {
            Some((name, conversion)) => (name, conversion),
            None => (field, ""),
        };
        let value = self.lookup(name)?;
        let spec = if spec.contains('{') { self.render(state, spec)? } else { spec.to_owned() };
        super::operators::defined(state, &value)?;
        match conversion {
            "" => format(&value, &spec),
            "s" => format(&Value::from(display(&value)), &spec),
            "r" => format(&Value::from(repr(&value)), &spec),
            other => Err(failure(format!("the conversion '!{other}' is not supported"))),
        }
    }

    fn lookup(&mut self, name: &str) -> Result<Value, Error> {
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (first, mut rest) = name.split_at(end);
        let mut value = if first.is_empty() {
            self.next += 1;
            self.arguments.positional().get(self.next - 1)
        } else if let Ok(index) = first.parse::<usize>() {
            self.arguments.positional().get(index)
        } else {
            self.arguments.by_name(first)
        }
        .cloned()
        .ok_or_else(|| failure(format!("the format field '{first}' has no value")))?;
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let end = inner.find(']').ok_or_else(|| failure("Missing ']' in format string"))?;
                let key =
                    inner[..end].parse::<i64>().map_or_else(|_| Value::from(&inner[..end]), Value::from);
                value = value.get_item(&key)?;
                rest = &inner[end + 1..];
            } else {
                let inner = rest.strip_prefix('.').ok_or_else(|| failure("a format field is malformed"))?;
                let end = inner.find(['.', '[']).unwrap_or(inner.len());
                value = value.get_attr(&inner[..end])?;
                rest = &inner[end..];
            }
        }
        Ok(value)
    }
}

fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, next) in text.char_indices() {
        match next {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_their_specification() {
        let cases = [
            (Value::from(1_234_567), ",", "1,234,567"),
            (Value::from(255), "#06x", "0x00ff"),
            (Value::from(42), "<6", "42    "),
            (Value::from(-42), "=+6d", "-   42"),
            (Value::from(0.000_012_3), "g", "1.23e-05"),
            (Value::from(1_000_000.0), "g", "1e+06"),
            (Value::from(2.5), ".0f", "2"),
            (Value::from(0.256), ".1%", "25.6%"),
            (Value::from("abc"), "^7", "  abc  "),
            (Value::from("abcdef"), ".2", "ab"),
        ];
        for (value, spec, expected) in cases {
            assert_eq!(format(&value, spec).unwrap(), expected, "{spec}");
        }
    }

    #[test]
    fn a_specification_that_does_not_fit_is_refused() {
        assert!(format(&Value::from("a"), "d").is_err());
        assert!(format(&Value::from(1), "q").is_err());
        assert!(format(&Value::from(1), "1z2").is_err());
    }
}
