//! The views of services: of roots, and of what persons share.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde_json::{Value as Json, json};
use slap::wire::{Marshalled, instance_xml};

use super::view::View;
use super::{Document, Refusal};
use crate::master::Master;
use crate::store::StoreError;

pub(super) async fn handle(
    State(master): State<Arc<Master>>,
    Path(title): Path<String>,
) -> Result<Document, Refusal> {
    service(&master, title).await
}

pub(super) async fn handle_shared(
    State(master): State<Arc<Master>>,
    Path(title): Path<String>,
) -> Result<Document, Refusal> {
    shared(&master, title).await
}

pub(super) async fn service(master: &Master, title: String) -> Result<Document, Refusal> {
    let unknown = unknown(&title);
    let (root, members) = master
        .store
        .read(move |tx| {
            let root = tx.instance("", &title)?;
            Ok::<_, StoreError>((root, tx.members(&title)?))
        })
        .await?;
    let root = root.ok_or(unknown)?;
    let texts = root.status.iter().chain(members.iter().filter_map(|member| member.status.as_ref()));
    let news: Vec<_> = texts.map(|text| json!({"text": text})).collect();
    let view = View::new("Instance Tree", "InstanceTree_viewAsHateoas")
        .with("reference", root.title.as_str())
        .with("slap_state", root.requested_state.as_str())
        .with("text_content", document(&root.parameters)?)
        .with("connection_parameter_list", published(root.connection))
        .with("url_string", root.url.as_str())
        .with("source_reference", root.software_type.as_str())
        .with("root_slave", 0)
        .with("news", json!({"instance": news}));
    Ok(view.document())
}

pub(super) async fn shared(master: &Master, title: String) -> Result<Document, Refusal> {
    let unknown = unknown(&title);
    let found = master.store.read(move |tx| {
        let Some(row) = tx.shared_of("")?.into_iter().find(|row| row.title == title) else { return Ok(None) };
        Ok::<_, StoreError>(tx.instance_by_id(row.host_id)?.map(|host| (row, host)))
    });
    let (row, host) = found.await?.ok_or(unknown)?;
    let parameters = Marshalled::read(&row.parameters).and_then(|value| instance_xml::stringify(&value));
    let parameters = parameters.map_err(|error| StoreError::content(&error))?;
    let view = View::new("Instance Tree", "InstanceTree_viewAsHateoas")
        .with("reference", row.title)
        .with("slap_state", "unused")
        .with("text_content", instance_xml::write(&parameters).map_err(Refusal::Unwritable)?)
        .with("connection_parameter_list", published(row.connection))
        .with("url_string", host.url.as_str())
        .with("source_reference", row.software_type)
        .with("root_slave", 1);
    Ok(view.document())
}

fn unknown(title: &str) -> Refusal {
    Refusal::NotFound(format!("there is no service {title}"))
}

/// A parameter document, which is stored as nothing when it is empty.
fn document(stored: &str) -> Result<String, Refusal> {
    if stored.is_empty() {
        return instance_xml::write(&instance_xml::TextParameters::new()).map_err(Refusal::Unwritable);
    }
    Ok(stored.to_owned())
}

fn published(stored: String) -> Json {
    if stored.is_empty() { Json::Null } else { Json::String(stored) }
}
