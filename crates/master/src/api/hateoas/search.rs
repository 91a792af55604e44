//! `mode=search`: lists of services and computers.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value as Json, json};

use super::query::{self, Query};
use super::{Document, Fields, PublicUrl, Refusal};
use crate::master::Master;
use crate::store::{ComputerRow, InstanceRow, SharedRow, StoreError, Tx};

pub(super) async fn search(master: &Master, url: &PublicUrl, fields: &Fields) -> Result<Document, Refusal> {
    let text = fields.require("query")?;
    let query = query::parse(text).ok_or_else(|| Refusal::Bad(format!("Unhandled query: {text}")))?;
    let url = url.clone();
    let rows = master.store.read(move |tx| rows(tx, &query, &url)).await?;
    Ok(Document(json!({"_embedded": {"contents": rows}})))
}

fn rows(tx: &Tx<'_>, query: &Query, url: &PublicUrl) -> Result<Vec<Json>, StoreError> {
    match query {
        Query::Services => services(tx, url, None),
        Query::Service(title) => services(tx, url, Some(title)),
        Query::Computers => Ok(tx.formatted_computers()?.iter().map(|row| computer(row, url)).collect()),
        Query::Computer(reference) => {
            let rows = tx.formatted_computers()?;
            Ok(rows
                .iter()
                .filter(|row| row.reference.as_str() == reference)
                .map(|row| computer(row, url))
                .collect())
        }
    }
}

/// Roots first, then what persons share; when a title names both, the root.
fn services(tx: &Tx<'_>, url: &PublicUrl, title: Option<&str>) -> Result<Vec<Json>, StoreError> {
    let is_wanted = |candidate: &str| title.is_none_or(|title| title == candidate);
    let roots = tx.roots()?;
    let mut rows: Vec<_> =
        roots.iter().filter(|row| is_wanted(&row.title)).map(|row| service(row, url)).collect();
    if title.is_some() && !rows.is_empty() {
        return Ok(rows);
    }
    for row in tx.shared_of("")?.iter().filter(|row| is_wanted(&row.title)) {
        if let Some(host) = tx.instance_by_id(row.host_id)? {
            rows.push(shared(row, &host, url));
        }
    }
    Ok(rows)
}

fn service(row: &InstanceRow, url: &PublicUrl) -> Json {
    json!({
        "title": row.title,
        "url_string": row.url.as_str(),
        "relative_url": url.path(&format!("hateoas/partitions/{}", encode(&row.title))),
    })
}

fn shared(row: &SharedRow, host: &InstanceRow, url: &PublicUrl) -> Json {
    json!({
        "title": row.title,
        "url_string": host.url.as_str(),
        "relative_url": url.path(&format!("hateoas/shared/{}", encode(&row.title))),
    })
}

fn computer(row: &ComputerRow, url: &PublicUrl) -> Json {
    json!({
        "title": row.reference.as_str(),
        "reference": row.reference.as_str(),
        "relative_url": url.path(&format!("hateoas/computers/{}", encode(row.reference.as_str()))),
    })
}

/// What cannot stand for itself in a segment of a path.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A text as one segment of a path.
fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}
