//! Supplies: which releases shall be on which computers.

use slap::{SoftwareState, SoftwareUrl};

use super::StoreError;
use super::tx::{Row, Tx, Val};

/// A supply as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct SupplyRow {
    pub(crate) url: SoftwareUrl,
    pub(crate) state: SoftwareState,
    pub(crate) status: Option<String>,
    pub(crate) status_at: Option<i64>,
}

fn supply(row: &Row<'_>) -> Result<SupplyRow, StoreError> {
    Ok(SupplyRow {
        url: row.parsed(0)?,
        state: row.parsed(1)?,
        status: row.optional_text(2)?,
        status_at: row.optional_int(3)?,
    })
}

impl Tx<'_> {
    /// The supplies of a computer, in the order of their first supply.
    pub(crate) fn supplies(&self, computer: i64) -> Result<Vec<SupplyRow>, StoreError> {
        let sql = "SELECT url, state, status, status_at FROM supply WHERE computer_id = $1 ORDER BY id";
        self.query(sql, &[Val::Int(computer)], supply)
    }

    pub(crate) fn supply(&self, computer: i64, url: &SoftwareUrl) -> Result<Option<SupplyRow>, StoreError> {
        let sql = "SELECT url, state, status, status_at FROM supply WHERE computer_id = $1 AND url = $2";
        self.query_one(sql, &[Val::Int(computer), Val::Text(url.as_str())], supply)
    }

    /// Asks for a release to be in this state.
    pub(crate) fn set_supply(
        &self,
        computer: i64,
        url: &SoftwareUrl,
        state: SoftwareState,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE supply SET state = $1 WHERE computer_id = $2 AND url = $3";
        let present = [Val::Text(state.as_str()), Val::Int(computer), Val::Text(url.as_str())];
        if self.execute(sql, &present)? > 0 {
            return Ok(());
        }
        let id = self.next_id("supply")?;
        let sql = "INSERT INTO supply (id, computer_id, url, state) VALUES ($1, $2, $3, $4)";
        let values = [Val::Int(id), Val::Int(computer), Val::Text(url.as_str()), Val::Text(state.as_str())];
        self.execute(sql, &values).map(drop)
    }

    /// Returns whether there was one.
    pub(crate) fn delete_supply(&self, computer: i64, url: &SoftwareUrl) -> Result<bool, StoreError> {
        let sql = "DELETE FROM supply WHERE computer_id = $1 AND url = $2";
        Ok(self.execute(sql, &[Val::Int(computer), Val::Text(url.as_str())])? > 0)
    }

    pub(crate) fn set_supply_status(
        &self,
        computer: i64,
        url: &SoftwareUrl,
        status: &str,
        at: i64,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE supply SET status = $1, status_at = $2 WHERE computer_id = $3 AND url = $4";
        let values = [Val::Text(status), Val::Int(at), Val::Int(computer), Val::Text(url.as_str())];
        self.execute(sql, &values).map(drop)
    }
}
