//! The text of a wrapper: a small shell script that becomes another program.

use std::collections::BTreeMap;

use crate::shell::quote;

// A line of the script is continued on the next one once it is this long.
const FULL_LINE: usize = 40;

/// A script that sets `environment`, ignores the signal `ignored` and becomes `command`, with its own arguments added.
pub(crate) fn script(
    command: &[String],
    environment: &BTreeMap<String, String>,
    ignored: Option<&str>,
) -> String {
    let mut lines = vec!["#!/bin/sh -e".to_owned()];
    lines.extend(ignored.map(|signal| format!("trap '' {signal}")));
    lines.extend(environment.iter().map(|(name, value)| format!("export {name}={}", quote(value))));
    let mut last = "exec".to_owned();
    for word in command.iter().map(|word| quote(word)).chain(["\"$@\"".to_owned()]) {
        // Compatibility: the reference counts characters.
        if last.chars().count() < FULL_LINE {
            last = format!("{last} {word}");
        } else {
            lines.push(format!("{last} \\"));
            last = format!("\t{word}");
        }
    }
    lines.push(last);
    lines.push(String::new());
    lines.join("\n")
}
