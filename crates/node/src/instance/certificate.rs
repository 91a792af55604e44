//! The key and the certificate of one partition, kept as the master gives them.

use camino::Utf8Path;
use host::files;
use slap::Partition;

use super::error::InstanceError;
use crate::Node;
use crate::build::account_of;

/// Fetches both when this node keeps certificates, and writes what differs.
pub(crate) fn refresh(node: &Node, partition: &Partition) -> Result<(), InstanceError> {
    let configuration = &node.configuration;
    let Some(place) = &configuration.credentials.partition_directory else { return Ok(()) };
    let pair = node
        .client
        .certificate(&configuration.computer_id, &partition.id)
        .map_err(|source| InstanceError::Master { what: "get the certificate of the partition", source })?;
    let directory = configuration.partition_directory(&partition.id);
    for (extension, text) in [("crt", &pair.certificate), ("key", &pair.key)] {
        let path = place.join(format!("{}.{extension}", partition.id));
        write(&path, text, &directory).map_err(|source| InstanceError::File {
            what: "write",
            path,
            source,
        })?;
    }
    Ok(())
}

fn write(path: &Utf8Path, text: &str, directory: &Utf8Path) -> std::io::Result<()> {
    files::replace_if_changed(path, text, 0o400)?;
    match account_of(directory)? {
        Some(account) => files::give(path, &account),
        None => Ok(()),
    }
}
