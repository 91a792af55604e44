//! Scripts that start programs of distributions, byte for byte as zc.buildout writes them.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::files;

use super::error::EggError;

/// The length from which on not every kernel follows a first line that names such an interpreter.
const TOO_LONG: usize = 126;

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
    let path = python.as_str();
    if path.len() < TOO_LONG && !path.contains(' ') {
        return format!("#!{path}");
    }
    // To Python the second line is a string, to the shell a command.
    format!("#!/bin/sh\n'''exec' \"{path}\" \"$0\" \"$@\"\n' '''")
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
        let lines: Vec<String> = resolved.iter().map(|path| relative_expression(path, base)).collect();
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

fn relative_expression(path: &Utf8Path, base: &Utf8Path) -> String {
    if path == base {
        return "base".to_owned();
    }
    match path.strip_prefix(base) {
        Ok(inside) => format!("join(base, {})", python_text(inside.as_str())),
        Err(_) => python_text(path.as_str()),
    }
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use host::python::Interpreter;

    use super::*;

    fn settings() -> ScriptSettings {
        ScriptSettings {
            python: "/usr/bin/python3".into(),
            path: ["/b/eggs/a-1-py3.11.egg", "/b/eggs/b-2-py3.11.egg", "/other/c", "/b/eggs/a-1-py3.11.egg"]
                .map(Utf8PathBuf::from)
                .into(),
            initialization: String::new(),
            arguments: String::new(),
            relative_to: None,
        }
    }

    fn run(settings: &ScriptSettings) -> String {
        entry_point_script(settings, "/b/bin/run".into(), "package.module", "Class.main")
    }

    #[test]
    fn scripts_are_those_of_zc_buildout() {
        assert_eq!(run(&settings()), include_str!("../../../../fixtures/scripts/entry_point.txt"));

        let full = ScriptSettings {
            initialization: "import os\nos.environ[\"A\"] = \"b\"".to_owned(),
            arguments: "1, \"x\"".to_owned(),
            ..settings()
        };
        assert_eq!(run(&full), include_str!("../../../../fixtures/scripts/entry_point_full.txt"));

        let relative = ScriptSettings { relative_to: Some("/b".into()), ..settings() };
        assert_eq!(run(&relative), include_str!("../../../../fixtures/scripts/entry_point_relative.txt"));
    }

    #[test]
    fn scripts_that_are_files_keep_their_text() {
        let settings = ScriptSettings {
            path: vec!["/b/eggs/a-1-py3.11.egg".into()],
            initialization: "x = 1".to_owned(),
            ..settings()
        };
        let text =
            "#!python\n\"\"\"Doc.\"\"\"\nfrom __future__ import division\nimport sys\nprint(sys.path)\n";

        let script = file_script(&settings, "/b/bin/tool".into(), text).unwrap();

        assert_eq!(script, include_str!("../../../../fixtures/scripts/file.txt"));
    }

    #[test]
    fn an_interpreter_path_that_is_too_long_goes_through_the_shell() {
        let path = format!("/{}/python3", "x".repeat(130));
        let script = run(&ScriptSettings { python: path.clone().into(), ..settings() });

        assert!(
            script.starts_with(&format!("#!/bin/sh\n'''exec' \"{path}\" \"$0\" \"$@\"\n' '''\n")),
            "{script}"
        );
    }

    #[test]
    fn texts_are_written_as_python_writes_them() {
        assert_eq!(python_text("it's"), "\"it's\"");
        assert_eq!(python_text("a\\b\"c'd\n"), r#"'a\\b"c\'d\n'"#);
    }

    #[test]
    fn a_script_is_written_only_when_it_changes() {
        let directory = tempfile::tempdir().unwrap();
        let target = Utf8PathBuf::try_from(directory.path().join("run")).unwrap();

        assert!(write_script(&target, "one").unwrap());
        assert!(!write_script(&target, "one").unwrap());
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o100, 0o100);
    }

    #[test]
    fn a_long_header_and_the_interpreter_really_run() {
        let directory = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(fs::canonicalize(directory.path()).unwrap()).unwrap();
        let python = Interpreter::discover(None, "/usr/bin:/bin", None).unwrap();
        let long = root.join("x".repeat(130));
        fs::create_dir(&long).unwrap();
        fs::os::unix::fs::symlink(python.path(), long.join("python3")).unwrap();
        fs::write(root.join("module_here.py"), "NAME = 'found'\n").unwrap();
        fs::write(
            root.join("program.py"),
            "import sys, module_here\nprint(module_here.NAME, __file__, sys.argv)\n",
        )
        .unwrap();
        let settings =
            ScriptSettings { python: long.join("python3"), path: vec![root.clone()], ..settings() };
        let target = root.join("py");
        write_script(&target, &interpreter_script(&settings, &target)).unwrap();
        let run = |arguments: &[&str]| {
            let program =
                host::process::Program::new(&target).args(arguments.iter().copied()).directory(&root);
            program.run(None, &mut |_| {}).unwrap().text()
        };

        assert_eq!(run(&["-c", "import module_here; print(module_here.NAME)"]), "found\n");
        assert_eq!(run(&["program.py", "-x"]), "found program.py ['program.py', '-x']\n");
        assert_eq!(run(&["-m", "program"]).split_whitespace().next(), Some("found"));
    }
}
