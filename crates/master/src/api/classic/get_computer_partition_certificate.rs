//! `GET getComputerPartitionCertificate`: the certificate of an instance. A stand-alone master has no authority; both
//! texts are empty.

use slap::wire::Marshalled;

use super::{Answer, Outcome};
use crate::api::Fields;

pub(super) async fn handle(fields: Fields) -> Outcome {
    fields.require("computer_id")?;
    fields.require("computer_partition_id")?;
    Answer::marshalled(&Marshalled::map([
        ("certificate", Marshalled::text("")),
        ("key", Marshalled::text("")),
    ]))
}
