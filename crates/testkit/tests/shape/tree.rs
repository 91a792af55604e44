//! The files of the project, as a list of paths and texts. Needs no git: a tree from an archive is checked alike.

use camino::{Utf8Path, Utf8PathBuf};

/// One text file of the project.
pub(crate) struct Source {
    /// Path relative to the top of the tree.
    pub(crate) path: Utf8PathBuf,
    /// The whole text.
    pub(crate) text: String,
}

impl Source {
    /// The file's name without its extension.
    pub(crate) fn stem(&self) -> &str {
        self.path.file_stem().unwrap()
    }

    /// The text before the unit tests at the bottom of the file.
    pub(crate) fn without_tests(&self) -> &str {
        self.text.split_once("#[cfg(test)]\nmod tests").map_or(self.text.as_str(), |(code, _)| code)
    }

    /// Whether the file belongs to a program or library, not to its tests or benchmarks.
    pub(crate) fn is_shipped(&self) -> bool {
        self.path.extension() == Some("rs")
            && self.path.starts_with("crates")
            && !self.path.starts_with("crates/testkit")
            && self.path.components().any(|part| part.as_str() == "src")
            && self.stem() != "tests"
            && !self.path.components().any(|part| part.as_str() == "tests")
    }
}

/// The top of the tree.
pub(crate) fn top() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// Every text file of the tree, sorted; built things and what git keeps for itself are left out.
pub(crate) fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    walk(top(), &mut found);
    found.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(found.len() > 50, "this is not the tree: {}", top());
    found
}

/// The Rust sources of the tree.
pub(crate) fn rust_sources() -> Vec<Source> {
    sources().into_iter().filter(|source| source.path.extension() == Some("rs")).collect()
}

fn walk(directory: &Utf8Path, found: &mut Vec<Source>) {
    for entry in directory.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        if ["target", ".git", "__pycache__", ".slapos"].contains(&entry.file_name()) {
            continue;
        }
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            walk(entry.path(), found);
        } else if kind.is_file() {
            // What is not text, such as a fixture archive, has no shape.
            if let Ok(text) = fs_err::read_to_string(entry.path()) {
                found.push(Source { path: entry.path().strip_prefix(top()).unwrap().to_owned(), text });
            }
        }
    }
}
