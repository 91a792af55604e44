//! Python's numbers: what counts as one, what they do with one another, and how they are read and rounded.

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::objects::{failure, type_name};

/// A number as Python computes with it.
#[derive(Clone, Copy)]
pub(super) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value.kind() {
            ValueKind::Bool => Some(Self::Integer(i128::from(value.is_true()))),
            ValueKind::Number if value.is_integer() => i128::try_from(value.clone()).ok().map(Self::Integer),
            ValueKind::Number => f64::try_from(value.clone()).ok().map(Self::Float),
            _ => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "Python converts integers to floats in the same way")]
    pub(super) fn float(self) -> f64 {
        match self {
            Self::Integer(number) => number as f64,
            Self::Float(number) => number,
        }
    }
}

/// An integer as a value, however large.
pub(super) fn whole(number: i128) -> Value {
    i64::try_from(number).map_or_else(|_| Value::from(number), Value::from)
}

/// `left operator right` of two numbers.
pub(super) fn arithmetic(operator: &str, left: &Value, right: &Value) -> Result<Value, Error> {
    let (Some(a), Some(b)) = (Number::of(left), Number::of(right)) else {
        let (left, right) = (type_name(left), type_name(right));
        return Err(failure(format!("unsupported operand type(s) for {operator}: '{left}' and '{right}'")));
    };
    if let (Number::Integer(a), Number::Integer(b)) = (a, b)
        && operator != "/"
        && !(operator == "**" && b < 0)
    {
        return integers(operator, a, b).map(whole);
    }
    let (a, b) = (a.float(), b.float());
    let divides = matches!(operator, "/" | "//" | "%");
    if (divides && b == 0.0) || (operator == "**" && a == 0.0 && b < 0.0) {
        return Err(failure("division by zero"));
    }
    Ok(Value::from(match operator {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        "//" => (a / b).floor(),
        "%" => {
            let remainder = a % b;
            if remainder != 0.0 && (remainder < 0.0) != (b < 0.0) { remainder + b } else { remainder }
        }
        _ if a < 0.0 && b.fract() != 0.0 => return Err(failure("complex numbers are not supported")),
        _ => a.powf(b),
    }))
}

fn integers(operator: &str, a: i128, b: i128) -> Result<i128, Error> {
    if b == 0 && matches!(operator, "//" | "%") {
        return Err(failure("integer division or modulo by zero"));
    }
    let result = match operator {
        "+" => a.checked_add(b),
        "-" => a.checked_sub(b),
        "*" => a.checked_mul(b),
        "//" => a
            .checked_div(b)
            .map(|quotient| if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient }),
        "%" => a.checked_rem(b).map(|rest| if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }),
        _ => u32::try_from(b).ok().and_then(|exponent| a.checked_pow(exponent)),
    };
    result.ok_or_else(|| failure(format!("the result of `{operator}` is too large")))
}

/// `abs(value)`.
pub(super) fn absolute(value: &Value) -> Result<Value, Error> {
    match Number::of(value) {
        Some(Number::Integer(number)) => Ok(whole(number.abs())),
        Some(Number::Float(number)) => Ok(Value::from(number.abs())),
        None => Err(failure(format!("bad operand type for abs(): '{}'", type_name(value)))),
    }
}

/// A float without its fraction; `None` for one that is too large.
#[expect(clippy::cast_possible_truncation, reason = "Python truncates as well; the size is checked")]
pub(super) fn truncated(number: f64) -> Option<i128> {
    (number.abs() < 1e18).then_some(number as i128)
}

/// A float with so many digits behind the point. Its decimal text is exact, so that it is rounded as Python rounds.
pub(super) fn rounded(number: f64, digits: usize) -> Result<Value, Error> {
    format!("{number:.digits$}")
        .parse::<f64>()
        .map(Value::from)
        .map_err(|_| failure("this number cannot be rounded"))
}

/// An integer as `int(text, base)` reads it.
pub(super) fn parse_integer(text: &str, base: i64) -> Option<i128> {
    let text = text.trim();
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut radix = u32::try_from(base).ok()?;
    let mut digits = digits.to_ascii_lowercase();
    for (prefix, of) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if (radix == of || radix == 0) && digits.starts_with(prefix) {
            digits.drain(..2);
            radix = of;
        }
    }
    let is_plain =
        !digits.is_empty() && !digits.starts_with('_') && !digits.ends_with('_') && !digits.contains("__");
    let radix = if radix == 0 { 10 } else { radix };
    if !is_plain || digits.starts_with(['+', '-']) || !(2..=36).contains(&radix) {
        return None;
    }
    let number = i128::from_str_radix(&digits.replace('_', ""), radix).ok()?;
    Some(if is_negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_rounds_as_python_does() {
        let compute = |operator, a: i64, b: i64| {
            arithmetic(operator, &Value::from(a), &Value::from(b)).unwrap().to_string()
        };

        assert_eq!(compute("//", -7, 2), "-4");
        assert_eq!(compute("%", -7, 2), "1");
        assert_eq!(compute("%", 7, -2), "-1");
        assert_eq!(compute("/", 6, 3), "2.0");
        assert_eq!(compute("**", 2, 10), "1024");
    }
}
