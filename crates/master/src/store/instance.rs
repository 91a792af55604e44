//! Instances and the partitions that they are on.

use slap::{ComputerId, PartitionId, RequestedState, SoftwareType, SoftwareUrl};

use super::StoreError;
use super::tx::{Row, Tx, Val};

/// Where an instance is.
#[derive(Debug, Clone)]
pub(crate) struct Placement {
    pub(crate) partition_id: i64,
    pub(crate) computer_id: i64,
    pub(crate) computer: ComputerId,
    pub(crate) partition: PartitionId,
}

/// An instance as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct InstanceRow {
    pub(crate) id: i64,
    /// Empty for a root.
    pub(crate) root_title: String,
    pub(crate) title: String,
    pub(crate) url: SoftwareUrl,
    pub(crate) software_type: SoftwareType,
    pub(crate) requested_state: RequestedState,
    /// A parameter document, as the two that follow.
    pub(crate) parameters: String,
    pub(crate) connection: String,
    pub(crate) filter: String,
    /// Microseconds of UTC.
    pub(crate) timestamp: i64,
    pub(crate) status: Option<String>,
    pub(crate) status_at: Option<i64>,
    pub(crate) placement: Placement,
}

impl InstanceRow {
    /// The title of the root of its tree: its own, when it is the root.
    pub(crate) fn tree(&self) -> &str {
        if self.root_title.is_empty() { &self.title } else { &self.root_title }
    }
}

/// An instance to be stored.
pub(crate) struct NewInstance<'a> {
    pub(crate) root_title: &'a str,
    pub(crate) title: &'a str,
    pub(crate) url: &'a SoftwareUrl,
    pub(crate) software_type: &'a SoftwareType,
    pub(crate) requested_state: RequestedState,
    pub(crate) parameters: &'a str,
    pub(crate) filter: &'a str,
    pub(crate) timestamp: i64,
    pub(crate) partition_id: i64,
}

macro_rules! select_instance {
    ($tail:literal) => {
        concat!(
            "SELECT i.id, i.root_title, i.title, i.url, i.software_type, i.requested_state, i.parameters, i.connection, \
             i.filter, i.timestamp, i.status, i.status_at, p.id, p.computer_id, c.reference, p.reference \
             FROM instance i JOIN computer_partition p ON p.id = i.partition_id \
             JOIN computer c ON c.id = p.computer_id ",
            $tail
        )
    };
}

fn instance(row: &Row<'_>) -> Result<InstanceRow, StoreError> {
    Ok(InstanceRow {
        id: row.int(0)?,
        root_title: row.text(1)?,
        title: row.text(2)?,
        url: row.parsed(3)?,
        software_type: row.parsed(4)?,
        requested_state: row.parsed(5)?,
        parameters: row.text(6)?,
        connection: row.text(7)?,
        filter: row.text(8)?,
        timestamp: row.int(9)?,
        status: row.optional_text(10)?,
        status_at: row.optional_int(11)?,
        placement: Placement {
            partition_id: row.int(12)?,
            computer_id: row.int(13)?,
            computer: row.parsed(14)?,
            partition: row.parsed(15)?,
        },
    })
}

