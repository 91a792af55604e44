//! The documents of computers as they were last rendered, so that a node that finds nothing new costs no query; and
//! the signal that wakes who watches a computer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Bytes;
use slap::ComputerId;
use tokio::sync::watch;

use crate::store::Touched;

/// So many bytes of documents are kept at most.
const CAPACITY: usize = 16 * 1024 * 1024;

/// What is kept of one computer.
pub(crate) struct Cell {
    /// The version of the document after the last commit that was seen.
    latest: AtomicI64,
    /// The version of what is asked of the computer.
    demand: watch::Sender<i64>,
    document: RwLock<Option<(i64, Bytes)>>,
}

/// The cells of all computers that somebody asked about.
#[derive(Default)]
pub(crate) struct Documents {
    cells: RwLock<HashMap<String, Arc<Cell>>>,
    /// How many bytes the documents in the cells have together.
    kept: AtomicUsize,
}

impl Documents {
    /// The document of a computer, when it is known to be the present one.
    pub(crate) fn fresh(&self, computer: &str) -> Option<Bytes> {
        let cells = self.cells.read().unwrap_or_else(PoisonError::into_inner);
        let cell = cells.get(computer)?;
        let document = cell.document.read().unwrap_or_else(PoisonError::into_inner);
        let (version, bytes) = document.as_ref()?;
        (*version >= cell.latest.load(Ordering::Acquire)).then(|| bytes.clone())
    }

    /// The cell of a computer. It must be taken before the database is read: a commit in between then marks it.
    pub(crate) fn cell(&self, computer: &ComputerId) -> Arc<Cell> {
        if let Some(cell) = self.cells.read().unwrap_or_else(PoisonError::into_inner).get(computer.as_str()) {
            return Arc::clone(cell);
        }
        let mut cells = self.cells.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(cells.entry(computer.to_string()).or_insert_with(|| {
            let (demand, _) = watch::channel(0);
            Arc::new(Cell { latest: AtomicI64::new(0), demand, document: RwLock::new(None) })
        }))
    }

    /// Forgets the cell of a computer that turned out not to exist.
    pub(crate) fn forget(&self, computer: &ComputerId) {
        self.cells.write().unwrap_or_else(PoisonError::into_inner).remove(computer.as_str());
    }

    /// Keeps a document that was rendered from this version of the database.
    pub(crate) fn keep(&self, cell: &Cell, version: i64, bytes: Bytes) {
        if self.kept.load(Ordering::Relaxed) + bytes.len() > CAPACITY {
            self.drop_all();
        }
        self.kept.fetch_add(bytes.len(), Ordering::Relaxed);
        let mut document = cell.document.write().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, old)) = document.replace((version, bytes)) {
            self.kept.fetch_sub(old.len(), Ordering::Relaxed);
        }
    }

    /// Marks what a commit changed, and wakes who waits for it.
    pub(crate) fn publish(&self, touched: &[Touched]) {
        let cells = self.cells.read().unwrap_or_else(PoisonError::into_inner);
        for change in touched {
            if let Some(cell) = cells.get(&change.computer) {
                cell.latest.fetch_max(change.document, Ordering::AcqRel);
                cell.announce(change.demand);
            }
        }
    }

    fn drop_all(&self) {
        let cells = self.cells.read().unwrap_or_else(PoisonError::into_inner);
        for cell in cells.values() {
            if let Some((_, old)) = cell.document.write().unwrap_or_else(PoisonError::into_inner).take() {
                self.kept.fetch_sub(old.len(), Ordering::Relaxed);
            }
        }
    }
}

impl Cell {
    /// Notes that the demand has this version at least.
    pub(crate) fn announce(&self, demand: i64) {
        self.demand.send_if_modified(|present| {
            let is_newer = demand > *present;
            if is_newer {
                *present = demand;
            }
            is_newer
        });
    }

    /// Follows the version of the demand.
    pub(crate) fn demand(&self) -> watch::Receiver<i64> {
        self.demand.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touched(document: i64) -> Touched {
        Touched { computer: "COMP-1".to_owned(), document, demand: document }
    }

    #[test]
    fn a_document_is_served_until_its_computer_changes() {
        let documents = Documents::default();
        let cell = documents.cell(&"COMP-1".parse().unwrap());

        documents.keep(&cell, 3, Bytes::from_static(b"three"));
        assert_eq!(documents.fresh("COMP-1").as_deref(), Some(b"three".as_slice()));

        documents.publish(&[touched(4)]);
        assert_eq!(documents.fresh("COMP-1"), None);
        assert_eq!(documents.fresh("COMP-2"), None);
    }

    #[test]
    fn a_document_that_was_overtaken_while_it_was_rendered_is_not_served() {
        let documents = Documents::default();
        let cell = documents.cell(&"COMP-1".parse().unwrap());

        documents.publish(&[touched(4)]);
        documents.keep(&cell, 3, Bytes::from_static(b"three"));

        assert_eq!(documents.fresh("COMP-1"), None);
    }

    #[test]
    fn the_memory_of_documents_is_bounded() {
        let documents = Documents::default();
        for index in 0..20 {
            let cell = documents.cell(&format!("COMP-{index}").parse().unwrap());
            documents.keep(&cell, 1, Bytes::from(vec![b' '; CAPACITY / 8]));
            assert!(documents.kept.load(Ordering::Relaxed) <= CAPACITY);
        }
        assert!(documents.fresh("COMP-19").is_some());
    }
}
