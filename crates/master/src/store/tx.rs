//! A transaction: the narrow interface through which all SQL goes. One text serves any engine: `$1`… placeholders whose
//! first uses are in order, BIGINT and TEXT only, no functions of time or chance.

use std::cell::RefCell;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};

use super::{StoreError, Touched};

/// A value given to a statement.
#[derive(Debug, Clone, Copy)]
pub(super) enum Val<'a> {
    Int(i64),
    Text(&'a str),
    Null,
}

impl<'a> From<Option<&'a str>> for Val<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Val::Null, Val::Text)
    }
}

impl ToSql for Val<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Val::Int(integer) => ValueRef::Integer(*integer),
            Val::Text(text) => ValueRef::Text(text.as_bytes()),
            Val::Null => ValueRef::Null,
        }))
    }
}

/// A row of an answer; columns are counted from 0.
pub(super) struct Row<'a>(&'a rusqlite::Row<'a>);

impl Row<'_> {
    pub(super) fn int(&self, column: usize) -> Result<i64, StoreError> {
        self.0.get(column).map_err(StoreError::Engine)
    }

    pub(super) fn text(&self, column: usize) -> Result<String, StoreError> {
        self.0.get(column).map_err(StoreError::Engine)
    }

    pub(super) fn optional_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        self.0.get(column).map_err(StoreError::Engine)
    }

    pub(super) fn optional_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        self.0.get(column).map_err(StoreError::Engine)
    }

    /// A text that was validated when it was stored.
    pub(super) fn parsed<T>(&self, column: usize) -> Result<T, StoreError>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        self.text(column)?.parse().map_err(StoreError::content)
    }
}

/// What a change means for a computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Its document reads differently, but its node has nothing to do.
    Document,
    /// Something is asked of its node.
    Demand,
}

/// A transaction in progress.
pub(crate) struct Tx<'a> {
    connection: &'a Connection,
    touched: RefCell<Vec<Touched>>,
}

impl<'a> Tx<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, touched: RefCell::new(Vec::new()) }
    }

    pub(super) fn into_touched(self) -> Vec<Touched> {
        self.touched.into_inner()
    }

    pub(super) fn query<T>(
        &self,
        sql: &'static str,
        values: &[Val<'_>],
        mut convert: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(StoreError::Engine)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values)).map_err(StoreError::Engine)?;
        let mut answer = Vec::new();
        while let Some(row) = rows.next().map_err(StoreError::Engine)? {
            answer.push(convert(&Row(row))?);
        }
        Ok(answer)
    }

    pub(super) fn query_one<T>(
        &self,
        sql: &'static str,
        values: &[Val<'_>],
        convert: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.query(sql, values, convert)?.into_iter().next())
    }

    /// Returns the number of rows that were changed.
    pub(super) fn execute(&self, sql: &'static str, values: &[Val<'_>]) -> Result<usize, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(StoreError::Engine)?;
        statement.execute(rusqlite::params_from_iter(values)).map_err(StoreError::Engine)
    }

    /// Takes the next id of a table.
    pub(super) fn next_id(&self, table: &'static str) -> Result<i64, StoreError> {
        let sql = "UPDATE counter SET next = next + 1 WHERE name = $1 RETURNING next";
        self.query_one(sql, &[Val::Text(table)], |row| row.int(0))?
            .ok_or_else(|| StoreError::Content(format!("there is no counter for `{table}`")))
    }

    /// Notes that a computer is concerned by this transaction.
    pub(crate) fn touch(&self, computer: i64, change: Change) -> Result<(), StoreError> {
        let sql = "UPDATE computer SET document_version = document_version + 1, demand_version = demand_version + $1 \
                   WHERE id = $2 RETURNING reference, document_version, demand_version";
        let demand = i64::from(change == Change::Demand);
        let touched = self.query_one(sql, &[Val::Int(demand), Val::Int(computer)], |row| {
            Ok(Touched { computer: row.text(0)?, document: row.int(1)?, demand: row.int(2)? })
        })?;
        self.touched.borrow_mut().extend(touched);
        Ok(())
    }
}
