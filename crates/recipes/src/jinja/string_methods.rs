//! The methods of Python's str, bytes and tuple.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::arguments::Arguments;
use super::format_spec::format_fields;
use super::objects::{AsText, List, failure, iterate, tuple, type_name};
use super::order::equal;
use super::text::repr;

/// Calls a method of a value that is none of our objects.
pub(super) fn call(
    state: &mut State<'_, '_>,
    value: &Value,
    name: &str,
    args: &[Value],
) -> Result<Value, Error> {
    let arguments = Arguments::new(name, args);
    if value.is_safe() {
        return Err(failure(format!("`{name}` of escaped text is not supported")));
    }
    match value.kind() {
        ValueKind::String => text_method(state, value.as_text().unwrap_or_default(), name, &arguments),
        ValueKind::Bytes => bytes_method(value.as_bytes().unwrap_or_default(), name, &arguments),
        ValueKind::Seq if value.is_tuple() => tuple_method(value, name, &arguments),
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn text_method(
    state: &mut State<'_, '_>,
    text: &str,
    name: &str,
    arguments: &Arguments,
) -> Result<Value, Error> {
    let changed = match name {
        "upper" => text.to_uppercase(),
        "lower" => text.to_lowercase(),
        "title" => title(text),
        "capitalize" => capitalized(text),
        "swapcase" => text
            .chars()
            .map(|next| {
                if next.is_uppercase() {
                    next.to_lowercase().to_string()
                } else {
                    next.to_uppercase().to_string()
                }
            })
            .collect(),
        "strip" | "lstrip" | "rstrip" => strip(text, name, arguments.optional_text(0, "chars")?).to_owned(),
        "replace" => {
            let (old, new) = (arguments.text(0, "old")?, arguments.text(1, "new")?);
            match arguments.optional_integer(2, "count")?.and_then(|count| usize::try_from(count).ok()) {
                Some(count) => text.replacen(old, new, count),
                None => text.replace(old, new),
            }
        }
        "join" => {
            let items = iterate(arguments.require(0, "iterable")?)?;
            let parts: Result<Vec<&str>, Error> = items
                .iter()
                .map(|item| {
                    item.as_text().ok_or_else(|| {
                        failure(format!("sequence item: expected str instance, {} found", type_name(item)))
                    })
                })
                .collect();
            parts?.join(text)
        }
        "format" => format_fields(state, text, arguments)?,
        "removeprefix" => text.strip_prefix(arguments.text(0, "prefix")?).unwrap_or(text).to_owned(),
        "removesuffix" => text.strip_suffix(arguments.text(0, "suffix")?).unwrap_or(text).to_owned(),
        "ljust" | "rjust" | "center" | "zfill" => justified(text, name, arguments)?,
        "encode" => return encode(text, arguments.optional_text(0, "encoding")?),
        "split" | "rsplit" => return split(text, name, arguments),
        "splitlines" => return Ok(lines(text, arguments.flag(0, "keepends", false))),
        "partition" | "rpartition" => return partition(text, name, arguments.text(0, "sep")?),
        "startswith" | "endswith" => return affix(text, name, arguments),
        "find" | "rfind" | "index" | "rindex" => return find(text, name, arguments),
        "count" => {
            let part = arguments.text(0, "sub")?;
            let count = if part.is_empty() { text.chars().count() + 1 } else { text.matches(part).count() };
            return Ok(Value::from(count));
        }
        _ => return question(text, name),
    };
    Ok(Value::from(changed))
}

/// The methods that answer yes or no.
fn question(text: &str, name: &str) -> Result<Value, Error> {
    let all = |holds: fn(char) -> bool| !text.is_empty() && text.chars().all(holds);
    let cased = |holds: fn(char) -> bool, never: fn(char) -> bool| {
        text.chars().any(holds) && !text.chars().any(never)
    };
    Ok(Value::from(match name {
        "isdigit" | "isdecimal" | "isnumeric" if text.is_ascii() => all(|next| next.is_ascii_digit()),
        "isalpha" => all(char::is_alphabetic),
        "isalnum" => all(char::is_alphanumeric),
        "isspace" => all(char::is_whitespace),
        "isupper" => cased(char::is_uppercase, char::is_lowercase),
        "islower" => cased(char::is_lowercase, char::is_uppercase),
        "isascii" => text.is_ascii(),
        _ => return Err(Error::from(ErrorKind::UnknownMethod)),
    }))
}

pub(super) fn title(text: &str) -> String {
    let mut inside = false;
    text.chars()
        .flat_map(|next| {
            let changed: Vec<char> =
                if inside { next.to_lowercase().collect() } else { next.to_uppercase().collect() };
            inside = next.is_alphabetic();
            changed
        })
        .collect()
}

pub(super) fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters.flat_map(char::to_lowercase)).collect()
    })
}

