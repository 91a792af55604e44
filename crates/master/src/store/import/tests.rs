//! Databases of the Python proxy, before and after.

use rusqlite::Connection;
use slap::{RequestedState, wire};

use super::super::tests::scratch;
use super::*;
use crate::computer_document;

fn imported(sql: &str, version: u32) -> (tempfile::TempDir, Utf8PathBuf, slap::Computer) {
    let (guard, path) = scratch();
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    import(&path, version, &"local".parse().unwrap(), 1_000_000).unwrap();
    let opened = open(&path).unwrap();
    let tx = Tx::new(&opened.connection);
    let row = tx.computer(&"local".parse().unwrap()).unwrap().unwrap();
    let computer = computer_document::computer(&tx, &row).unwrap();
    (guard, path, computer)
}

#[test]
fn an_imported_database_says_what_the_python_proxy_said() {
    let sql = include_str!("../../../../../fixtures/wire/proxy.sql");
    let expected = include_str!("../../../../../fixtures/wire/proxy.xml");

    let (_guard, path, computer) = imported(sql, 17);

    let mut expected = wire::read_computer(expected).unwrap();
    for partition in &mut expected.partitions {
        // A free partition announces no addresses, and times are kept to the microsecond.
        partition.timestamp = None;
    }
    let mut found = computer;
    for partition in &mut found.partitions {
        partition.timestamp = None;
        if !partition.is_busy() {
            partition.addresses.clear();
        }
    }
    assert_eq!(found, expected);
    assert!(found.partitions.iter().any(|partition| !partition.shared_instances.is_empty()));
    let kept = Connection::open(format!("{path}-python-17")).unwrap();
    assert!(kept.table_exists(None, "partition17").unwrap());
}

#[test]
fn old_versions_name_the_partition_that_requested_something() {
    let sql = "
        CREATE TABLE software10 (url TEXT);
        CREATE TABLE computer10 (address TEXT, netmask TEXT);
        CREATE TABLE partition10 (reference TEXT, slap_state TEXT, software_release TEXT, xml TEXT,
          connection_xml TEXT, slave_instance_list TEXT, software_type TEXT, partition_reference TEXT,
          requested_by TEXT, requested_state TEXT);
        CREATE TABLE slave10 (reference TEXT, connection_xml TEXT, hosted_by TEXT, asked_by TEXT);
        CREATE TABLE partition_network10 (partition_reference TEXT, reference TEXT, address TEXT, netmask TEXT);
        INSERT INTO software10 VALUES ('/a.cfg');
        INSERT INTO computer10 VALUES ('10.0.0.1', '255.0.0.0');
        INSERT INTO partition10 (reference, slap_state, software_release, partition_reference, requested_by) VALUES
          ('slappart0', 'busy', '/a.cfg', 'root', NULL), ('slappart1', 'busy', '/a.cfg', 'child', 'slappart0'),
          ('slappart2', 'busy', '/a.cfg', 'grandchild', 'slappart1'), ('slappart3', 'free', NULL, NULL, NULL);
        INSERT INTO partition_network10 VALUES ('slappart0', 'tap0', '10.0.0.2', '255.255.255.255');";

    let (_guard, _path, computer) = imported(sql, 10);

    let trees: Vec<_> = computer.partitions.iter().map(|p| p.root_title.as_deref()).collect();
    assert_eq!(trees, [Some("root"), Some("root"), Some("root"), None]);
    assert_eq!(computer.partitions[0].addresses, [("tap0".to_owned(), "10.0.0.2".to_owned())]);
    assert_eq!(computer.partitions[0].requested_state, RequestedState::Started);
    assert_eq!(computer.releases.len(), 1);
}

#[test]
fn a_database_that_cannot_be_imported_is_left_as_it_was() {
    let (_guard, path) = scratch();
    let sql = "CREATE TABLE computer17 (reference TEXT, address TEXT, netmask TEXT); \
               CREATE TABLE partition17 (reference TEXT, computer_reference TEXT); \
               INSERT INTO partition17 VALUES ('../../etc', 'local')";
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    let before = fs::read(&path).unwrap();

    let outcome = import(&path, 17, &"local".parse().unwrap(), 0);

    assert!(matches!(outcome, Err(ImportError::Write(StoreError::Content(_)))), "{outcome:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(matches!(import(&path, 9, &"local".parse().unwrap(), 0), Err(ImportError::Version(9))));
}
