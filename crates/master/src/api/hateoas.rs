//! The HATEOAS interface, as far as the command line needs it: lists and views of services and computers.

mod computer;
mod query;
mod root;
mod search;
mod service;
mod traverse;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value as Json;

use super::public_url::PublicUrl;
use super::{Fields, Refusal};
use crate::master::Master;

pub(super) fn router() -> Router<Arc<Master>> {
    Router::new()
        .route("/hateoas", get(dispatch))
        .route("/hateoas/", get(dispatch))
        .route("/hateoas/partitions/{title}", get(service::handle))
        .route("/hateoas/shared/{title}", get(service::handle_shared))
        .route("/hateoas/computers/{reference}", get(computer::handle))
}

/// The three modes share one address.
async fn dispatch(
    state: axum::extract::State<Arc<Master>>,
    url: PublicUrl,
    fields: Fields,
) -> Result<Document, Refusal> {
    match fields.get("mode") {
        None => Ok(root::document(&url)),
        Some("search") => search::search(&state, &url, &fields).await,
        Some("traverse") => traverse::traverse(&state, &url, &fields).await,
        Some(mode) => Err(Refusal::Bad(format!("Unhandled mode: {mode}"))),
    }
}

/// An answer of this interface.
struct Document(Json);

impl IntoResponse for Document {
    fn into_response(self) -> Response {
        (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], self.0.to_string()).into_response()
    }
}
