//! Computers.

use slap::ComputerId;

use super::StoreError;
use super::tx::{Row, Tx, Val};

/// A computer as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct ComputerRow {
    pub(crate) id: i64,
    pub(crate) reference: ComputerId,
    pub(crate) is_formatted: bool,
    pub(crate) document_version: i64,
    pub(crate) demand_version: i64,
    pub(crate) status: Option<String>,
    pub(crate) status_at: Option<i64>,
}

macro_rules! select_computer {
    ($tail:literal) => {
        concat!(
            "SELECT id, reference, formatted, document_version, demand_version, status, status_at FROM computer ",
            $tail
        )
    };
}

fn computer(row: &Row<'_>) -> Result<ComputerRow, StoreError> {
    Ok(ComputerRow {
        id: row.int(0)?,
        reference: row.parsed(1)?,
        is_formatted: row.int(2)? != 0,
        document_version: row.int(3)?,
        demand_version: row.int(4)?,
        status: row.optional_text(5)?,
        status_at: row.optional_int(6)?,
    })
}

impl Tx<'_> {
    pub(crate) fn computer(&self, reference: &ComputerId) -> Result<Option<ComputerRow>, StoreError> {
        self.query_one(select_computer!("WHERE reference = $1"), &[Val::Text(reference.as_str())], computer)
    }

    /// All computers that were formatted, in the order in which they became known.
    pub(crate) fn formatted_computers(&self) -> Result<Vec<ComputerRow>, StoreError> {
        self.query(select_computer!("WHERE formatted = 1 ORDER BY id"), &[], computer)
    }

    /// The computer, which becomes known by this if it was not.
    pub(crate) fn ensure_computer(&self, reference: &ComputerId) -> Result<ComputerRow, StoreError> {
        if let Some(known) = self.computer(reference)? {
            return Ok(known);
        }
        let id = self.next_id("computer")?;
        let sql = "INSERT INTO computer (id, reference, address, netmask, formatted, document_version, demand_version) \
                   VALUES ($1, $2, '', '', 0, 0, 0)";
        self.execute(sql, &[Val::Int(id), Val::Text(reference.as_str())])?;
        let reference = reference.clone();
        Ok(ComputerRow {
            id,
            reference,
            is_formatted: false,
            document_version: 0,
            demand_version: 0,
            status: None,
            status_at: None,
        })
    }

    /// Notes that a computer was formatted with this main address.
    pub(crate) fn set_computer_formatted(
        &self,
        id: i64,
        address: &str,
        netmask: &str,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE computer SET address = $1, netmask = $2, formatted = 1 WHERE id = $3";
        self.execute(sql, &[Val::Text(address), Val::Text(netmask), Val::Int(id)]).map(drop)
    }

    pub(crate) fn set_computer_status(&self, id: i64, status: &str, at: i64) -> Result<(), StoreError> {
        let sql = "UPDATE computer SET status = $1, status_at = $2 WHERE id = $3";
        self.execute(sql, &[Val::Text(status), Val::Int(at), Val::Int(id)]).map(drop)
    }
}
