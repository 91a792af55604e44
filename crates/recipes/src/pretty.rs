//! Python literals laid out over several lines, as Python's own pretty printer does with 80 columns and an indent of 2.

use buildout::{Value, ValueError};

const WIDTH: usize = 80;
const INDENT: usize = 2;

/// The text of `value`; dictionaries are sorted by key.
///
/// # Errors
/// A number that has no literal.
pub(crate) fn format(value: &Value) -> Result<String, ValueError> {
    let mut output = String::new();
    put(value, Place { indent: 0, allowance: 0, level: 1 }, &mut output)?;
    Ok(output)
}

/// Where a value is written.
#[derive(Clone, Copy)]
struct Place {
    /// Columns before the value.
    indent: usize,
    /// Columns to keep free for what follows it.
    allowance: usize,
    /// How deep it is.
    level: usize,
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn put(value: &Value, place: Place, output: &mut String) -> Result<(), ValueError> {
    let plain = value.representation()?;
    let fits = width(&plain) + place.indent + place.allowance <= WIDTH;
    match value {
        _ if fits => output.push_str(&plain),
        Value::Str(text) if !text.is_empty() => put_text(text, place, output)?,
        Value::Dict(entries) => put_dict(entries, place, output)?,
        Value::Tuple(items) => put_items(items, ['(', ')'], items.len() == 1, place, output)?,
        Value::List(items) => put_items(items, ['[', ']'], false, place, output)?,
        _ => output.push_str(&plain),
    }
    Ok(())
}

fn line_break(indent: usize, output: &mut String) {
    output.push_str(",\n");
    output.push_str(&" ".repeat(indent));
}

fn put_items(
    items: &[Value],
    [open, close]: [char; 2],
    trailing_comma: bool,
    place: Place,
    output: &mut String,
) -> Result<(), ValueError> {
    output.push(open);
    output.push_str(&" ".repeat(INDENT - 1));
    let indent = place.indent + INDENT;
    let closing = place.allowance + 1 + usize::from(trailing_comma);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            line_break(indent, output);
        }
        let allowance = if index + 1 == items.len() { closing } else { 1 };
        put(item, Place { indent, allowance, level: place.level + 1 }, output)?;
    }
    if trailing_comma {
        output.push(',');
    }
    output.push(close);
    Ok(())
}

fn put_dict(entries: &[(Value, Value)], place: Place, output: &mut String) -> Result<(), ValueError> {
    output.push('{');
    output.push_str(&" ".repeat(INDENT - 1));
    let indent = place.indent + INDENT;
    let mut keyed = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        keyed.push((key.representation()?, key.as_str(), value));
    }
    keyed.sort_by(|left, right| (left.1, &left.0).cmp(&(right.1, &right.0)));
    for (index, (key, _, value)) in keyed.iter().enumerate() {
        if index > 0 {
            line_break(indent, output);
        }
        output.push_str(key);
        output.push_str(": ");
        let allowance = if index + 1 == keyed.len() { place.allowance + 1 } else { 1 };
        put(value, Place { indent: indent + width(key) + 2, allowance, level: place.level + 1 }, output)?;
    }
    output.push('}');
    Ok(())
}

/// A long text becomes several literals, one below the other: one per line of the text, long lines cut between words.
fn put_text(text: &str, place: Place, output: &mut String) -> Result<(), ValueError> {
    let is_outermost = place.level == 1;
    let (indent, allowance) =
        if is_outermost { (place.indent + 1, place.allowance + 1) } else { (place.indent, place.allowance) };
    let most = WIDTH.saturating_sub(indent);
    let literal = |text: &str| Value::from(text).representation();
    let lines = lines(text);
    let mut chunks = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let is_last = index + 1 == lines.len();
        let whole = literal(line)?;
        if width(&whole) <= most.saturating_sub(if is_last { allowance } else { 0 }) {
            chunks.push(whole);
            continue;
        }
        let words = words(line);
        let mut current = String::new();
        for (index, word) in words.iter().enumerate() {
            let is_very_last = is_last && index + 1 == words.len();
            let candidate = format!("{current}{word}");
            if width(&literal(&candidate)?) > most.saturating_sub(if is_very_last { allowance } else { 0 }) {
                if !current.is_empty() {
                    chunks.push(literal(&current)?);
                }
                current = (*word).to_owned();
            } else {
                current = candidate;
            }
        }
        if !current.is_empty() {
            chunks.push(literal(&current)?);
        }
    }
    let is_several = chunks.len() > 1;
    if is_several && is_outermost {
        output.push('(');
    }
    output.push_str(&chunks.join(&format!("\n{}", " ".repeat(indent))));
    if is_several && is_outermost {
        output.push(')');
    }
    Ok(())
}

/// The lines of a text with their ends.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// The words of a line, each with the blanks that follow it.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let blanks = rest[word..].find(|next: char| !next.is_whitespace()).unwrap_or(rest.len() - word);
        let (first, remaining) = rest.split_at(word + blanks);
        words.push(first);
        rest = remaining;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(items: &[&str]) -> Vec<Value> {
        items.iter().map(|item| Value::from(*item)).collect()
    }

    #[test]
    fn what_fits_is_on_one_line() {
        assert_eq!(format(&Value::Tuple(texts(&["/a", "/b"]))).unwrap(), "('/a', '/b')");
        assert_eq!(format(&Value::Tuple(vec![])).unwrap(), "()");
    }

    #[test]
    fn long_tuples_are_one_item_per_line() {
        let (one, other) = ("/a".repeat(20), "/b".repeat(30));

        let text = format(&Value::Tuple(texts(&[&one, &other]))).unwrap();

        assert_eq!(text, format!("( '{one}',\n  '{other}')"));
        let single = "/c".repeat(50);
        assert_eq!(format(&Value::Tuple(texts(&[&single]))).unwrap(), format!("( '{single}',)"));
    }
}
