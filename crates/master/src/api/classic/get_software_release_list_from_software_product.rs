//! `GET getSoftwareReleaseListFromSoftwareProduct`: the releases of a product, by its reference or by one of them.

use std::sync::Arc;

use axum::extract::State;
use slap::wire::Marshalled;

use super::{Answer, Outcome};
use crate::api::{Fields, Refusal};
use crate::master::Master;

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    let releases = match (fields.get("software_product_reference"), fields.get("software_release_url")) {
        (Some(product), None) => master.products.get(product),
        (None, Some(url)) => {
            master.products.values().find(|releases| releases.iter().any(|release| release.as_str() == url))
        }
        _ => {
            let message = "one of `software_product_reference` and `software_release_url` is needed";
            return Err(Refusal::Bad(message.to_owned()));
        }
    };
    let texts = releases.into_iter().flatten().map(|release| Marshalled::text(release.as_str()));
    Answer::marshalled(&Marshalled::List(texts.collect()))
}
