//! What is appended to an instance profile, so that it knows where it is and whom to ask.

use std::fmt::Write as _;

use camino::Utf8PathBuf;
use slap::{Partition, SoftwareUrl};

use crate::configuration::Configuration;

/// The tail for one partition, byte for byte as profiles in the field know it.
pub(crate) fn tail(configuration: &Configuration, partition: &Partition, release: &SoftwareUrl) -> String {
    let credential = |extension: &str| {
        configuration
            .credentials
            .partition_directory
            .as_ref()
            .map(|directory| directory.join(format!("{}.{extension}", partition.id)).into_string())
            .unwrap_or_default()
    };
    let (key, certificate) = (credential("key"), credential("crt"));
    let (computer, id, url) = (&configuration.computer_id, &partition.id, &configuration.master_url);
    let state = partition.requested_state;
    let mut text = String::from(
        "# This is beginning of zc.buildout profile's tail added by slapgrid\n\
         [buildout]\n\
         # put buildout generated binaries in specific directory\n\
         bin-directory = ${buildout:directory}/sbin\n\
         \n\
         # protect software and run parts offline\n\
         offline = true\n\n",
    );
    let storage = configuration.instance_storage_home.as_ref().map_or("", |path| path.as_str());
    write!(
        text,
        "[slap-connection]\n\
         computer-id = {computer}\n\
         partition-id = {id}\n\
         server-url = {url}\n\
         software-release-url = {release}\n\
         key-file = {key}\n\
         cert-file = {certificate}\n\
         shared-part-list =\n  {shared}\n\
         build-time-part-list =\n  {build_time}\n\
         requested-state = {state}\n\
         \n\
         [slap_connection]\n\
         # Kept for backward compatiblity\n\
         computer_id = {computer}\n\
         partition_id = {id}\n\
         server_url = {url}\n\
         software_release_url = {release}\n\
         key_file = {key}\n\
         cert_file = {certificate}\n\
         \n\
         [storage-configuration]\n\
         storage-home = {storage}\n\
         \n\
         [network-information]\n\
         global-ipv4-network = {network}\n\
         # This is end of zc.buildout profile's tail added by slapgrid\n",
        shared = lines(&configuration.shared_parts),
        build_time = lines(&configuration.build_time_parts),
        network = configuration.ipv4_global_network,
    )
    .expect("writing to a text cannot fail");
    text
}

fn lines(paths: &[Utf8PathBuf]) -> String {
    paths.iter().map(|path| path.as_str()).collect::<Vec<_>>().join("\n  ")
}

#[cfg(test)]
mod tests {
    use slap::RequestedState;

    use super::*;

    #[test]
    fn the_tail_is_that_of_the_reference() {
        let mut configuration = Configuration::new(
            "local".parse().unwrap(),
            "http://127.0.0.1:16500",
            "/srv/base/soft",
            "/srv/base/inst",
            &["/bin/slapos".into()],
        );
        configuration.shared_parts = vec!["/srv/base/shared".into()];
        let partition = Partition {
            requested_state: RequestedState::Started,
            ..Partition::free("local".parse().unwrap(), "slappart0".parse().unwrap())
        };

        let text = tail(&configuration, &partition, &"/release/software.cfg".parse().unwrap());

        // Recorded from the reference.
        assert_eq!(text, include_str!("tail.golden.cfg"));
    }

    #[test]
    fn the_files_of_a_certificate_are_named_when_there_is_a_place_for_them() {
        let mut configuration = Configuration::new(
            "local".parse().unwrap(),
            "https://master",
            "/soft",
            "/inst",
            &["/bin/slapos".into()],
        );
        configuration.credentials.partition_directory = Some("/pki".into());
        let partition = Partition::free("local".parse().unwrap(), "slappart3".parse().unwrap());

        let text = tail(&configuration, &partition, &"http://release".parse().unwrap());

        assert!(text.contains("\nkey-file = /pki/slappart3.key\ncert-file = /pki/slappart3.crt\n"), "{text}");
    }
}
