//! `POST updateComputerPartitionRelatedInstanceList`: a node tells which instances an instance requested. The master
//! knows that already from the requests.

use slap::wire::Marshalled;

use super::{Answer, Outcome};
use crate::api::Fields;

pub(super) async fn handle(fields: Fields) -> Outcome {
    fields.require("computer_id")?;
    fields.require("computer_partition_id")?;
    Marshalled::read(fields.require("instance_reference_xml")?)?;
    Ok(Answer::text("OK"))
}
