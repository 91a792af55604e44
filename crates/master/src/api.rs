//! What the master answers over HTTP. One endpoint per file; each calls the domain and holds no rules of its own.

mod classic;
mod fields;
mod forwarding;
pub(crate) mod guard;
mod hateoas;
mod public_url;
mod refusal;

use std::sync::Arc;

use axum::Router;

pub(crate) use fields::Fields;
pub(crate) use refusal::Refusal;

use crate::master::Master;

/// All endpoints.
pub(crate) fn router(master: Arc<Master>) -> Router {
    Router::new()
        .merge(classic::router())
        .merge(hateoas::router())
        .fallback(async || Refusal::NotFound("nothing here by that name".to_owned()))
        .with_state(master)
}
