//! The filters that change texts.

use minijinja::value::Value;
use minijinja::{Error, State};

use crate::jinja::arguments::Arguments;
use crate::jinja::objects::{AsText, failure};
use crate::jinja::string_methods::{capitalized, title};
use crate::jinja::text::display;

pub(super) fn escape(_: &mut State<'_, '_>, value: &Value, _: &Arguments) -> Result<Value, Error> {
    if value.is_safe() {
        return Ok(value.clone());
    }
    let text =
        display(value).replace('&', "&amp;").replace('>', "&gt;").replace('<', "&lt;").replace('\'', "&#39;");
    Ok(Value::from_safe_string(text.replace('"', "&#34;")))
}

pub(super) fn indent(_: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
    let margin = match args.get(0, "width") {
        None => "    ".to_owned(),
        Some(width) => match width.as_text() {
            Some(text) => text.to_owned(),
            None => " ".repeat(
                width
                    .as_usize()
                    .filter(|width| *width < 10_000)
                    .ok_or_else(|| failure("a bad indentation"))?,
            ),
        },
    };
    let (first, blank) = (args.flag(1, "first", false), args.flag(2, "blank", false));
    let text = display(value);
    // As in Jinja2, a final line break is kept but does not start an indented line.
    let joined = format!("{text}\n");
    let mut lines: Vec<&str> = joined.split('\n').collect();
    lines.pop();
    let shown = lines.iter().enumerate().map(|(index, line)| {
        if (index == 0 && !first) || (!blank && line.is_empty() && index > 0) {
            (*line).to_owned()
        } else {
            format!("{margin}{line}")
        }
    });
    Ok(Value::from(shown.collect::<Vec<_>>().join("\n")))
}

/// Jinja2's own notion of a title: the first letter of each part after blanks or opening brackets.
pub(super) fn jinja_title(text: &str) -> Result<Value, Error> {
    if text.contains(['\'', '(', '{', '[', '<', '-']) {
        return Err(failure("the filter `title` on such text is not supported"));
    }
    Ok(Value::from(if text.chars().any(|next| next.is_ascii_digit() || next == '_') {
        text.split_inclusive(char::is_whitespace).map(capitalized).collect::<String>()
    } else {
        title(text)
    }))
}
