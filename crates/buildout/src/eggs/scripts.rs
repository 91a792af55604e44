//! Scripts that start programs of distributions, byte for byte as zc.buildout writes them.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::files;

use super::error::EggError;

/// The longest first line that every kernel still follows, the line break included.
const LONGEST_HEADER: usize = 127;

/// What all scripts of a part have in common.
#[derive(Debug, Clone)]
pub struct ScriptSettings {
    /// The interpreter that runs them.
    pub python: Utf8PathBuf,
    /// The directories that go first into `sys.path`, in order; links in them are followed, repetitions dropped.
    pub path: Vec<Utf8PathBuf>,
    /// Python statements that run before the program, without line break at the end.
    pub initialization: String,
    /// The text between the parentheses of the call.
    pub arguments: String,
    /// The directory that paths are written relative to, so that it can be moved with what is in it.
    pub relative_to: Option<Utf8PathBuf>,
}

/// The text of a script that calls `module.attribute`.
#[must_use]
pub fn entry_point_script(
    settings: &ScriptSettings,
    target: &Utf8Path,
    module: &str,
    attribute: &str,
) -> String {
    let (path, setup) = settings.path_text(target);
    let header = header(&settings.python);
    let initialization = settings.initialization_text();
    let arguments = &settings.arguments;
    format!(
        "{header}\n{setup}\nimport sys\nsys.path[0:0] = [\n  {path},\n  ]\n{initialization}\nimport {module}\n\n\
         if __name__ == '__main__':\n    sys.exit({module}.{attribute}({arguments}))\n"
    )
}

/// The text of a script that a distribution brings as a file, made to find its modules. `None` when the file is not a
/// Python script.
#[must_use]
pub fn file_script(settings: &ScriptSettings, target: &Utf8Path, text: &str) -> Option<String> {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    if !first.contains("#!") && first.contains("python") {
        return None;
    }
    let mut before = 0;
    for line in rest.split_inclusive('\n') {
        let imports =
            (line.starts_with("import") || line.starts_with("from")) && !line.contains("__future__");
        if imports && line.contains("import") {
            break;
        }
        before += line.len();
    }
    let (before, after) = rest.split_at(before);
    let (path, setup) = settings.path_text(target);
    let header = header(&settings.python);
    let initialization = settings.initialization_text();
    Some(format!(
        "{header}\n{before}\n{setup}\nimport sys\nsys.path[0:0] = [\n  {path},\n  ]\n{initialization}\n\n{after}"
    ))
}

/// The text of an interpreter that knows the distributions of a part.
#[must_use]
pub fn interpreter_script(settings: &ScriptSettings, target: &Utf8Path) -> String {
    let (mut path, setup) = settings.path_text(target);
    if !path.is_empty() {
        path.push(',');
    }
    INTERPRETER
        .replace("@header@", &header(&settings.python))
        .replace("@setup@", &setup)
        .replace("@initialization@", &settings.initialization_text())
        .replace("@path@", &path)
}

/// Writes a script unless it is there already with the same content; returns whether it was written. The mode is
/// given by the umask.
///
/// # Errors
/// It cannot be written.
pub fn write_script(target: &Utf8Path, text: &str) -> Result<bool, EggError> {
    let failed = |source| EggError::Io { action: "write", path: target.to_owned(), source };
    if files::read_if_present(target).map_err(failed)?.as_deref() == Some(text.as_bytes()) {
        return Ok(false);
    }
    files::replace(target, text, 0o777 & !host::process::umask()).map_err(failed)?;
    Ok(true)
}

/// The first line, or two of them when the interpreter's path is too long for one.
fn header(python: &Utf8Path) -> String {
    let quoted = python.as_str();
    let plain = format!("#!{quoted}");
    if plain.len() < LONGEST_HEADER && !quoted.contains(' ') {
        return plain;
    }
    // To Python the second line is a string, to the shell a command.
    format!("#!/bin/sh\n'''exec' \"{quoted}\" \"$0\" \"$@\"\n' '''")
}

impl ScriptSettings {
    fn initialization_text(&self) -> String {
        if self.initialization.is_empty() { String::new() } else { format!("\n{}\n", self.initialization) }
    }

    /// The lines of the list of paths, and the statements before it.
    fn path_text(&self, target: &Utf8Path) -> (String, String) {
        let mut unique: Vec<Utf8PathBuf> = Vec::new();
        for path in &self.path {
            if !unique.contains(path) {
                unique.push(path.clone());
            }
        }
        let resolved: Vec<Utf8PathBuf> = unique.iter().map(|path| resolve(path)).collect();
        let Some(base) = &self.relative_to else {
            let lines: Vec<String> = resolved.iter().map(|path| python_text(path.as_str())).collect();
            return (lines.join(",\n  "), String::new());
        };
        let lines: Vec<String> =
            resolved.iter().map(|path| relative_expression(path, target, base)).collect();
        let mut setup = RELATIVE_SETUP.to_owned();
        let depth = target.strip_prefix(base).map_or(1, |inside| inside.components().count());
        setup.push_str(&"base = os.path.dirname(base)\n".repeat(depth.saturating_sub(1)));
        (lines.join(",\n  "), setup)
    }
}

/// The path with links followed as far as it exists.
fn resolve(path: &Utf8Path) -> Utf8PathBuf {
    fs::canonicalize(path)
        .ok()
        .and_then(|resolved| Utf8PathBuf::try_from(resolved).ok())
        .unwrap_or_else(|| path.to_owned())
}

fn relative_expression(path: &Utf8Path, script: &Utf8Path, base: &Utf8Path) -> String {
    if path == base {
        return "base".to_owned();
    }
    // zc.buildout takes the directory of the longest common text of both paths, not the deepest common directory.
    let shared =
        path.as_str().bytes().zip(script.as_str().bytes()).take_while(|(one, other)| one == other).count();
    let common = path.as_str()[..shared].rsplit_once('/').map_or("", |(directory, _)| directory);
    if common == base.as_str() || common.starts_with(&format!("{base}/")) {
        let inside = path.strip_prefix(base).map_or(path, |inside| inside);
        return format!("join(base, {})", python_text(inside.as_str()));
    }
    python_text(path.as_str())
}

/// A text as Python writes it.
#[must_use]
pub fn python_text(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut written = String::with_capacity(text.len() + 2);
    written.push(quote);
    for character in text.chars() {
        match character {
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            c if c == quote => {
                written.push('\\');
                written.push(c);
            }
            c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                let code = format!("\\x{:02x}", c as u32);
                written.push_str(&code);
            }
            c => written.push(c),
        }
    }
    written.push(quote);
    written
}

const RELATIVE_SETUP: &str = "
import os

join = os.path.join
base = os.path.dirname(os.path.abspath(os.path.realpath(__file__)))
";

/// An interpreter that accepts what the ones of zc.buildout accept. The text up to its comment has their form.
const INTERPRETER: &str = include_str!("scripts/interpreter.txt");
