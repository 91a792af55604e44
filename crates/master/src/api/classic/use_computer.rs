//! `POST useComputer`: a node reports what was used. A stand-alone master bills nobody and keeps no reports.

use super::{Answer, Outcome};
use crate::api::Fields;

pub(super) async fn handle(fields: Fields) -> Outcome {
    fields.require("computer_id")?;
    fields.require("use_string")?;
    Ok(Answer::text("Ignored"))
}
