//! `POST setComputerPartitionConnectionXml`: an instance publishes for who requested it.

use std::sync::Arc;

use axum::extract::State;
use slap::wire::{Marshalled, instance_xml};

use super::{Answer, Outcome};
use crate::api::Fields;
use crate::master::Master;
use crate::tree::connection::publish;

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    let (computer, partition) = (fields.parse("computer_id")?, fields.parse("computer_partition_id")?);
    let shared = fields.get("slave_reference").filter(|text| !text.is_empty()).map(str::to_owned);
    let connection = instance_xml::stringify(&Marshalled::read(fields.require("connection_xml")?)?)?;
    master.store.write(move |tx| publish(tx, &computer, &partition, shared.as_deref(), &connection)).await?;
    Ok(Answer::text("done"))
}
