//! XML-RPC as the supervisor's clients speak it: values, calls and answers, in the text form of Python's `xmlrpc`.
//!
//! This is the only place of the crate that knows this notation; it has nothing to do with the master's.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub use self::read::{read_answer, read_call};
pub use self::write::{write_answer, write_call};

/// One value of a call or an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Nil,
    /// A truth value.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Double(f64),
    /// Text.
    Text(String),
    /// A list.
    Array(Vec<Self>),
    /// Named members, in order.
    Struct(Vec<(String, Self)>),
}

/// An answer that says that a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Fault {
    /// The number, one of [`code`].
    pub code: i64,
    /// The text, which starts with the name of the number.
    pub text: String,
}

/// The numbers of [`Fault`].
#[expect(missing_docs, reason = "the names say it, and the notation gives nothing more")]
pub mod code {
    pub const UNKNOWN_METHOD: i64 = 1;
    pub const INCORRECT_PARAMETERS: i64 = 2;
    pub const BAD_ARGUMENTS: i64 = 3;
    pub const SHUTDOWN_STATE: i64 = 6;
    pub const BAD_NAME: i64 = 10;
    pub const BAD_SIGNAL: i64 = 11;
    pub const NO_FILE: i64 = 20;
    pub const NOT_EXECUTABLE: i64 = 21;
    pub const FAILED: i64 = 30;
    pub const ABNORMAL_TERMINATION: i64 = 40;
    pub const SPAWN_ERROR: i64 = 50;
    pub const ALREADY_STARTED: i64 = 60;
    pub const NOT_RUNNING: i64 = 70;
    pub const SUCCESS: i64 = 80;
    pub const ALREADY_ADDED: i64 = 90;
    pub const STILL_RUNNING: i64 = 91;
    pub const CANT_REREAD: i64 = 92;
}

impl Fault {
    /// The fault of that number about `what`, which may be empty.
    #[must_use]
    pub fn new(code: i64, what: &str) -> Self {
        let name = match code {
            code::UNKNOWN_METHOD => "UNKNOWN_METHOD",
            code::INCORRECT_PARAMETERS => "INCORRECT_PARAMETERS",
            code::BAD_ARGUMENTS => "BAD_ARGUMENTS",
            code::SHUTDOWN_STATE => "SHUTDOWN_STATE",
            code::BAD_NAME => "BAD_NAME",
            code::BAD_SIGNAL => "BAD_SIGNAL",
            code::NO_FILE => "NO_FILE",
            code::NOT_EXECUTABLE => "NOT_EXECUTABLE",
            code::ABNORMAL_TERMINATION => "ABNORMAL_TERMINATION",
            code::SPAWN_ERROR => "SPAWN_ERROR",
            code::ALREADY_STARTED => "ALREADY_STARTED",
            code::NOT_RUNNING => "NOT_RUNNING",
            code::SUCCESS => "SUCCESS",
            code::ALREADY_ADDED => "ALREADY_ADDED",
            code::STILL_RUNNING => "STILL_RUNNING",
            code::CANT_REREAD => "CANT_REREAD",
            _ => "FAILED",
        };
        let text = if what.is_empty() { name.to_owned() } else { format!("{name}: {what}") };
        Self { code, text }
    }
}

/// Text that is not the XML-RPC that was expected.
#[derive(Debug, thiserror::Error)]
pub enum NotationError {
    /// Not XML.
    #[error("malformed XML")]
    Xml(#[from] quick_xml::Error),
    /// XML, but not of this notation.
    #[error("unexpected {found} in an XML-RPC document")]
    Unexpected {
        /// What was there.
        found: String,
    },
}

impl Value {
    /// The member of a structure.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Struct(members) => {
                members.iter().find(|(member, _)| member == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The text, when it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The whole number, when it is one.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    /// The elements, when it is a list; else none.
    #[must_use]
    pub fn elements(&self) -> &[Self] {
        if let Self::Array(elements) = self { elements } else { &[] }
    }

    /// A list of texts.
    #[must_use]
    pub fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::Array(texts.into_iter().map(|text| Self::Text(text.into())).collect())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}
