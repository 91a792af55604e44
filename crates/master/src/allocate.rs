//! Where a new instance shall be.

use std::collections::BTreeMap;

use slap::{ComputerId, InvalidId};

/// The constraint that names a computer.
pub(crate) const COMPUTER_GUID: &str = "computer_guid";

/// The computer that a request is for: the one that its constraints name, else the default one.
pub(crate) fn target_computer(
    filter: &BTreeMap<String, String>,
    default: &ComputerId,
) -> Result<ComputerId, InvalidId> {
    match filter.get(COMPUTER_GUID).filter(|text| !text.is_empty()) {
        Some(text) => text.parse(),
        None => Ok(default.clone()),
    }
}

/// Whether an instance may host what names it by `instance_guid`: by its full id, or by its partition alone.
pub(crate) fn is_named_host(wanted: &str, computer: &str, partition: &str) -> bool {
    match wanted.strip_prefix(computer).and_then(|rest| rest.strip_prefix('-')) {
        Some(rest) => rest == partition,
        None => wanted == partition,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constraint_overrules_the_default_computer() {
        let default: ComputerId = "local".parse().unwrap();
        let filter = |text: &str| BTreeMap::from([(COMPUTER_GUID.to_owned(), text.to_owned())]);

        assert_eq!(target_computer(&BTreeMap::new(), &default).unwrap().as_str(), "local");
        assert_eq!(target_computer(&filter(""), &default).unwrap().as_str(), "local");
        assert_eq!(target_computer(&filter("COMP-7"), &default).unwrap().as_str(), "COMP-7");
    }

    #[test]
    fn a_host_is_named_by_its_id_or_its_partition() {
        assert!(is_named_host("local-slappart0", "local", "slappart0"));
        assert!(is_named_host("slappart0", "local", "slappart0"));
        assert!(!is_named_host("local-slappart1", "local", "slappart0"));
        assert!(!is_named_host("other-slappart0", "local", "slappart0"));
    }
}
