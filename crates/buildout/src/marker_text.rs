//! What the crate that reads markers and requirements must not be given: it panics there (`pep508_rs` 0.9).

/// Values that markers compare as versions; all others are compared as texts.
const VERSIONS: [&str; 3] = ["python_version", "python_full_version", "implementation_version"];

/// Why a text is no marker although its reader would not say so; `None` when it can be given to the reader.
pub(crate) fn obstacle(text: &str) -> Option<String> {
    // The reader counts letters where it means bytes.
    if let Some(letter) = text.chars().find(|letter| !letter.is_ascii()) {
        return Some(format!("`{letter}` has no place in it"));
    }
    // A text has no compatible release. The reader knows when the name comes first, and not when the text does.
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("~=") {
        let before = before.trim_end();
        let name = if before.ends_with(['"', '\'']) {
            let after = after.trim_start();
            let end = after.find(|letter: char| !is_of_name(letter)).unwrap_or(after.len());
            &after[..end]
        } else {
            let start = before.rfind(|letter: char| !is_of_name(letter)).map_or(0, |place| place + 1);
            &before[start..]
        };
        if !VERSIONS.contains(&name) {
            return Some(format!("`~=` compares versions, and `{name}` is none"));
        }
        rest = after;
    }
    None
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compatible_releases_are_of_versions() {
        assert_eq!(obstacle("python_version ~= '3.8' and '3.9' ~= python_full_version"), None);
        assert_eq!(obstacle("sys_platform == 'linux'"), None);
        for text in ["'x' ~= sys_platform", "sys_platform ~= 'x'", "'~=", "~=", "'a'~='b'"] {
            assert!(obstacle(text).is_some(), "{text}");
        }
    }

    #[test]
    fn letters_beyond_ascii_are_named() {
        assert_eq!(obstacle("os_name == 'é'").as_deref(), Some("`é` has no place in it"));
    }
}
