//! Where a profile is: a path of this machine or a URL.

use std::fmt;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use crate::download::is_url;

/// A path or a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    Path(Utf8PathBuf),
    Url(String),
}

impl Location {
    /// Reads what a user or a profile wrote.
    pub(crate) fn parse(text: &str) -> Self {
        if is_url(text) { Self::Url(collapse_url(text)) } else { Self::Path(Utf8PathBuf::from(text)) }
    }

    /// What `word` means in a profile of this directory.
    pub(crate) fn join(&self, word: &str) -> Self {
        match self {
            _ if is_url(word) || word.starts_with('/') => Self::parse(word),
            Self::Path(directory) => Self::Path(directory.join(word)),
            Self::Url(directory) => Self::Url(collapse_url(&format!("{directory}/{word}"))),
        }
    }

    /// The directory that it is in.
    pub(crate) fn parent(&self) -> Self {
        match self {
            Self::Path(path) => Self::Path(path.parent().unwrap_or(path).to_owned()),
            Self::Url(url) => {
                Self::Url(url.rsplit_once('/').map_or(url.as_str(), |(base, _)| base).to_owned())
            }
        }
    }

    /// One text for every way to write the same place.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Path(path) => normalise(path).into_string(),
            Self::Url(url) => url.clone(),
        }
    }

    /// Whether it is a file of this machine.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::Path(path) if path.is_file())
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.fmt(formatter),
            Self::Url(url) => url.fmt(formatter),
        }
    }
}

/// A path without `.` and `..`, links not looked at.
pub(crate) fn normalise(path: &Utf8Path) -> Utf8PathBuf {
    let mut normal = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

/// A path that a profile of the directory `base` names; `~` is the user's home.
pub(crate) fn expand_home(value: &str, home: Option<&Utf8Path>, base: &Utf8Path) -> Utf8PathBuf {
    match (value.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
            home.join(rest.trim_start_matches('/'))
        }
        _ => base.join(value),
    }
}

/// A URL without `.` and `..` in its path, so that caches see one name for one place.
fn collapse_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (path, query) = match rest.find(['?', '#']) {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    };
    let mut segments = path.split('/');
    let host = segments.next().unwrap_or_default();
    let mut kept: Vec<&str> = Vec::new();
    for segment in segments {
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let slash = if kept.is_empty() { "" } else { "/" };
    format!("{scheme}://{host}{slash}{}{query}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_from_the_directory_of_their_profile() {
        let joined = |base: &str, word| Location::parse(base).join(word).to_string();

        assert_eq!(joined("/a/b", "../c.cfg"), "/a/b/../c.cfg");
        assert_eq!(joined("https://h/a/b", "../c.cfg"), "https://h/a/c.cfg");
        assert_eq!(joined("https://h/a/b?x=/../y", "/c.cfg"), "/c.cfg");
        assert_eq!(joined("/a", "http://h/x/./../y.cfg?z=../w"), "http://h/y.cfg?z=../w");
    }

    #[test]
    fn one_place_has_one_key() {
        assert_eq!(Location::parse("/a/b/../c.cfg").key(), Location::parse("/a/./c.cfg").key());
    }
}
