//! `POST softwareInstanceRename`: a new title for an instance. As for the reference, an unknown one is no error.

use std::sync::Arc;

use axum::extract::State;

use super::{Answer, Outcome};
use crate::api::{Fields, Refusal};
use crate::master::Master;
use crate::tree::rename::{RenameError, rename};

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    let (computer, partition) = (fields.parse("computer_id")?, fields.parse("computer_partition_id")?);
    let title = fields.parse("new_name")?;
    match master.store.write(move |tx| rename(tx, &computer, &partition, &title)).await {
        Ok(()) => Ok(Answer::text("done")),
        Err(error @ RenameError::NoInstance { .. }) => Ok(Answer::text(error.to_string())),
        Err(error @ RenameError::Taken { .. }) => Err(Refusal::Bad(error.to_string())),
        Err(RenameError::Store(error)) => Err(error.into()),
    }
}
