//! The view of a computer.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde_json::json;

use super::view::View;
use super::{Document, Refusal};
use crate::master::Master;

pub(super) async fn handle(
    State(master): State<Arc<Master>>,
    Path(reference): Path<String>,
) -> Result<Document, Refusal> {
    computer(&master, &reference).await
}

pub(super) async fn computer(master: &Master, reference: &str) -> Result<Document, Refusal> {
    let unknown = || Refusal::NotFound(format!("there is no computer {reference}"));
    let id = reference.parse().map_err(|_| unknown())?;
    let row = master.store.read(move |tx| tx.computer(&id)).await.map_err(Refusal::Failed)?;
    let row = row.filter(|row| row.is_formatted).ok_or_else(unknown)?;
    let mut view = View::new("Computer", reference).with("reference", reference).with("title", reference);
    if let Some(status) = row.status {
        view = view.with("news", json!({"computer": {"text": status}}));
    }
    Ok(view.document())
}
