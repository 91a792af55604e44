//! `POST softwareInstanceError`: a node says that it could not process an instance, or that a promise fails.

use std::sync::Arc;

use axum::extract::State;

use super::{Answer, Outcome};
use crate::api::Fields;
use crate::master::Master;
use crate::tree::report::{Report, report};

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    let (computer, partition) = (fields.parse("computer_id")?, fields.parse("computer_partition_id")?);
    let log = fields.get("error_log").unwrap_or_default().to_owned();
    let shared = fields.get("slave_reference").filter(|text| !text.is_empty()).map(str::to_owned);
    let now = master.now();
    let noted = master.store.write(move |tx| {
        let error = Report::Error { log: &log, shared_reference: shared.as_deref() };
        report(tx, &computer, &partition, &error, now)
    });
    noted.await?;
    Ok(Answer::text("Noted"))
}
