//! Partitions and their addresses.

use std::collections::HashMap;

use slap::{Address, ComputerId, PartitionId};

use super::StoreError;
use super::tx::{Row, Tx, Val};

/// A partition as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct PartitionRow {
    pub(crate) id: i64,
    pub(crate) computer_id: i64,
    pub(crate) computer: ComputerId,
    pub(crate) reference: PartitionId,
}

macro_rules! select_partition {
    ($tail:literal) => {
        concat!(
            "SELECT p.id, p.computer_id, c.reference, p.reference FROM computer_partition p \
             JOIN computer c ON c.id = p.computer_id ",
            $tail
        )
    };
}

fn partition(row: &Row<'_>) -> Result<PartitionRow, StoreError> {
    Ok(PartitionRow {
        id: row.int(0)?,
        computer_id: row.int(1)?,
        computer: row.parsed(2)?,
        reference: row.parsed(3)?,
    })
}

impl Tx<'_> {
    pub(crate) fn partition(
        &self,
        computer: &ComputerId,
        reference: &PartitionId,
    ) -> Result<Option<PartitionRow>, StoreError> {
        let sql = select_partition!("WHERE c.reference = $1 AND p.reference = $2");
        self.query_one(sql, &[Val::Text(computer.as_str()), Val::Text(reference.as_str())], partition)
    }

    /// The partitions of a computer, in the order of their creation.
    pub(crate) fn partitions(&self, computer: i64) -> Result<Vec<PartitionRow>, StoreError> {
        self.query(
            select_partition!("WHERE p.computer_id = $1 ORDER BY p.id"),
            &[Val::Int(computer)],
            partition,
        )
    }

    /// The free partition of a computer that was created first.
    pub(crate) fn first_free_partition(
        &self,
        computer: &ComputerId,
    ) -> Result<Option<PartitionRow>, StoreError> {
        let sql = select_partition!("WHERE c.reference = $1 AND p.state = 0 ORDER BY p.id LIMIT 1");
        self.query_one(sql, &[Val::Text(computer.as_str())], partition)
    }

    /// Takes a free partition; returns whether it was free.
    pub(crate) fn take_partition(&self, id: i64) -> Result<bool, StoreError> {
        let sql = "UPDATE computer_partition SET state = 1 WHERE id = $1 AND state = 0";
        Ok(self.execute(sql, &[Val::Int(id)])? == 1)
    }

    pub(crate) fn release_partition(&self, id: i64) -> Result<(), StoreError> {
        self.execute("UPDATE computer_partition SET state = 0 WHERE id = $1", &[Val::Int(id)]).map(drop)
    }

    pub(crate) fn insert_partition(&self, computer: i64, reference: &PartitionId) -> Result<i64, StoreError> {
        let id = self.next_id("computer_partition")?;
        let sql = "INSERT INTO computer_partition (id, computer_id, reference, state) VALUES ($1, $2, $3, 0)";
        self.execute(sql, &[Val::Int(id), Val::Int(computer), Val::Text(reference.as_str())])?;
        Ok(id)
    }

    /// Deletes a partition and its addresses. Nothing may be on it.
    pub(crate) fn delete_partition(&self, id: i64) -> Result<(), StoreError> {
        self.execute("DELETE FROM partition_address WHERE partition_id = $1", &[Val::Int(id)])?;
        self.execute("DELETE FROM computer_partition WHERE id = $1", &[Val::Int(id)]).map(drop)
    }

    /// Replaces the addresses of a partition: address and netmask, all of one interface.
    pub(crate) fn set_addresses(
        &self,
        partition: i64,
        interface: &str,
        addresses: &[(String, String)],
    ) -> Result<(), StoreError> {
        self.execute("DELETE FROM partition_address WHERE partition_id = $1", &[Val::Int(partition)])?;
        addresses.iter().try_for_each(|address| self.add_address(partition, interface, address))
    }

    /// Adds an address, with its netmask, after those that a partition has.
    pub(super) fn add_address(
        &self,
        partition: i64,
        interface: &str,
        (address, netmask): &(String, String),
    ) -> Result<(), StoreError> {
        let id = self.next_id("partition_address")?;
        let sql = "INSERT INTO partition_address (id, partition_id, interface, address, netmask) \
                   VALUES ($1, $2, $3, $4, $5)";
        let texts = [interface, address, netmask].map(Val::Text);
        self.execute(sql, &[&[Val::Int(id), Val::Int(partition)], texts.as_slice()].concat()).map(drop)
    }

    pub(crate) fn addresses(&self, partition: i64) -> Result<Vec<Address>, StoreError> {
        let sql = "SELECT interface, address FROM partition_address WHERE partition_id = $1 ORDER BY id";
        self.query(sql, &[Val::Int(partition)], |row| Ok((row.text(0)?, row.text(1)?)))
    }

    /// Interface, address and netmask of each address of a partition, to see what a format changes.
    pub(crate) fn full_addresses(&self, partition: i64) -> Result<Vec<(String, String, String)>, StoreError> {
        let sql =
            "SELECT interface, address, netmask FROM partition_address WHERE partition_id = $1 ORDER BY id";
        self.query(sql, &[Val::Int(partition)], |row| Ok((row.text(0)?, row.text(1)?, row.text(2)?)))
    }

    /// The addresses of all partitions of a computer, by partition.
    pub(crate) fn computer_addresses(&self, computer: i64) -> Result<HashMap<i64, Vec<Address>>, StoreError> {
        let sql = "SELECT a.partition_id, a.interface, a.address FROM partition_address a \
                   JOIN computer_partition p ON p.id = a.partition_id WHERE p.computer_id = $1 ORDER BY a.id";
        let rows =
            self.query(sql, &[Val::Int(computer)], |row| Ok((row.int(0)?, (row.text(1)?, row.text(2)?))))?;
        let mut by_partition: HashMap<i64, Vec<Address>> = HashMap::new();
        for (partition, address) in rows {
            by_partition.entry(partition).or_default().push(address);
        }
        Ok(by_partition)
    }

    /// The addresses of all partitions that instances of a tree are on.
    pub(crate) fn tree_addresses(&self, root_title: &str) -> Result<Vec<Address>, StoreError> {
        let sql = "SELECT a.interface, a.address FROM partition_address a JOIN instance i ON i.partition_id = a.partition_id \
                   WHERE i.root_title = $1 OR (i.root_title = '' AND i.title = $1) ORDER BY a.id";
        self.query(sql, &[Val::Text(root_title)], |row| Ok((row.text(0)?, row.text(1)?)))
    }
}
