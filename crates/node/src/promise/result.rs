//! The result of one promise, and the file that keeps the last one.

use std::io;

use camino::Utf8PathBuf;
use host::beneath::Directory;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How much of a message is kept, in characters.
const LONGEST_MESSAGE: usize = 5000;

/// What a result says something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Whether the promise holds.
    #[serde(rename = "Test Result")]
    Test,
    /// Whether it does not hold for so long that somebody has to act.
    #[serde(rename = "Anomaly Result")]
    Anomaly,
}

/// The result of one run of a promise.
#[derive(Debug, Clone, PartialEq)]
pub struct PromiseResult {
    /// File name without its extension; names the promise's other files.
    pub title: String,
    /// File name.
    pub name: String,
    /// File.
    pub path: Utf8PathBuf,
    /// How long it ran, in seconds.
    pub execution_time: f64,
    /// What it says something about.
    pub kind: Kind,
    /// Whether the promise fails.
    pub failed: bool,
    /// When it ended.
    pub date: Timestamp,
    /// What it said.
    pub message: String,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    title: String,
    name: String,
    path: Utf8PathBuf,
    #[serde(rename = "execution-time")]
    execution_time: f64,
    result: StoredResult,
}

#[derive(Serialize, Deserialize)]
struct StoredResult {
    #[serde(rename = "type")]
    kind: Kind,
    failed: bool,
    date: String,
    message: Option<String>,
}

impl PromiseResult {
    /// The content of its file.
    #[must_use]
    pub fn to_json(&self) -> String {
        let stored = Stored {
            title: self.title.clone(),
            name: self.name.clone(),
            path: self.path.clone(),
            execution_time: self.execution_time,
            result: StoredResult {
                kind: self.kind,
                failed: self.failed,
                date: self.date.strftime("%Y-%m-%dT%H:%M:%S+0000").to_string(),
                message: Some(shortened(&self.message)),
            },
        };
        spaced_json(&stored)
    }

    /// Reads the content of a file.
    ///
    /// # Errors
    /// The text is not a result.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        let stored: Stored = serde_json::from_str(text)?;
        let date = Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", &stored.result.date);
        Ok(Self {
            title: stored.title,
            name: stored.name,
            path: stored.path,
            execution_time: stored.execution_time,
            kind: stored.result.kind,
            failed: stored.result.failed,
            date: date.map_err(serde::de::Error::custom)?,
            message: stored.result.message.unwrap_or_default(),
        })
    }

    /// Reads the last result of a promise of a partition. One that is absent or unreadable is `None`.
    #[must_use]
    pub fn load(partition: &Directory, title: &str) -> Option<Self> {
        let name = file_name(title);
        let text = partition
            .enter(FOLDER)
            .and_then(|folder| folder.map_or(Ok(None), |folder| folder.read_text(&name)));
        let parsed = text.map(|text| text.as_deref().map(Self::from_json));
        match parsed {
            Ok(None) => None,
            Ok(Some(Ok(result))) => Some(result),
            Ok(Some(Err(error))) => {
                tracing::warn!("bad promise result `{name}` in {}: {error}", partition.path());
                None
            }
            Err(error) => {
                tracing::warn!("failed to read the promise result `{name}` in {}: {error}", partition.path());
                None
            }
        }
    }

    /// Keeps it as the last result of its promise in the directory of the results.
    pub(super) fn store(&self, folder: &Directory) -> io::Result<()> {
        folder.replace(&file_name(&self.title), self.to_json().as_bytes(), 0o644)
    }
}

/// The directory of the results, in a partition.
pub(super) const FOLDER: &str = ".slapgrid/promise/result";

fn file_name(title: &str) -> String {
    format!("{title}.status.json")
}

/// The end of a message that is too long, which is where errors are told.
pub(super) fn shortened(message: &str) -> String {
    match message.chars().count().checked_sub(LONGEST_MESSAGE) {
        None | Some(0) => message.to_owned(),
        Some(surplus) => format!("...{}", message.chars().skip(surplus).collect::<String>()),
    }
}

/// JSON with a blank after each comma and colon and nothing but ASCII, as the reference writes it.
pub(super) fn spaced_json(value: &impl Serialize) -> String {
    struct Spaced;
    impl serde_json::ser::Formatter for Spaced {
        fn begin_array_value<W: ?Sized + io::Write>(
            &mut self,
            writer: &mut W,
            first: bool,
        ) -> io::Result<()> {
            if first { Ok(()) } else { writer.write_all(b", ") }
        }

        fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
            if first { Ok(()) } else { writer.write_all(b", ") }
        }

        fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
            writer.write_all(b": ")
        }

        fn write_string_fragment<W: ?Sized + io::Write>(
            &mut self,
            writer: &mut W,
            fragment: &str,
        ) -> io::Result<()> {
            let mut units = [0_u16; 2];
            for character in fragment.chars() {
                if character.is_ascii() {
                    write!(writer, "{character}")?;
                } else {
                    for unit in character.encode_utf16(&mut units) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
            }
            Ok(())
        }
    }
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Spaced);
    value.serialize(&mut serializer).expect("plain data always serialises into memory");
    String::from_utf8(out).expect("only ASCII was written")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(message: &str) -> PromiseResult {
        PromiseResult {
            title: "p0".into(),
            name: "p0.py".into(),
            path: "/srv/slappart0/etc/plugin/p0.py".into(),
            execution_time: 0.05,
            kind: Kind::Test,
            failed: false,
            date: "2026-11-20T23:44:42Z".parse().unwrap(),
            message: message.into(),
        }
    }

    #[test]
    fn the_file_has_the_form_of_the_reference() {
        insta::assert_snapshot!(result("ok é 😀").to_json(), @r#"{"title": "p0", "name": "p0.py", "path": "/srv/slappart0/etc/plugin/p0.py", "execution-time": 0.05, "result": {"type": "Test Result", "failed": false, "date": "2026-11-20T23:44:42+0000", "message": "ok \u00e9 \ud83d\ude00"}}"#);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let result = result("two\nlines");

        assert_eq!(PromiseResult::from_json(&result.to_json()).unwrap(), result);
    }

    #[test]
    fn a_long_message_keeps_its_end() {
        let stored =
            PromiseResult::from_json(&result(&format!("start{}end", "é".repeat(5000))).to_json()).unwrap();

        assert_eq!(stored.message.chars().count(), 5003);
        assert!(stored.message.starts_with("...é") && stored.message.ends_with("éend"));
    }
}
