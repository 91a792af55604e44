//! Shared instances.

use std::collections::HashMap;

use slap::ComputerId;

use super::StoreError;
use super::tx::{Row, Tx, Val};

/// A shared instance as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SharedRow {
    pub(crate) id: i64,
    pub(crate) reference: String,
    /// The title of the root that asked for it; empty when a person did.
    pub(crate) root_title: String,
    pub(crate) title: String,
    pub(crate) host_id: i64,
    /// Empty when none was asked for.
    pub(crate) software_type: String,
    /// A marshalled mapping.
    pub(crate) parameters: String,
    /// A parameter document.
    pub(crate) connection: String,
}

/// A shared instance to be stored.
pub(crate) struct NewShared<'a> {
    pub(crate) computer_id: i64,
    pub(crate) reference: &'a str,
    pub(crate) root_title: &'a str,
    pub(crate) title: &'a str,
    pub(crate) host_id: i64,
    pub(crate) software_type: &'a str,
    pub(crate) parameters: &'a str,
}

macro_rules! select_shared {
    ($tail:literal) => {
        concat!(
            "SELECT s.id, s.reference, s.root_title, s.title, s.host_id, s.software_type, s.parameters, s.connection \
             FROM shared_instance s ",
            $tail
        )
    };
}

fn shared(row: &Row<'_>) -> Result<SharedRow, StoreError> {
    Ok(SharedRow {
        id: row.int(0)?,
        reference: row.text(1)?,
        root_title: row.text(2)?,
        title: row.text(3)?,
        host_id: row.int(4)?,
        software_type: row.text(5)?,
        parameters: row.text(6)?,
        connection: row.text(7)?,
    })
}

impl Tx<'_> {
    pub(crate) fn shared_instance(
        &self,
        computer: &ComputerId,
        reference: &str,
    ) -> Result<Option<SharedRow>, StoreError> {
        let sql = select_shared!(
            "JOIN computer c ON c.id = s.computer_id WHERE c.reference = $1 AND s.reference = $2"
        );
        self.query_one(sql, &[Val::Text(computer.as_str()), Val::Text(reference)], shared)
    }

    /// The shared instances on a host, in the order in which they came.
    pub(crate) fn hosted_by(&self, host: i64) -> Result<Vec<SharedRow>, StoreError> {
        self.query(select_shared!("WHERE s.host_id = $1 ORDER BY s.id"), &[Val::Int(host)], shared)
    }

    /// The shared instances on a computer, by host.
    pub(crate) fn hosted_on(&self, computer: i64) -> Result<HashMap<i64, Vec<SharedRow>>, StoreError> {
        let rows = self.query(
            select_shared!("WHERE s.computer_id = $1 ORDER BY s.id"),
            &[Val::Int(computer)],
            shared,
        )?;
        let mut by_host: HashMap<i64, Vec<SharedRow>> = HashMap::new();
        for row in rows {
            by_host.entry(row.host_id).or_default().push(row);
        }
        Ok(by_host)
    }

    /// All shared instances that trees asked for, by the title of their root; persons when it is empty.
    pub(crate) fn shared_of(&self, root_title: &str) -> Result<Vec<SharedRow>, StoreError> {
        self.query(select_shared!("WHERE s.root_title = $1 ORDER BY s.id"), &[Val::Text(root_title)], shared)
    }

    pub(crate) fn insert_shared(&self, new: &NewShared<'_>) -> Result<i64, StoreError> {
        let id = self.next_id("shared_instance")?;
        let sql = "INSERT INTO shared_instance (id, computer_id, reference, root_title, title, host_id, software_type, \
                   parameters, connection) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '')";
        let values = [
            Val::Int(id),
            Val::Int(new.computer_id),
            Val::Text(new.reference),
            Val::Text(new.root_title),
            Val::Text(new.title),
            Val::Int(new.host_id),
            Val::Text(new.software_type),
            Val::Text(new.parameters),
        ];
        self.execute(sql, &values)?;
        Ok(id)
    }

    /// Stores what a request may change: host, type and parameters; and what a rename of its root does.
    pub(crate) fn update_shared(&self, row: &SharedRow) -> Result<(), StoreError> {
        let sql = "UPDATE shared_instance SET reference = $1, root_title = $2, host_id = $3, software_type = $4, \
                   parameters = $5 WHERE id = $6";
        let values = [
            Val::Text(&row.reference),
            Val::Text(&row.root_title),
            Val::Int(row.host_id),
            Val::Text(&row.software_type),
            Val::Text(&row.parameters),
            Val::Int(row.id),
        ];
        self.execute(sql, &values).map(drop)
    }

    pub(crate) fn set_shared_connection(&self, id: i64, connection: &str) -> Result<(), StoreError> {
        let sql = "UPDATE shared_instance SET connection = $1 WHERE id = $2";
        self.execute(sql, &[Val::Text(connection), Val::Int(id)]).map(drop)
    }

    pub(crate) fn set_shared_status(&self, id: i64, status: &str, at: i64) -> Result<(), StoreError> {
        let sql = "UPDATE shared_instance SET status = $1, status_at = $2 WHERE id = $3";
        self.execute(sql, &[Val::Text(status), Val::Int(at), Val::Int(id)]).map(drop)
    }

    pub(crate) fn delete_shared(&self, id: i64) -> Result<(), StoreError> {
        self.execute("DELETE FROM shared_instance WHERE id = $1", &[Val::Int(id)]).map(drop)
    }
}
