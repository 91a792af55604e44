//! `POST destroyedSoftwareRelease`: a node says that a release is removed; its supply is forgotten.

use std::sync::Arc;

use axum::extract::State;

use super::{Answer, Outcome};
use crate::api::Fields;
use crate::master::Master;
use crate::supply;

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    let (computer, url) = (fields.parse("computer_id")?, fields.parse("url")?);
    master.store.write(move |tx| supply::destroyed(tx, &computer, &url)).await?;
    Ok(Answer::text("OK"))
}
