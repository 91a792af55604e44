//! Amounts of bytes as people write them: `1000M`, `1.5 GB`, `20 mebi`. Every unit is a power of 1024.

/// A text that is not an amount of bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a size such as 1000M or 1.5 GB")]
pub struct SizeError {
    text: String,
}

const PREFIXES: [(char, &str, &str); 8] = [
    ('k', "kilo", "kibi"),
    ('m', "mega", "mebi"),
    ('g', "giga", "gibi"),
    ('t', "tera", "tebi"),
    ('p', "peta", "pebi"),
    ('e', "exa", "exbi"),
    ('z', "zetta", "zebi"),
    ('y', "yotta", "yobi"),
];

/// Reads an amount of bytes: a number, optional blanks, an optional unit.
///
/// # Errors
/// Anything else, and an amount that does not fit 64 bits.
pub fn parse(text: &str) -> Result<u64, SizeError> {
    let refused = || SizeError { text: text.to_owned() };
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(end);
    let number: f64 = number.parse().map_err(|_| refused())?;
    let exponent = exponent(unit.trim()).ok_or_else(refused)?;
    let bytes = number * 1024_f64.powi(exponent);
    if bytes.is_finite() && bytes < 18_446_744_073_709_551_615.0 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be in range just above"
        )]
        Ok(bytes as u64)
    } else {
        Err(refused())
    }
}

/// Writes an amount of bytes with one decimal and a unit: `1000.0 MB`.
#[must_use]
pub fn print(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is printed")]
    let mut amount = bytes as f64;
    let mut unit = "B".to_owned();
    for (letter, _, _) in PREFIXES {
        if amount < 1024.0 {
            break;
        }
        amount /= 1024.0;
        unit = format!("{}B", letter.to_ascii_uppercase());
    }
    if unit == "B" { format!("{amount:.1}") } else { format!("{amount:.1} {unit}") }
}

fn exponent(unit: &str) -> Option<i32> {
    let unit = unit.to_ascii_lowercase();
    if matches!(unit.as_str(), "" | "b" | "byte" | "bytes") {
        return Some(0);
    }
    PREFIXES.iter().zip(1..).find_map(|((letter, decimal, binary), exponent)| {
        let short = unit.strip_prefix(*letter).is_some_and(|rest| matches!(rest, "" | "b" | "i" | "ib"));
        let long = [decimal, binary].iter().any(|word| {
            unit.strip_prefix(**word).is_some_and(|rest| matches!(rest, "" | "b" | "byte" | "bytes"))
        });
        (short || long).then_some(exponent)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_a_power_of_1024() {
        assert_eq!(parse("1000M"), Ok(1000 * 1024 * 1024));
        assert_eq!(parse("1.5 GB"), Ok(1024 * 1024 * 1536));
        assert_eq!(parse("2Ki"), Ok(2048));
        assert_eq!(parse("3 kibi"), Ok(3072));
        assert_eq!(parse("3 mega"), Ok(3 * 1024 * 1024));
        assert_eq!(parse("17"), Ok(17));
        assert_eq!(parse("17B"), Ok(17));
    }

    #[test]
    fn what_is_not_a_size_is_refused() {
        for text in ["", "M", "1 parsec", "-1", "1..2", "999999Y"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn amounts_are_printed_with_one_decimal() {
        assert_eq!(print(1000 * 1024 * 1024), "1000.0 MB");
        assert_eq!(print(1024 * 1024 * 1024), "1.0 GB");
        assert_eq!(print(512), "512.0");
    }
}
