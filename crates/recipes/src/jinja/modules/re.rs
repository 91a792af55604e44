//! `re`: the patterns whose meaning is the same in Python and here. Others are refused.

use std::fmt::Write;

use minijinja::Error;
use minijinja::value::Value;
use regex::{Captures, Regex, RegexBuilder};

use super::super::arguments::Arguments;
use super::super::builtins::Builtin;
use super::super::objects::{AsText, List, failure, tuple};
use super::Module;

pub(super) fn module() -> Value {
    let functions = vec![
        ("match", Builtin::function("match", |_, args| search(args, "\\A(?:", ")"))),
        ("fullmatch", Builtin::function("fullmatch", |_, args| search(args, "\\A(?:", ")\\z"))),
        ("search", Builtin::function("search", |_, args| search(args, "", ""))),
        ("sub", Builtin::function("sub", |_, args| substitute(args))),
        ("split", Builtin::function("split", |_, args| split(args))),
        ("findall", Builtin::function("findall", |_, args| find_all(args))),
        ("escape", Builtin::function("escape", |_, args| Ok(Value::from(escape(args.text(0, "pattern")?))))),
    ];
    Module::value("re", functions)
}

/// Compiles a pattern, unless it means something else in Python.
fn compile(args: &Arguments, text_index: usize, before: &str, after: &str) -> Result<Regex, Error> {
    if args.positional().len() > text_index + 1 || !args.named().is_empty() {
        return Err(failure("flags and counts of regular expressions are not supported"));
    }
    let pattern = args.text(0, "pattern")?;
    let text = args.text(text_index, "string")?;
    // A `$` of Python also matches before a final line break; sets of this engine have operators.
    let differs = (pattern.contains('$') && text.ends_with('\n'))
        || ["[[", "&&", "--", "~~", "\\Z", "\\<", "\\>", "\\b{", "\\z", "\\p", "\\P", "(?x", "\\h"]
            .iter()
            .any(|mark| pattern.contains(mark));
    if differs {
        return Err(failure(format!("the regular expression `{pattern}` is not supported without Python")));
    }
    RegexBuilder::new(&format!("{before}{pattern}{after}")).size_limit(1 << 22).build().map_err(|error| {
        failure(format!("the regular expression `{pattern}` is not supported without Python: {error}"))
    })
}

fn search(args: &Arguments, before: &str, after: &str) -> Result<Value, Error> {
    let regex = compile(args, 1, before, after)?;
    Ok(regex
        .captures(args.text(1, "string")?)
        .map_or_else(|| Value::from(()), |found| found_value(&regex, &found)))
}

fn group(captures: &Captures<'_>, index: usize) -> Value {
    captures.get(index).map_or_else(|| Value::from(()), |part| Value::from(part.as_str()))
}

/// A match object: `group`, `groups` and `groupdict`.
fn found_value(regex: &Regex, captures: &Captures<'_>) -> Value {
    let all: Vec<Value> = (0..captures.len()).map(|index| group(captures, index)).collect();
    let names: Vec<Option<String>> = regex.capture_names().map(|name| name.map(str::to_owned)).collect();
    let groups = all[1..].to_vec();
    let by_name = super::super::objects::Dict::value(
        names
            .iter()
            .zip(&all)
            .filter_map(|(name, value)| Some((Value::from(name.as_deref()?), value.clone()))),
    );
    let pick = move |key: Option<&Value>| -> Result<Value, Error> {
        let index = match key {
            None => Some(0),
            Some(key) => match key.as_text() {
                Some(wanted) => names.iter().position(|name| name.as_deref() == Some(wanted)),
                None => key.as_usize(),
            },
        };
        index.and_then(|index| all.get(index)).cloned().ok_or_else(|| failure("no such group"))
    };
    let pick = Value::from_function(move |rest: minijinja::value::Rest<Value>| match rest.0.as_slice() {
        [] => pick(None),
        [only] => pick(Some(only)),
        several => Ok(tuple(several.iter().map(|key| pick(Some(key))).collect::<Result<_, _>>()?)),
    });
    let groups = Value::from_function(move || tuple(groups.clone()));
    let group_dict = Value::from_function(move || by_name.clone());
    Module::value("re.Match", vec![("group", pick), ("groups", groups), ("groupdict", group_dict)])
}

fn substitute(args: &Arguments) -> Result<Value, Error> {
    let regex = compile(args, 2, "", "")?;
    let replacement = expansion(args.text(1, "repl")?)?;
    Ok(Value::from(regex.replace_all(args.text(2, "string")?, replacement.as_str()).into_owned()))
}

/// A replacement text in this engine's notation: `\1` becomes `${1}`.
fn expansion(replacement: &str) -> Result<String, Error> {
    let mut output = String::new();
    let mut rest = replacement.chars();
    while let Some(next) = rest.next() {
        match next {
            '$' => output.push_str("$$"),
            '\\' => match rest.next() {
                Some(digit @ '1'..='9') if !rest.clone().next().is_some_and(|next| next.is_ascii_digit()) => {
                    let _ = write!(output, "${{{digit}}}");
                }
                Some('\\') => output.push('\\'),
                Some('n') => output.push('\n'),
                Some('t') => output.push('\t'),
                Some('g') => {
                    let name: String = rest.by_ref().skip(1).take_while(|next| *next != '>').collect();
                    let _ = write!(output, "${{{name}}}");
                }
                _ => return Err(failure("this replacement text is not supported")),
            },
            _ => output.push(next),
        }
    }
    Ok(output)
}

fn split(args: &Arguments) -> Result<Value, Error> {
    let regex = compile(args, 1, "", "")?;
    if regex.captures_len() > 1 || regex.is_match("") {
        return Err(failure("splitting at groups or at empty matches is not supported"));
    }
    Ok(List::value(regex.split(args.text(1, "string")?).map(Value::from).collect()))
}

fn find_all(args: &Arguments) -> Result<Value, Error> {
    let regex = compile(args, 1, "", "")?;
    let text = |captures: &Captures<'_>, index: usize| {
        Value::from(captures.get(index).map_or("", |part| part.as_str()))
    };
    let found = regex.captures_iter(args.text(1, "string")?).map(|captures| match captures.len() {
        1 => text(&captures, 0),
        2 => text(&captures, 1),
        count => tuple((1..count).map(|index| text(&captures, index)).collect()),
    });
    Ok(List::value(found.collect()))
}

fn escape(text: &str) -> String {
    let special = "()[]{}?*+-|^$\\.&~# \t\n\r\x0b\x0c";
    text.chars().fold(String::new(), |mut output, next| {
        if special.contains(next) {
            output.push('\\');
        }
        output.push(next);
        output
    })
}