impl Tx<'_> {
    pub(crate) fn instance(&self, root_title: &str, title: &str) -> Result<Option<InstanceRow>, StoreError> {
        let sql = select_instance!("WHERE i.root_title = $1 AND i.title = $2");
        self.query_one(sql, &[Val::Text(root_title), Val::Text(title)], instance)
    }

    pub(crate) fn instance_by_id(&self, id: i64) -> Result<Option<InstanceRow>, StoreError> {
        self.query_one(select_instance!("WHERE i.id = $1"), &[Val::Int(id)], instance)
    }

    pub(crate) fn instance_at(
        &self,
        computer: &ComputerId,
        partition: &PartitionId,
    ) -> Result<Option<InstanceRow>, StoreError> {
        let sql = select_instance!("WHERE c.reference = $1 AND p.reference = $2");
        self.query_one(sql, &[Val::Text(computer.as_str()), Val::Text(partition.as_str())], instance)
    }

    /// The instances on a computer, in the order of its partitions.
    pub(crate) fn instances_on(&self, computer: i64) -> Result<Vec<InstanceRow>, StoreError> {
        self.query(
            select_instance!("WHERE p.computer_id = $1 ORDER BY p.id"),
            &[Val::Int(computer)],
            instance,
        )
    }

    /// All roots, in the order of their partitions.
    pub(crate) fn roots(&self) -> Result<Vec<InstanceRow>, StoreError> {
        self.query(select_instance!("WHERE i.root_title = '' ORDER BY p.id"), &[], instance)
    }

    /// All members of a tree but its root, by title.
    pub(crate) fn members(&self, root_title: &str) -> Result<Vec<InstanceRow>, StoreError> {
        let sql = select_instance!("WHERE i.root_title = $1 AND $1 <> '' ORDER BY i.title");
        self.query(sql, &[Val::Text(root_title)], instance)
    }

    /// The instances of a release on a computer, in the order of its partitions.
    pub(crate) fn instances_of(
        &self,
        computer: &ComputerId,
        url: &SoftwareUrl,
    ) -> Result<Vec<InstanceRow>, StoreError> {
        let sql = select_instance!("WHERE c.reference = $1 AND i.url = $2 ORDER BY p.id");
        self.query(sql, &[Val::Text(computer.as_str()), Val::Text(url.as_str())], instance)
    }

    pub(crate) fn insert_instance(&self, new: &NewInstance<'_>) -> Result<i64, StoreError> {
        let id = self.next_id("instance")?;
        let sql = "INSERT INTO instance (id, root_title, title, url, software_type, requested_state, parameters, \
                   connection, filter, timestamp, partition_id) VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8, $9, $10)";
        let values = [
            Val::Int(id),
            Val::Text(new.root_title),
            Val::Text(new.title),
            Val::Text(new.url.as_str()),
            Val::Text(new.software_type.as_str()),
            Val::Text(new.requested_state.as_str()),
            Val::Text(new.parameters),
            Val::Text(new.filter),
            Val::Int(new.timestamp),
            Val::Int(new.partition_id),
        ];
        self.execute(sql, &values)?;
        Ok(id)
    }

    /// Stores what a request may change: release, type, state, parameters, constraints, timestamp.
    pub(crate) fn update_instance(&self, row: &InstanceRow) -> Result<(), StoreError> {
        let sql = "UPDATE instance SET url = $1, software_type = $2, requested_state = $3, parameters = $4, filter = $5, \
                   timestamp = $6 WHERE id = $7";
        let values = [
            Val::Text(row.url.as_str()),
            Val::Text(row.software_type.as_str()),
            Val::Text(row.requested_state.as_str()),
            Val::Text(&row.parameters),
            Val::Text(&row.filter),
            Val::Int(row.timestamp),
            Val::Int(row.id),
        ];
        self.execute(sql, &values).map(drop)
    }

    pub(crate) fn set_instance_timestamp(&self, id: i64, timestamp: i64) -> Result<(), StoreError> {
        let sql = "UPDATE instance SET timestamp = $1 WHERE id = $2";
        self.execute(sql, &[Val::Int(timestamp), Val::Int(id)]).map(drop)
    }

    pub(crate) fn set_instance_state(&self, id: i64, state: RequestedState) -> Result<(), StoreError> {
        let sql = "UPDATE instance SET requested_state = $1 WHERE id = $2";
        self.execute(sql, &[Val::Text(state.as_str()), Val::Int(id)]).map(drop)
    }

    pub(crate) fn set_instance_connection(&self, id: i64, connection: &str) -> Result<(), StoreError> {
        let sql = "UPDATE instance SET connection = $1 WHERE id = $2";
        self.execute(sql, &[Val::Text(connection), Val::Int(id)]).map(drop)
    }

    pub(crate) fn set_instance_status(&self, id: i64, status: &str, at: i64) -> Result<(), StoreError> {
        let sql = "UPDATE instance SET status = $1, status_at = $2 WHERE id = $3";
        self.execute(sql, &[Val::Text(status), Val::Int(at), Val::Int(id)]).map(drop)
    }

    pub(crate) fn set_instance_title(&self, id: i64, title: &str) -> Result<(), StoreError> {
        let sql = "UPDATE instance SET title = $1 WHERE id = $2";
        self.execute(sql, &[Val::Text(title), Val::Int(id)]).map(drop)
    }

    /// Lets the members of a tree follow their renamed root.
    pub(crate) fn set_members_root(&self, old: &str, new: &str) -> Result<(), StoreError> {
        let sql = "UPDATE instance SET root_title = $1 WHERE root_title = $2";
        self.execute(sql, &[Val::Text(new), Val::Text(old)]).map(drop)
    }

    /// Deletes an instance and the shared instances that it hosts.
    pub(crate) fn delete_instance(&self, id: i64) -> Result<(), StoreError> {
        self.execute("DELETE FROM shared_instance WHERE host_id = $1", &[Val::Int(id)])?;
        self.execute("DELETE FROM instance WHERE id = $1", &[Val::Int(id)]).map(drop)
    }
}
