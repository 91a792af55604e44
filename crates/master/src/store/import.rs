//! Takes over the database of the Python proxy, versions 10 to 17: reads all of it, writes a database of ours beside
//! it, and lets that take its place. The old one is kept under another name.

use std::collections::HashMap;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use slap::wire::{Marshalled, instance_xml};
use slap::{ComputerId, PartitionId, RequestedState, SharedInstance, SoftwareState, wire};
use thiserror::Error;

use super::instance::NewInstance;
use super::open::{lock, open};
use super::shared::NewShared;
use super::tx::{Change, Tx};
use super::{OpenError, StoreError, stored_form};

/// The oldest and the newest version that can be taken over.
const VERSIONS: std::ops::RangeInclusive<u32> = 10..=17;

/// Before this version an instance named the partition that requested it, not the root of its tree.
const ROOT_TITLES: u32 = 17;

/// Why a database was not taken over. It is as it was.
#[derive(Debug, Error)]
pub enum ImportError {
    /// Its version is not known.
    #[error("version {0} of the Python proxy's database cannot be imported")]
    Version(u32),
    /// It cannot be read.
    #[error("failed to read the Python proxy's database")]
    Read(#[source] rusqlite::Error),
    /// The new database cannot be written.
    #[error("failed to write the imported database")]
    Write(#[source] StoreError),
    /// The new database cannot be made.
    #[error("failed to make the imported database")]
    Create(#[source] Box<OpenError>),
    /// The new database cannot be put in the place of the old one.
    #[error("failed to put the imported database in its place")]
    Replace(#[source] std::io::Error),
}

/// A row by the names of its columns; nothing is an absent column.
type Row = HashMap<String, String>;

/// Takes over the database at `path`; returns where the old one is kept.
pub(crate) fn import(
    path: &Utf8Path,
    version: u32,
    default_computer: &ComputerId,
    now: i64,
) -> Result<Utf8PathBuf, ImportError> {
    if !VERSIONS.contains(&version) {
        return Err(ImportError::Version(version));
    }
    let _lock = lock(path).map_err(|error| ImportError::Create(Box::new(error)))?;
    let source = Source::open(path, version, default_computer.clone())?;
    let beside = Utf8PathBuf::from(format!("{path}-importing"));
    let kept = Utf8PathBuf::from(format!("{path}-python-{version}"));
    for suffix in ["", "-wal", "-shm", "-lock"] {
        host::files::remove_if_present(Utf8Path::new(&format!("{beside}{suffix}")))
            .map_err(ImportError::Replace)?;
    }
    let opened = open(&beside).map_err(|error| ImportError::Create(Box::new(error)))?;
    opened
        .connection
        .execute_batch("BEGIN")
        .map_err(|error| ImportError::Write(StoreError::Engine(error)))?;
    write(&Tx::new(&opened.connection), &source, now).map_err(ImportError::Write)?;
    opened
        .connection
        .execute_batch("COMMIT")
        .map_err(|error| ImportError::Write(StoreError::Engine(error)))?;
    opened.close();
    // The old database gets a second name before its first one is taken, so that there is always a whole one.
    host::files::remove_if_present(&kept).map_err(ImportError::Replace)?;
    fs::hard_link(path, &kept).map_err(ImportError::Replace)?;
    fs::rename(&beside, path).map_err(ImportError::Replace)?;
    host::files::remove_if_present(Utf8Path::new(&format!("{beside}-lock"))).map_err(ImportError::Replace)?;
    let directory = path.parent().filter(|parent| !parent.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    host::files::sync_directory(directory).map_err(ImportError::Replace)?;
    Ok(kept)
}

/// All that the old database says.
struct Source {
    default_computer: ComputerId,
    computers: Vec<Row>,
    releases: Vec<Row>,
    partitions: Vec<Row>,
    addresses: Vec<Row>,
    shared: Vec<Row>,
}

impl Source {
    fn open(path: &Utf8Path, version: u32, default_computer: ComputerId) -> Result<Self, ImportError> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .map_err(ImportError::Read)?;
        let table = |name: &str| rows(&connection, &format!("{name}{version}")).map_err(ImportError::Read);
        let mut source = Self {
            default_computer,
            computers: table("computer")?,
            releases: table("software")?,
            partitions: table("partition")?,
            addresses: table("partition_network")?,
            shared: table("slave")?,
        };
        if version < ROOT_TITLES {
            source.follow_requesters();
        }
        Ok(source)
    }

    /// Replaces the partitions that requested something by the titles of the roots above them.
    fn follow_requesters(&mut self) {
        let above: HashMap<String, (String, String)> = self
            .partitions
            .iter()
            .map(|row| {
                (text(row, "reference"), (text(row, "requested_by"), text(row, "partition_reference")))
            })
            .collect();
        let root_title = |partition: &str| {
            let mut present = partition.to_owned();
            // A chain that is longer than there are partitions is a circle.
            for _ in 0..=above.len() {
                match above.get(&present) {
                    Some((requester, _)) if !requester.is_empty() => present.clone_from(requester),
                    Some((_, title)) => return title.clone(),
                    None => return String::new(),
                }
            }
            String::new()
        };
        for (rows, column) in [(&mut self.partitions, "requested_by"), (&mut self.shared, "asked_by")] {
            for row in rows {
                let title = root_title(&text(row, column));
                row.insert(column.to_owned(), title);
            }
        }
    }

    fn computer(&self, row: &Row) -> Result<ComputerId, StoreError> {
        match text(row, "computer_reference") {
            empty if empty.is_empty() => Ok(self.default_computer.clone()),
            reference => reference.parse().map_err(StoreError::content),
        }
    }
}

/// The rows of a table in the order of their insertion; none when there is no such table.
fn rows(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Row>> {
    if !connection.table_exists(None, table)? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY rowid"))?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut read = Row::new();
        for (index, name) in names.iter().enumerate() {
            let value = match row.get_ref(index)? {
                ValueRef::Null | ValueRef::Blob(_) => continue,
                ValueRef::Integer(integer) => integer.to_string(),
                ValueRef::Real(float) => float.to_string(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            };
            read.insert(name.clone(), value);
        }
        found.push(read);
    }
    Ok(found)
}

fn text(row: &Row, column: &str) -> String {
    row.get(column).cloned().unwrap_or_default()
}

fn write(tx: &Tx<'_>, source: &Source, now: i64) -> Result<(), StoreError> {
    for row in &source.computers {
        let reference = match text(row, "reference") {
            empty if empty.is_empty() => source.default_computer.clone(),
            reference => reference.parse().map_err(StoreError::content)?,
        };
        let computer = tx.ensure_computer(&reference)?;
        tx.set_computer_formatted(computer.id, &text(row, "address"), &text(row, "netmask"))?;
        tx.touch(computer.id, Change::Demand)?;
    }
    for row in &source.releases {
        let computer = tx.ensure_computer(&source.computer(row)?)?;
        let state = text(row, "requested_state").parse().unwrap_or(SoftwareState::Available);
        tx.set_supply(computer.id, &text(row, "url").parse().map_err(StoreError::content)?, state)?;
    }
    let mut hosts = HashMap::new();
    for row in &source.partitions {
        write_partition(tx, source, row, now, &mut hosts)?;
    }
    for row in &source.shared {
        write_shared(tx, source, row, &hosts)?;
    }
    Ok(())
}

/// An instance that hosts others, and their entries in its list.
struct Host {
    id: i64,
    computer_id: i64,
    entries: Vec<SharedInstance>,
}

fn write_partition(
    tx: &Tx<'_>,
    source: &Source,
    row: &Row,
    now: i64,
    hosts: &mut HashMap<(ComputerId, String), Host>,
) -> Result<(), StoreError> {
    let computer_id = source.computer(row)?;
    let computer = tx.ensure_computer(&computer_id)?;
    let reference: PartitionId = text(row, "reference").parse().map_err(StoreError::content)?;
    let partition_id = tx.insert_partition(computer.id, &reference)?;
    for address in &source.addresses {
        if text(address, "partition_reference") == reference.as_str()
            && source.computer(address)? == computer_id
        {
            let pair = (text(address, "address"), text(address, "netmask"));
            tx.add_address(partition_id, &text(address, "reference"), &pair)?;
        }
    }
    let (url, title) = (text(row, "software_release"), text(row, "partition_reference"));
    if text(row, "slap_state") == "free" || url.is_empty() || title.is_empty() {
        return Ok(());
    }
    tx.take_partition(partition_id)?;
    let id = tx.insert_instance(&NewInstance {
        root_title: &text(row, "requested_by"),
        title: &title,
        url: &url.parse().map_err(StoreError::content)?,
        software_type: &text(row, "software_type").parse().unwrap_or_default(),
        requested_state: text(row, "requested_state").parse().unwrap_or(RequestedState::Started),
        parameters: &document(&text(row, "xml"))?,
        filter: "",
        timestamp: microseconds(&text(row, "timestamp")).unwrap_or(now),
        partition_id,
    })?;
    tx.set_instance_connection(id, &document(&text(row, "connection_xml"))?)?;
    let list = text(row, "slave_instance_list");
    let entries = if list.is_empty() {
        Vec::new()
    } else {
        wire::read_shared_list(&list).map_err(StoreError::content)?
    };
    hosts.insert((computer_id, reference.to_string()), Host { id, computer_id: computer.id, entries });
    Ok(())
}

/// A shared instance that its host does not list any more was destroyed.
fn write_shared(
    tx: &Tx<'_>,
    source: &Source,
    row: &Row,
    hosts: &HashMap<(ComputerId, String), Host>,
) -> Result<(), StoreError> {
    let reference = text(row, "reference");
    let Some(host) = hosts.get(&(source.computer(row)?, text(row, "hosted_by"))) else { return Ok(()) };
    let Some(entry) = host.entries.iter().find(|entry| entry.reference == reference) else { return Ok(()) };
    let root_title = text(row, "asked_by");
    let title = reference.strip_prefix(&format!("{root_title}_")).unwrap_or(&reference);
    let software_type = entry.software_type.as_ref().map(ToString::to_string).unwrap_or_default();
    let id = tx.insert_shared(&NewShared {
        computer_id: host.computer_id,
        reference: &reference,
        root_title: &root_title,
        title,
        host_id: host.id,
        software_type: &software_type,
        parameters: &Marshalled::from(&entry.parameters).write().map_err(StoreError::content)?,
    })?;
    tx.set_shared_connection(id, &document(&text(row, "connection_xml"))?)
}

/// A parameter document as we write it; nothing for an empty one.
fn document(stored: &str) -> Result<String, StoreError> {
    instance_xml::read(stored).and_then(|texts| stored_form(&texts)).map_err(StoreError::content)
}

/// Seconds with a fraction, as microseconds.
fn microseconds(seconds: &str) -> Option<i64> {
    let seconds: f64 = seconds.parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "times of this age fit; others are cut, which harms nobody"
    )]
    Some((seconds * 1e6).round() as i64)
}

#[cfg(test)]
mod tests {
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
        let sql = include_str!("../../../../fixtures/wire/proxy.sql");
        let expected = include_str!("../../../../fixtures/wire/proxy.xml");

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
}
