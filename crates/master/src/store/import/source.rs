//! What the old database says, all of it, whatever its version.

use std::collections::HashMap;

use camino::Utf8Path;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use slap::ComputerId;

use super::ImportError;
use crate::store::StoreError;

/// Before this version an instance named the partition that requested it, not the root of its tree.
const ROOT_TITLES: u32 = 17;

/// A row by the names of its columns; nothing is an absent column.
pub(super) type Row = HashMap<String, String>;

/// All that the old database says.
pub(super) struct Source {
    pub(super) default_computer: ComputerId,
    pub(super) computers: Vec<Row>,
    pub(super) releases: Vec<Row>,
    pub(super) partitions: Vec<Row>,
    pub(super) addresses: Vec<Row>,
    pub(super) shared: Vec<Row>,
}

impl Source {
    pub(super) fn open(
        path: &Utf8Path,
        version: u32,
        default_computer: ComputerId,
    ) -> Result<Self, ImportError> {
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

    pub(super) fn computer(&self, row: &Row) -> Result<ComputerId, StoreError> {
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

/// A column; an absent one is empty.
pub(super) fn text(row: &Row, column: &str) -> String {
    row.get(column).cloned().unwrap_or_default()
}
