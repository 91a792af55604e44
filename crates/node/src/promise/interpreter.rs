//! Which interpreter runs the plugins of a release: the one that its own engine is started with.

use camino::{Utf8Path, Utf8PathBuf};

/// The interpreter of the release in `directory`, told by the first lines of its `bin/buildout`.
pub(super) fn of_release(directory: &Utf8Path) -> Option<Utf8PathBuf> {
    let script = fs_err::read(directory.join("bin/buildout")).ok()?;
    // What is no script may be anything; its first lines are then none.
    let head = String::from_utf8_lossy(script.get(..4096).unwrap_or(&script)).into_owned();
    of_script(&head)
}

fn of_script(text: &str) -> Option<Utf8PathBuf> {
    let mut lines = text.lines();
    let program = lines.next()?.strip_prefix("#!")?.split_whitespace().next()?;
    if program != "/bin/sh" {
        return Some(program.into());
    }
    // A path that is too long for the kernel is executed by a shell.
    let mut words = lines.next()?.split_whitespace();
    if words.next()?.trim_matches(['\'', '"']) != "exec" {
        return None;
    }
    Some(words.next()?.trim_matches(['\'', '"']).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_tells_it() {
        let of = |text| of_script(text).map(Utf8PathBuf::into_string);

        assert_eq!(of("#!/opt/python3.11 -S\nimport sys\n").as_deref(), Some("/opt/python3.11"));
        assert_eq!(of("#! /usr/bin/python3\n").as_deref(), Some("/usr/bin/python3"));
        assert_eq!(of("#!/bin/sh\n'''exec' /long/python \"$0\" \"$@\"\n").as_deref(), Some("/long/python"));
        assert_eq!(of("#!/bin/sh\nexec \"/long/python\" x\n").as_deref(), Some("/long/python"));
        assert_eq!(of("#!/bin/sh\necho no\n"), None);
        assert_eq!(of("\u{7f}ELF"), None);
    }
}
