//! What `format` tells the master of the machine beyond its partitions.

use host::system;

/// Facts about the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    /// A JSON list: platform, distribution, its version, its name.
    pub(crate) os_type: String,
    /// Version of this program.
    pub(crate) version: String,
    /// Version of the Python that the node runs on; ours runs on none.
    pub(crate) python_version: Option<String>,
}

impl Facts {
    /// Those of this machine.
    pub(crate) fn gather() -> Self {
        let distribution = system::distribution();
        let list = [system::platform(), distribution.id, distribution.version, distribution.name];
        // The separators are those of Python's JSON: masters keep the text as it is.
        let items: Vec<String> =
            list.iter().map(|text| serde_json::Value::from(text.as_str()).to_string()).collect();
        Self {
            os_type: format!("[{}]", items.join(", ")),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            python_version: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_system_is_a_list_of_four_texts() {
        let facts = Facts::gather();

        let list: Vec<String> = serde_json::from_str(&facts.os_type).unwrap();
        assert_eq!(list.len(), 4);
        assert!(list[0].starts_with("Linux-"), "{list:?}");
    }
}
