//! The document in which a formatted computer announces its partitions.

use super::WireError;
use super::documents::Fields;
use super::marshal::Marshalled;
use crate::configuration::{ComputerConfiguration, PartitionConfiguration};
use crate::value::{Parameters, Value};

/// Reads the document; unknown entries are kept aside.
///
/// # Errors
/// A document that is no mapping, or in which a reference is missing or none.
pub fn read(document: &str) -> Result<ComputerConfiguration, WireError> {
    let Marshalled::Map(entries) = Marshalled::read(document)? else {
        return Err(WireError::unexpected("the configuration of a computer is a mapping"));
    };
    let mut fields = Fields::of_map(Marshalled::Map(entries));
    let partitions =
        fields.take_items("partition_list").into_iter().map(partition).collect::<Result<_, _>>()?;
    Ok(ComputerConfiguration {
        reference: fields.take_text("reference").unwrap_or_default().parse()?,
        address: fields.take_text("address").unwrap_or_default(),
        netmask: fields.take_text("netmask").unwrap_or_default(),
        partitions,
        extra: fields.into_parameters(),
    })
}

/// Writes the document.
///
/// # Errors
/// A text with a character that XML cannot carry.
pub fn write(configuration: &ComputerConfiguration) -> Result<String, WireError> {
    let partitions = configuration.partitions.iter().map(partition_map).collect();
    let mut entries = extra_entries(&configuration.extra);
    entries.extend([
        ("reference".to_owned(), Marshalled::text(configuration.reference.as_str())),
        ("address".to_owned(), Marshalled::text(&configuration.address)),
        ("netmask".to_owned(), Marshalled::text(&configuration.netmask)),
        ("partition_list".to_owned(), Marshalled::List(partitions)),
    ]);
    Marshalled::map(entries).write()
}

/// Writes the document as it is kept on disk: indented, one element on each line.
///
/// # Errors
/// As [`write()`].
pub fn write_indented(configuration: &ComputerConfiguration) -> Result<String, WireError> {
    write(configuration).map(|document| super::indent::indent(&document))
}

fn partition(item: Marshalled) -> Result<PartitionConfiguration, WireError> {
    let mut fields = Fields::of_map(item);
    let addresses = fields
        .take_items("address_list")
        .into_iter()
        .map(|item| {
            let mut address = Fields::of_map(item);
            (address.take_text("addr").unwrap_or_default(), address.take_text("netmask").unwrap_or_default())
        })
        .collect();
    let reference = fields.take_text("reference").unwrap_or_default().parse()?;
    let extra = fields.into_parameters();
    let tap_name = match extra.get("tap") {
        Some(Value::Map(tap)) => tap.get("name").and_then(Value::as_text).map(str::to_owned),
        _ => None,
    };
    Ok(PartitionConfiguration { reference, tap_name, addresses, extra })
}

fn partition_map(partition: &PartitionConfiguration) -> Marshalled {
    let addresses = partition
        .addresses
        .iter()
        .map(|(address, netmask)| {
            Marshalled::map([("addr", Marshalled::text(address)), ("netmask", Marshalled::text(netmask))])
        })
        .collect();
    let mut entries = extra_entries(&partition.extra);
    if !partition.extra.contains_key("tap") {
        let name = partition.tap_name.as_deref().unwrap_or_default();
        entries.push(("tap".to_owned(), Marshalled::map([("name", Marshalled::text(name))])));
    }
    entries.push(("reference".to_owned(), Marshalled::text(partition.reference.as_str())));
    entries.push(("address_list".to_owned(), Marshalled::List(addresses)));
    Marshalled::map(entries)
}

fn extra_entries(extra: &Parameters) -> Vec<(String, Marshalled)> {
    extra.iter().map(|(name, value)| (name.clone(), Marshalled::from(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration() -> ComputerConfiguration {
        ComputerConfiguration {
            reference: "local_computer".parse().unwrap(),
            address: "10.0.0.1".to_owned(),
            netmask: "255.255.0.0".to_owned(),
            partitions: vec![PartitionConfiguration {
                reference: "slappart0".parse().unwrap(),
                tap_name: Some("slaptap0".to_owned()),
                addresses: vec![("10.0.0.2".to_owned(), "255.255.255.255".to_owned())],
                extra: Parameters::new(),
            }],
            extra: Parameters::new(),
        }
    }

    #[test]
    fn the_document_is_the_one_that_the_reference_sends() {
        insta::assert_snapshot!(write(&configuration()).unwrap(), @r#"<marshal><dictionary id="i2"><string>address</string><string>10.0.0.1</string><string>netmask</string><string>255.255.0.0</string><string>partition_list</string><list id="i3"><dictionary id="i4"><string>address_list</string><list id="i5"><dictionary id="i6"><string>addr</string><string>10.0.0.2</string><string>netmask</string><string>255.255.255.255</string></dictionary></list><string>reference</string><string>slappart0</string><string>tap</string><dictionary id="i7"><string>name</string><string>slaptap0</string></dictionary></dictionary></list><string>reference</string><string>local_computer</string></dictionary></marshal>"#);
    }

    #[test]
    fn what_is_written_is_read_back_and_strangers_are_kept() {
        let mut original = configuration();
        original.extra.insert("python_version".to_owned(), Value::from("3.11"));

        let read = read(&write(&original).unwrap()).unwrap();

        assert_eq!(read.extra, original.extra);
        assert_eq!(read.partitions[0].interface(), "slaptap0");
        assert_eq!(read.partitions[0].addresses, original.partitions[0].addresses);
        assert_eq!(write(&read).unwrap(), write(&original).unwrap());
    }

    #[test]
    fn a_partition_that_would_leave_its_directory_is_refused() {
        let mut hostile = write(&configuration()).unwrap();
        hostile = hostile.replace("slappart0", "../../etc");

        assert!(matches!(super::read(&hostile), Err(WireError::Id(_))));
    }
}
