//! What all requests share: the database, the rendered documents, the clock, the settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use host::clock::Clock;
use slap::wire::WireError;
use slap::{ComputerId, SoftwareUrl, wire};
use thiserror::Error;
use tokio::sync::watch;

use crate::computer_document;
use crate::configuration::Forwarding;
use crate::documents::Documents;
use crate::frontend::BypassedReleases;
use crate::moment;
use crate::store::{Store, StoreError};
use axum::body::Bytes;

/// The state of a running master.
pub(crate) struct Master {
    pub(crate) store: Store,
    pub(crate) documents: Arc<Documents>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Where requests go that name no computer.
    pub(crate) default_computer: ComputerId,
    pub(crate) products: BTreeMap<String, Vec<SoftwareUrl>>,
    pub(crate) forwarding: Vec<Forwarding>,
    pub(crate) bypassed: BypassedReleases,
    /// An id that this process took at its start.
    pub(crate) run_id: String,
    /// Becomes true when the master stops: who waits must let go.
    pub(crate) stopping: watch::Receiver<bool>,
}

/// Why there is no document.
#[derive(Debug, Error)]
pub(crate) enum DocumentError {
    #[error("{0} is not registered.")]
    UnknownComputer(ComputerId),
    #[error("the document cannot be written")]
    Wire(#[from] WireError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Master {
    /// The present moment, in microseconds of UTC.
    pub(crate) fn now(&self) -> i64 {
        moment::now(self.clock.as_ref())
    }

    /// The document about everything that is asked of a computer.
    pub(crate) async fn computer_document(&self, computer: &ComputerId) -> Result<Bytes, DocumentError> {
        if let Some(bytes) = self.documents.fresh(computer.as_str()) {
            return Ok(bytes);
        }
        let cell = self.documents.cell(computer);
        let (wanted, default) = (computer.clone(), self.default_computer.clone());
        let rendered = self.store.read(move |tx| {
            let row = tx.computer(&wanted)?.filter(|row| row.is_formatted || row.reference == default);
            let row = row.ok_or(DocumentError::UnknownComputer(wanted))?;
            let text = wire::write_computer(&computer_document::computer(tx, &row)?)?;
            Ok::<_, DocumentError>((row.document_version, Bytes::from(text)))
        });
        match rendered.await {
            Ok((version, bytes)) => {
                self.documents.keep(&cell, version, bytes.clone());
                Ok(bytes)
            }
            Err(error) => {
                self.documents.forget(computer);
                Err(error)
            }
        }
    }
}
