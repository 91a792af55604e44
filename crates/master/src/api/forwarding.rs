//! Asks other masters, on threads that may block.

use std::sync::Arc;
use std::time::Duration;

use slap::client::{Client, ClientError, Endpoint};
use slap::{Instance, InstanceRequest, RequestedState};

use super::Refusal;
use super::public_url::PublicUrl;
use crate::configuration::Forwarding;
use crate::forward::{self, named_master};
use crate::master::Master;
use crate::store::StoreError;

/// Another master must say who it is within this time.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Whether a request may be for another master at all.
pub(super) fn is_considered(master: &Master, asked: &InstanceRequest) -> bool {
    !master.forwarding.is_empty() || named_master(asked).is_some()
}

/// The master that a request is for; `None` for this one.
pub(super) async fn target(
    master: &Arc<Master>,
    url: &PublicUrl,
    asked: &InstanceRequest,
) -> Result<Option<Forwarding>, Refusal> {
    let is_named_self = match named_master(asked) {
        Some(named) => is_self(master, url, named).await?,
        None => false,
    };
    match forward::target(&master.forwarding, asked, is_named_self) {
        Ok(target) => Ok(target.cloned()),
        Err(error) => Err(Refusal::NotFound(error.to_string())),
    }
}

/// Whether an address is that of this very process: it looks so, or who answers there took our id at its start.
async fn is_self(master: &Arc<Master>, url: &PublicUrl, named: &str) -> Result<bool, Refusal> {
    if named.trim_end_matches('/') == url.absolute("").trim_end_matches('/') {
        return Ok(true);
    }
    let mut endpoint = Endpoint::new(named);
    endpoint.timeout = PROBE_TIMEOUT;
    let run_id = master.run_id.clone();
    on_a_thread(move || {
        Client::new(&endpoint).and_then(|client| client.run_id()).is_ok_and(|id| id == run_id)
    })
    .await
}

/// Has another master fulfil a request.
pub(super) async fn forward(
    master: &Arc<Master>,
    asked: &InstanceRequest,
    target: &Forwarding,
) -> Result<Instance, Refusal> {
    let forwarded = forward::forwarded(asked, target)?;
    let endpoint = Endpoint {
        key_file: target.key_file.clone(),
        cert_file: target.cert_file.clone(),
        ca_file: target.ca_file.clone(),
        ..Endpoint::new(target.url.as_str())
    };
    tracing::info!(instance.title = %forwarded.title, master = target.url, "forwarding a request");
    let outcome =
        on_a_thread(move || Client::new(&endpoint).and_then(|client| client.request(&forwarded))).await?;
    let instance = outcome.map_err(|error| match error {
        ClientError::NotReady => Refusal::NotReady,
        ClientError::NotFound { .. } => Refusal::NotFound(error.to_string()),
        error => Refusal::OtherMaster(error),
    })?;
    let (title, url) = (forward::title(asked), target.url.clone());
    let is_destroyed = asked.state == Some(RequestedState::Destroyed);
    let noted = master.store.write(move |tx| match is_destroyed {
        true => tx.forget_forwarded(&title, &url),
        false => tx.note_forwarded(&title, &url),
    });
    noted.await?;
    Ok(instance)
}

async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Refusal::Failed(StoreError::Stopped))
}
