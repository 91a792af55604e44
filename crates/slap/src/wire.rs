//! The spellings of the wire: marshalled XML in both directions, the parameter document, the forms and the answers.
//!
//! The only place that knows XML and the old words of the protocol (`slave`, `computer_guid`). Nothing here trusts its
//! input: documents are bounded in depth and size, classes come from a closed list, external entities do not exist.

pub mod configuration;
pub mod documents;
mod indent;
pub mod instance_xml;
pub mod marshal;
mod python_text;
mod request;
mod shared;
pub mod usage;
mod xml;

use thiserror::Error;

pub use documents::{
    read_computer, read_instance, read_partition, write_computer, write_instance, write_partition,
};
pub use marshal::Marshalled;
pub use request::{REQUEST_FIELDS, read_request, write_request};
pub use shared::read_shared_list;

use crate::id::InvalidId;
use crate::state::UnknownState;

/// A text that is not what the protocol says it should be.
#[derive(Debug, Error)]
pub enum WireError {
    /// The text is not well-formed XML.
    #[error("the document is not well-formed XML: {0}")]
    NotXml(String),
    /// The document is well-formed but not of the expected form.
    #[error("unexpected document: {0}")]
    Unexpected(String),
    /// The document would take more memory than any honest one.
    #[error("the document is larger or deeper than any honest one")]
    TooLarge,
    /// A text contains a character that XML cannot carry.
    #[error("the character U+{code:04X} cannot be sent", code = *.0 as u32)]
    Unrepresentable(char),
    /// An id is not one.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// A state is not one.
    #[error(transparent)]
    State(#[from] UnknownState),
}

impl WireError {
    fn unexpected(what: impl Into<String>) -> Self {
        Self::Unexpected(what.into())
    }
}
