//! `POST loadComputerConfigurationFromXML`: a formatted computer announces its partitions.

use std::sync::Arc;

use axum::extract::State;
use slap::wire;

use super::{Answer, Outcome};
use crate::api::Fields;
use crate::computer_format;
use crate::master::Master;

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    let configuration = wire::configuration::read(fields.require("xml")?)?;
    let now = master.now();
    master.store.write(move |tx| computer_format::format(tx, &configuration, now)).await?;
    Ok(Answer::text("done"))
}
