//! `POST requestComputerPartition`: somebody asks for an instance.

use std::sync::Arc;

use axum::extract::State;
use slap::{InstanceRequest, wire};

use super::{Answer, Outcome};
use crate::api::forwarding;
use crate::api::public_url::PublicUrl;
use crate::api::{Fields, Refusal};
use crate::frontend::bypass;
use crate::master::Master;
use crate::tree::request::{is_present, request};

pub(super) async fn handle(State(master): State<Arc<Master>>, url: PublicUrl, fields: Fields) -> Outcome {
    let asked = wire::read_request(|name| fields.get(name).map(str::to_owned))?;
    if let Some(instance) = answered_elsewhere(&master, &url, &asked).await? {
        return Ok(Answer::Document(wire::write_instance(&instance).map_err(Refusal::Unwritable)?.into()));
    }
    let (default_computer, now) = (master.default_computer.clone(), master.now());
    let instance = master.store.write(move |tx| request(tx, &asked, &default_computer, now)).await?;
    Ok(Answer::Document(wire::write_instance(&instance).map_err(Refusal::Unwritable)?.into()))
}

/// The answer of another master, or one that is made up; `None` when the request is for this one.
async fn answered_elsewhere(
    master: &Arc<Master>,
    url: &PublicUrl,
    asked: &InstanceRequest,
) -> Result<Option<slap::Instance>, Refusal> {
    let made_up = bypass(&master.bypassed, asked);
    if made_up.is_none() && !forwarding::is_considered(master, asked) {
        return Ok(None);
    }
    if made_up.is_none() {
        // An instance that is here already is never looked for elsewhere.
        let (wanted, default_computer) = (asked.clone(), master.default_computer.clone());
        if master.store.read(move |tx| is_present(tx, &wanted, &default_computer)).await? {
            return Ok(None);
        }
    }
    match forwarding::target(master, url, asked).await? {
        Some(target) => forwarding::forward(master, asked, &target).await.map(Some),
        None => Ok(made_up),
    }
}
