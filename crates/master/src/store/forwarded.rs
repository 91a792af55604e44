//! Which instances were requested of other masters. Bookkeeping only.

use super::StoreError;
use super::tx::{Tx, Val};

impl Tx<'_> {
    pub(crate) fn note_forwarded(&self, title: &str, master: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO forwarded_request (title, master_url) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        self.execute(sql, &[Val::Text(title), Val::Text(master)]).map(drop)
    }

    pub(crate) fn forget_forwarded(&self, title: &str, master: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM forwarded_request WHERE title = $1 AND master_url = $2";
        self.execute(sql, &[Val::Text(title), Val::Text(master)]).map(drop)
    }
}
