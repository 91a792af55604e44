//! `POST requestComputerPartition`: somebody asks for an instance.

use std::sync::Arc;

use axum::extract::State;
use slap::wire;

use super::{Answer, Outcome};
use crate::api::{Fields, Refusal};
use crate::master::Master;
use crate::tree::request::request;

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    let asked = wire::read_request(|name| fields.get(name).map(str::to_owned))?;
    let (default_computer, now) = (master.default_computer.clone(), master.now());
    let instance = master.store.write(move |tx| request(tx, &asked, &default_computer, now)).await?;
    Ok(Answer::Document(wire::write_instance(&instance).map_err(Refusal::Unwritable)?.into()))
}
