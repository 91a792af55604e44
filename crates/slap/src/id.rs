//! Ids and other strings with a grammar. Each is validated once, where it enters.

use std::fmt;
use std::str::FromStr;

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A text that cannot be the id it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` cannot be a {kind}: {problem}")]
pub struct InvalidId {
    kind: &'static str,
    text: String,
    problem: &'static str,
}

/// What is wrong with a text for every kind of id: nothing here may be empty, overlong or unprintable on a line.
fn general_problem(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty");
    }
    if text.len() > 4096 {
        return Some("it is longer than 4096 bytes");
    }
    // U+FFFE and U+FFFF are not characters of XML, so they could not travel.
    if text.chars().any(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}')) {
        return Some("it contains a control character");
    }
    None
}

/// What is wrong with a text for ids that become names of directories.
fn file_name_problem(text: &str) -> Option<&'static str> {
    match text {
        "." | ".." => Some("it is a name reserved by the file system"),
        _ if text.contains('/') => Some("it contains a slash"),
        _ if text.len() > 255 => Some("it is longer than 255 bytes"),
        _ => None,
    }
}

fn no_further_problem(_: &str) -> Option<&'static str> {
    None
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $problem:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                match general_problem(text).or_else(|| $problem(text)) {
                    Some(problem) => Err(InvalidId { kind: $kind, text: text.chars().take(80).collect(), problem }),
                    None => Ok(Self(text.to_owned())),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// Names one computer: `COMP-7`, `local_computer`.
    ComputerId,
    "computer id",
    no_further_problem
);
text_id!(
    /// Names one partition of a computer: `slappart0`. It is also the name of the partition's directory.
    PartitionId,
    "partition id",
    file_name_problem
);
text_id!(
    /// Names one instance for ever: `SOFTINST-42`, or `local_computer-slappart0` in stand-alone mode.
    InstanceGuid,
    "instance id",
    no_further_problem
);
text_id!(
    /// What its requester calls an instance; unique in its instance tree.
    InstanceTitle,
    "instance title",
    no_further_problem
);
text_id!(
    /// The address, or the absolute path, of the profile of a software release. The text itself is the identity.
    SoftwareUrl,
    "software release",
    no_further_problem
);
text_id!(
    /// One of the kinds of instance that a software release offers.
    SoftwareType,
    "software type",
    no_further_problem
);

impl SoftwareUrl {
    /// The MD5 of the address in lower-case hexadecimal: the name of the release's directory.
    #[must_use]
    pub fn md5(&self) -> String {
        use fmt::Write as _;
        Md5::digest(self.0.as_bytes()).iter().fold(String::with_capacity(32), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

impl Default for SoftwareType {
    /// The type of a request that names none: `default`.
    fn default() -> Self {
        Self("default".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_directory_is_the_md5_of_its_address() {
        let url: SoftwareUrl = "http://example.org/software.cfg".parse().unwrap();

        assert_eq!(url.md5(), "bc1395bc61d2561a166c18d50ca3964f");
    }

    #[test]
    fn a_partition_id_never_leads_out_of_its_directory() {
        for text in ["", ".", "..", "a/b", "/", "a\0b", "a\nb"] {
            assert!(text.parse::<PartitionId>().is_err(), "{text:?}");
        }
        assert_eq!("slappart0".parse::<PartitionId>().unwrap().as_str(), "slappart0");
    }

    #[test]
    fn ids_are_validated_when_deserialised() {
        assert!(serde_json::from_str::<ComputerId>("\"\"").is_err());
        assert_eq!(serde_json::from_str::<ComputerId>("\"COMP-1\"").unwrap().to_string(), "COMP-1");
    }
}