fn strip<'a>(text: &'a str, name: &str, characters: Option<&str>) -> &'a str {
    let drop = |next: char| characters.map_or(next.is_whitespace(), |characters| characters.contains(next));
    match name {
        "lstrip" => text.trim_start_matches(drop),
        "rstrip" => text.trim_end_matches(drop),
        _ => text.trim_matches(drop),
    }
}

fn justified(text: &str, name: &str, arguments: &Arguments) -> Result<String, Error> {
    let width = usize::try_from(arguments.integer(0, "width")?).unwrap_or(0);
    let fill = if name == "zfill" { "0" } else { arguments.optional_text(1, "fillchar")?.unwrap_or(" ") };
    let missing = width.saturating_sub(text.chars().count());
    if missing > 1_000_000 || fill.chars().count() != 1 {
        return Err(failure(format!("{name}() with such a width or fill character is not supported")));
    }
    Ok(match name {
        "ljust" => format!("{text}{}", fill.repeat(missing)),
        "rjust" => format!("{}{text}", fill.repeat(missing)),
        "center" => {
            // Python puts the odd one on the left exactly when both the gap and the width are odd.
            let left = missing / 2 + (missing & width & 1);
            format!("{}{text}{}", fill.repeat(left), fill.repeat(missing - left))
        }
        _ => {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            format!("{}{}{digits}", &text[..text.len() - digits.len()], fill.repeat(missing))
        }
    })
}

pub(super) fn encode(text: &str, encoding: Option<&str>) -> Result<Value, Error> {
    match encoding.unwrap_or("utf-8").to_ascii_lowercase().replace('_', "-").as_str() {
        "utf-8" | "utf8" => Ok(Value::from_bytes(text.as_bytes().to_vec())),
        "ascii" | "us-ascii" if text.is_ascii() => Ok(Value::from_bytes(text.as_bytes().to_vec())),
        other => Err(failure(format!("encoding this text as {other} is not supported"))),
    }
}

fn texts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Value {
    List::value(parts.into_iter().map(Value::from).collect())
}

fn split(text: &str, name: &str, arguments: &Arguments) -> Result<Value, Error> {
    let most = arguments.optional_integer(1, "maxsplit")?.and_then(|most| usize::try_from(most).ok());
    let Some(separator) = arguments.optional_text(0, "sep")? else {
        return match most {
            None => Ok(texts(text.split_whitespace())),
            Some(most) => Ok(split_blanks(text, most, name == "rsplit")),
        };
    };
    if separator.is_empty() {
        return Err(failure("empty separator"));
    }
    Ok(match (most, name) {
        (None, _) => texts(text.split(separator)),
        (Some(most), "split") => texts(text.splitn(most + 1, separator)),
        (Some(most), _) => {
            let mut parts: Vec<&str> = text.rsplitn(most + 1, separator).collect();
            parts.reverse();
            texts(parts)
        }
    })
}

fn split_blanks(text: &str, most: usize, from_right: bool) -> Value {
    let mut parts = Vec::new();
    let mut rest = if from_right { text.trim_end() } else { text.trim_start() };
    while parts.len() < most && !rest.is_empty() {
        let (part, left) = if from_right {
            let at = rest
                .rfind(char::is_whitespace)
                .map_or(0, |at| at + rest[at..].chars().next().map_or(1, char::len_utf8));
            (&rest[at..], rest[..at].trim_end())
        } else {
            let at = rest.find(char::is_whitespace).unwrap_or(rest.len());
            (&rest[..at], rest[at..].trim_start())
        };
        parts.push(part);
        rest = left;
    }
    let rest = if from_right { rest.trim_start() } else { rest.trim_end() };
    parts.extend((!rest.is_empty()).then_some(rest));
    if from_right {
        parts.reverse();
    }
    texts(parts)
}

