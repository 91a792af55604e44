//! `bin/buildout`: a script that starts this program again.
//!
//! It is Python, because node agents read its first line to learn the interpreter of a release, and run it with that.
//! The program is told which one that was: conditions of instance profiles are decided for the Python of the release.

use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::Engine;
use crate::{BuildError, Value};

/// The kernel reads no more of the first line of a script.
const LONGEST_FIRST_LINE: usize = 126;
/// By this line a launcher is known as ours.
const MARK: &str = "# This file is written by the build engine; it starts it again.";

/// Whose launcher may be replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Replace {
    /// Only one that was written here.
    Own,
    /// Any: somebody asked for a launcher.
    Any,
}

/// Writes the launcher; gives its path if there was something to write. Without a program to start there is not.
pub(super) fn write(
    engine: &mut Engine,
    program: &[String],
    replace: Replace,
) -> Result<Option<Utf8PathBuf>, BuildError> {
    if program.is_empty() {
        return Ok(None);
    }
    let path = engine.buildout_directory("bin-directory")?.join("buildout");
    let error = |source| BuildError::file(format!("cannot write {path}"), source);
    let present = host::files::read_if_present(&path).map_err(error)?;
    let present = present.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    if replace == Replace::Own && present.as_ref().is_some_and(|present| !present.contains(MARK)) {
        return Ok(None);
    }
    let Ok(python) = engine.python() else {
        // A build of native parts needs no Python, and then nobody looks for one here.
        return Ok(None);
    };
    let text = format!("{}{}", first_lines(&python), body(program));
    if present.as_ref() == Some(&text) {
        return Ok(None);
    }
    host::files::replace(&path, text, 0o755).map_err(error)?;
    Ok(Some(path))
}

fn first_lines(python: &Utf8Path) -> String {
    let direct = format!("#!{python}\n");
    if direct.len() <= LONGEST_FIRST_LINE && !python.as_str().contains(' ') {
        return direct;
    }
    // For a shell this is a command; for Python, a text without effect.
    format!("#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n")
}

fn body(program: &[String]) -> String {
    let words: Vec<String> = program
        .iter()
        .map(|word| Value::from(word.as_str()).representation().expect("text has a representation"))
        .collect();
    let mut body = String::new();
    let _ = write!(
        body,
        "{MARK}\nimport os\nimport sys\n\nprogram = [{}, '--python', sys.executable]\n\
         os.execv(program[0], program + sys.argv[1:])\n",
        words.join(", ")
    );
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_names_the_interpreter_as_long_as_the_kernel_reads_it() {
        assert_eq!(first_lines(Utf8Path::new("/usr/bin/python3")), "#!/usr/bin/python3\n");
        let long = format!("/{}/python3", "x".repeat(130));
        assert!(first_lines(Utf8Path::new(&long)).starts_with("#!/bin/sh\n"));
    }

    #[test]
    fn words_are_written_as_python_reads_them() {
        let body = body(&["/it's".to_owned(), "buildout".to_owned()]);

        assert!(body.contains("[\"/it's\", 'buildout', '--python', sys.executable]"));
    }
}
