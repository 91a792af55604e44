//! `POST availableSoftwareRelease`: a node says that a release is installed.

use std::sync::Arc;

use axum::extract::State;

use super::{Answer, Outcome};
use crate::api::Fields;
use crate::master::Master;
use crate::supply::{Report, report};

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    let (computer, url, now) = (fields.parse("computer_id")?, fields.parse("url")?, master.now());
    master.store.write(move |tx| report(tx, &computer, &url, &Report::Available, now)).await?;
    Ok(Answer::text("Available"))
}
