//! `GET getSoftwareInstallationStatus`: the last status of a release on a computer.

use std::sync::Arc;

use axum::extract::State;
use slap::{ComputerId, SoftwareUrl};

use super::status_mapping::{LastStatus, mapping};
use super::{Answer, Outcome};
use crate::api::{Fields, Refusal};
use crate::master::Master;
use crate::store::StoreError;

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    let computer: ComputerId = fields.parse("computer_id")?;
    let url: SoftwareUrl = fields.parse("url")?;
    let (wanted, wanted_url) = (computer.clone(), url.clone());
    let supply = master.store.read(move |tx| match tx.computer(&wanted)? {
        Some(computer) => tx.supply(computer.id, &wanted_url),
        None => Ok::<_, StoreError>(None),
    });
    let supply = supply.await.map_err(Refusal::Failed)?;
    let (text, at) = supply.map_or((None, None), |supply| (supply.status, supply.status_at));
    let status = LastStatus {
        reference: url.as_str(),
        portal_type: "Software Installation",
        reporter: computer.as_str(),
        text,
        at,
    };
    Answer::marshalled(&mapping(status, master.now()))
}
