//! What the master wants of this node: asked for, remembered for the time when the master is away, and told apart from
//! the ways in which asking can fail.

use std::io;

use host::files;
use slap::Computer;
use slap::client::ClientError;

use crate::Node;
use crate::outcome::{Problem, with_causes};

/// Asks the master, and keeps its answer for a time without master.
///
/// # Errors
/// The master does not answer, or refuses.
pub(crate) fn fetch(node: &Node) -> Result<Computer, ClientError> {
    let computer = node.client.computer(&node.configuration.computer_id)?;
    if let Err(error) = remember(node, &computer) {
        tracing::warn!(%error, "the master's answer could not be kept for a time without master");
    }
    Ok(computer)
}

/// The last good answer, if there was one.
pub(crate) fn remembered(node: &Node) -> Option<Computer> {
    let text = files::read_text_if_present(&file(node)).ok().flatten()?;
    serde_json::from_str(&text)
        .ok()
        .filter(|computer: &Computer| computer.id == node.configuration.computer_id)
}

fn remember(node: &Node, computer: &Computer) -> io::Result<()> {
    node.configuration.make_state_directories()?;
    // Parameters are in it: only this user reads it.
    files::replace_if_changed(&file(node), serde_json::to_vec(computer)?, 0o600).map(drop)
}

fn file(node: &Node) -> camino::Utf8PathBuf {
    node.configuration.run_directory().join("last-computer.json")
}

/// Whether the failure means that the master is away, so that the node should go on without it.
///
/// A refusal of this node is no such failure: the master is there, and nothing of what runs is touched.
pub(crate) fn is_away(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } => true,
        ClientError::Status { status, .. } => !matches!(status, 400..=499),
        _ => false,
    }
}

/// Whether the master knows nothing of what was named, or does not have the function.
pub(crate) fn is_unknown(error: &ClientError) -> bool {
    matches!(error, ClientError::NotFound { .. })
}

/// What a person reads when the master could not be asked.
pub(crate) fn problem(node: &Node, error: &ClientError) -> Problem {
    let url = &node.configuration.master_url;
    let mut problem = Problem::of(url.as_str(), error);
    problem.message = format!("the master cannot be asked what to do: {}", with_causes(error));
    if is_unknown(error) {
        let id = &node.configuration.computer_id;
        return problem
            .with_code("E-computer-unknown")
            .with_hint(format!("make the computer {id} known to the master: slapos node format --now"));
    }
    problem.hint = error.hint().map(str::to_owned);
    problem.with_code(error.code())
}
