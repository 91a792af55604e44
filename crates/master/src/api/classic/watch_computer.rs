//! `GET watchComputer`, our extension: answers with a token when something asked of a computer differs from what it was
//! at `since`, or when `wait` seconds have passed. Reports of the node itself change nothing here.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use slap::ComputerId;

use super::{Answer, Outcome};
use crate::api::{Fields, Refusal};
use crate::master::{DocumentError, Master};

/// Nobody waits longer, so that front-ends do not lose patience.
const LONGEST: f64 = 55.0;

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    let computer: ComputerId = fields.parse("computer_id")?;
    let wait: f64 = match fields.get("wait") {
        None => 0.0,
        Some(text) => {
            text.parse().map_err(|_| Refusal::Bad("the field `wait` is not a number".to_owned()))?
        }
    };
    let wait = Duration::from_secs_f64(if wait.is_nan() { 0.0 } else { wait.clamp(0.0, LONGEST) });
    let since = fields.get("since").and_then(|token| version_of(token, master.store.identity()));
    let version = wait_for_change(&master, &computer, since, wait).await?;
    Ok(Answer::text(format!("{}-{version}", master.store.identity())))
}

/// The version that a token stands for; a token of another database stands for none.
fn version_of(token: &str, identity: &str) -> Option<i64> {
    token.strip_prefix(identity)?.strip_prefix('-')?.parse().ok()
}

async fn wait_for_change(
    master: &Master,
    computer: &ComputerId,
    since: Option<i64>,
    wait: Duration,
) -> Result<i64, Refusal> {
    // The cell is taken first: a commit after the query below then announces itself there.
    let cell = master.documents.cell(computer);
    let (wanted, default) = (computer.clone(), master.default_computer.clone());
    let known = master.store.read(move |tx| {
        tx.computer(&wanted)?
            .filter(|row| row.is_formatted || row.reference == default)
            .ok_or(DocumentError::UnknownComputer(wanted))
    });
    let present = match known.await {
        Ok(row) => row.demand_version,
        Err(error) => {
            master.documents.forget(computer);
            return Err(error.into());
        }
    };
    cell.announce(present);
    let Some(since) = since.filter(|since| *since == present) else { return Ok(present) };
    let mut demand = cell.demand();
    let mut stopping = master.stopping.clone();
    let changed = tokio::select! {
        changed = demand.wait_for(|version| *version > since) => changed.ok().map(|version| *version),
        () = tokio::time::sleep(wait) => None,
        _ = stopping.wait_for(|is_stopping| *is_stopping) => None,
    };
    Ok(changed.unwrap_or(present))
}