fn lines(text: &str, keep_ends: bool) -> Value {
    let is_break = |next: char| {
        matches!(next, '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(is_break).unwrap_or(rest.len());
        let ending = if rest[end..].starts_with("\r\n") {
            2
        } else {
            rest[end..].chars().next().map_or(0, char::len_utf8)
        };
        found.push(&rest[..if keep_ends { end + ending } else { end }]);
        rest = &rest[end + ending..];
    }
    texts(found)
}

fn partition(text: &str, name: &str, separator: &str) -> Result<Value, Error> {
    if separator.is_empty() {
        return Err(failure("empty separator"));
    }
    let found = if name == "partition" { text.split_once(separator) } else { text.rsplit_once(separator) };
    let parts = match (found, name) {
        (Some((before, after)), _) => [before, separator, after],
        (None, "partition") => [text, "", ""],
        (None, _) => ["", "", text],
    };
    Ok(tuple(parts.map(Value::from).to_vec()))
}

fn affix(text: &str, name: &str, arguments: &Arguments) -> Result<Value, Error> {
    arguments.limit(1, &[])?;
    let wanted = arguments.require(0, "prefix")?;
    let candidates = if wanted.is_tuple() { iterate(wanted)? } else { vec![wanted.clone()] };
    for candidate in &candidates {
        let candidate = candidate.as_text().ok_or_else(|| {
            failure(format!("{name} first arg must be str or a tuple of str, not {}", type_name(wanted)))
        })?;
        if if name == "startswith" { text.starts_with(candidate) } else { text.ends_with(candidate) } {
            return Ok(Value::from(true));
        }
    }
    Ok(Value::from(false))
}

fn find(text: &str, name: &str, arguments: &Arguments) -> Result<Value, Error> {
    arguments.limit(2, &[])?;
    let part = arguments.text(0, "sub")?;
    let length = text.chars().count();
    let start = match arguments.optional_integer(1, "start")? {
        Some(start) if start < 0 => {
            length.saturating_sub(usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX))
        }
        Some(start) => usize::try_from(start).unwrap_or(usize::MAX),
        None => 0,
    };
    let skipped = text.char_indices().nth(start).map_or(text.len(), |(at, _)| at);
    let found = if start > length {
        None
    } else if name.starts_with('r') {
        text[skipped..].rfind(part)
    } else {
        text[skipped..].find(part)
    };
    match found {
        Some(at) => Ok(Value::from(text[..skipped + at].chars().count())),
        None if name.ends_with("find") => Ok(Value::from(-1)),
        None => Err(failure("substring not found")),
    }
}

pub(super) fn decode(bytes: &[u8], encoding: Option<&str>) -> Result<Value, Error> {
    let name = encoding.unwrap_or("utf-8").to_ascii_lowercase().replace('_', "-");
    let text = std::str::from_utf8(bytes).ok();
    match (name.as_str(), text) {
        ("utf-8" | "utf8", Some(text)) => Ok(Value::from(text)),
        ("ascii" | "us-ascii", Some(text)) if text.is_ascii() => Ok(Value::from(text)),
        _ => Err(failure(format!("these bytes cannot be decoded as {name}"))),
    }
}

fn bytes_method(bytes: &[u8], name: &str, arguments: &Arguments) -> Result<Value, Error> {
    match name {
        "decode" => decode(bytes, arguments.optional_text(0, "encoding")?),
        "hex" => Ok(Value::from(super::modules::hexadecimal(bytes))),
        "strip" if arguments.positional().is_empty() => Ok(Value::from_bytes(bytes.trim_ascii().to_vec())),
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn tuple_method(value: &Value, name: &str, arguments: &Arguments) -> Result<Value, Error> {
    let items = iterate(value)?;
    match name {
        "count" => {
            let wanted = arguments.require(0, "value")?;
            Ok(Value::from(items.iter().filter(|item| equal(item, wanted)).count()))
        }
        "index" => {
            let wanted = arguments.require(0, "value")?;
            let found = items.iter().position(|item| equal(item, wanted));
            found.map(Value::from).ok_or_else(|| failure(format!("{} is not in tuple", repr(wanted))))
        }
        "__len__" => Ok(Value::from(items.len())),
        "__contains__" => Ok(Value::from(
            items.iter().any(|item| arguments.positional().first().is_some_and(|wanted| equal(item, wanted))),
        )),
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, name: &str, args: &[Value]) -> String {
        let environment = minijinja::Environment::empty();
        repr(&call(&mut environment.empty_state(), &Value::from(text), name, args).unwrap())
    }

    #[test]
    fn splitting_matches_python() {
        let two = [Value::from(()), Value::from(1)];

        assert_eq!(run(" a  b c ", "split", &[]), "['a', 'b', 'c']");
        assert_eq!(run(" a  b c ", "split", &two), "['a', 'b c']");
        assert_eq!(run(" a  b c ", "rsplit", &two), "['a  b', 'c']");
        assert_eq!(run("a,b,,c", "split", &[Value::from(",")]), "['a', 'b', '', 'c']");
        assert_eq!(run("a\r\nb\n\nc\n", "splitlines", &[]), "['a', 'b', '', 'c']");
        assert_eq!(run("k=v=w", "rpartition", &[Value::from("=")]), "('k=v', '=', 'w')");
    }

    #[test]
    fn padding_matches_python() {
        assert_eq!(run("ab", "center", &[Value::from(5)]), "'  ab '");
        assert_eq!(run("abc", "center", &[Value::from(6)]), "' abc  '");
        assert_eq!(run("-4", "zfill", &[Value::from(5)]), "'-0004'");
    }

    #[test]
    fn positions_are_counted_in_characters() {
        assert_eq!(run("h\u{e9}llo", "find", &[Value::from("l")]), "2");
        assert_eq!(run("h\u{e9}llo", "rfind", &[Value::from("l"), Value::from(-1)]), "-1");
    }
}
