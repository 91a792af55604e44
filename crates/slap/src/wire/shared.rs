//! A shared instance as an entry of its host's list.

use super::WireError;
use super::documents::Fields;
use super::marshal::Marshalled;
use crate::computer::SharedInstance;
use crate::value::{Parameters, Value};

impl SharedInstance {
    /// The entry as recipes and profiles know it: the parameters with what the master says of the instance beside them.
    #[must_use]
    pub fn to_entry(&self) -> Parameters {
        let mut entry = self.parameters.clone();
        entry.insert("slave_title".to_owned(), Value::from(self.title.as_str()));
        entry.insert("slave_reference".to_owned(), Value::from(self.reference.as_str()));
        if let Some(software_type) = &self.software_type {
            entry.insert("slap_software_type".to_owned(), Value::from(software_type.as_str()));
        }
        if let Some(timestamp) = &self.timestamp {
            entry.insert("timestamp".to_owned(), Value::from(timestamp.as_str()));
        }
        entry
    }
}

/// Reads the list that a host is given, as stand-alone masters store it.
///
/// # Errors
/// A document of another form.
pub fn read_shared_list(document: &str) -> Result<Vec<SharedInstance>, WireError> {
    match Marshalled::read(document)? {
        Marshalled::List(entries) => Ok(entries.into_iter().map(read).collect()),
        _ => Err(WireError::unexpected("the shared instances are not a list")),
    }
}

pub(super) fn read(entry: Marshalled) -> SharedInstance {
    let mut fields = Fields::of_map(entry);
    let reference = fields.take_text("slave_reference").unwrap_or_default();
    SharedInstance {
        title: fields.take_text("slave_title").unwrap_or_else(|| reference.clone()),
        reference,
        software_type: fields.take_text("slap_software_type").and_then(|text| text.parse().ok()),
        timestamp: fields.take_text("timestamp"),
        parameters: fields.into_parameters(),
    }
}

pub(super) fn write(shared: &SharedInstance) -> Marshalled {
    Marshalled::from(&shared.to_entry())
}
