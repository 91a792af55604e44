//! `%(name)s` in texts of profiles that recipes expand when they run.

use minijinja::value::Value;

/// Why a text was not expanded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NamesError {
    /// It names what is not there.
    #[error("there is no {0}")]
    Missing(String),
    /// It has a `%` that begins no conversion.
    #[error("`{text}`: {why}")]
    Format {
        /// The text.
        text: String,
        /// What Python would say.
        why: String,
    },
}

/// Expands a text as `text % values` of Python does.
///
/// # Errors
/// A name without a value, or a `%` that begins no conversion.
pub(crate) fn expand<'n>(
    text: &str,
    values: impl IntoIterator<Item = (&'n str, Value)>,
) -> Result<String, NamesError> {
    if !text.contains('%') {
        return Ok(text.to_owned());
    }
    crate::jinja::format_names(text, values).map_err(|error| {
        let why = error.detail().map_or_else(|| error.to_string(), str::to_owned);
        match why.strip_prefix("KeyError: ") {
            Some(name) => NamesError::Missing(name.trim_matches('\'').to_owned()),
            None => NamesError::Format { text: text.to_owned(), why },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> String {
        let values = [("location", Value::from("/l")), ("PATH", Value::from("/bin"))];
        expand(text, values).unwrap_or_else(|error| format!("! {error}"))
    }

    #[test]
    fn names_are_expanded_as_python_does() {
        assert_eq!(expanded("--prefix=%(location)s 100%% %(PATH)s"), "--prefix=/l 100% /bin");
        assert_eq!(expanded("open(%(location)r)"), "open('/l')");
        assert_eq!(expanded("no names"), "no names");
    }

    #[test]
    fn what_is_missing_or_half_written_is_told() {
        assert_eq!(expanded("%(HOME)s"), "! there is no HOME");
        assert_eq!(expanded("100%"), "! `100%`: incomplete format");
        assert_eq!(expanded("date +%Y"), "! `date +%Y`: unsupported format character 'Y'");
    }
}
