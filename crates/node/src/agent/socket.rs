//! The socket of an agent: a line with a word comes in, a line of JSON goes out.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use host::files;

use super::board::Board;
use super::status::Status;
use crate::Node;
use crate::configuration::Configuration;

/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(5);

/// Nobody has more to say to an agent.
const LONGEST_LINE: u64 = 1000;

/// An agent that could not be spoken to.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// There is none.
    #[error("no agent answers on {socket}")]
    Absent {
        /// Where it would answer.
        socket: Utf8PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// It answers something else.
    #[error("the agent on {socket} gave no answer that can be understood")]
    Answer {
        /// Where it was asked.
        socket: Utf8PathBuf,
    },
}

/// Tells a running agent to look at everything again, and to try at once what failed.
///
/// # Errors
/// No agent answers.
pub fn poke(configuration: &Configuration) -> Result<(), AgentError> {
    ask(configuration, "poke").map(drop)
}

/// Asks a running agent how it is.
///
/// # Errors
/// No agent answers.
pub fn status(configuration: &Configuration) -> Result<Status, AgentError> {
    let answer = ask(configuration, "status")?;
    serde_json::from_str(&answer).map_err(|_| AgentError::Answer { socket: configuration.agent_socket() })
}

fn ask(configuration: &Configuration, word: &str) -> Result<String, AgentError> {
    let socket = configuration.agent_socket();
    let talk = || {
        let mut stream = UnixStream::connect(&socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        writeln!(stream, "{word}")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    talk().map_err(|source| AgentError::Absent { socket: socket.clone(), source })
}

/// Answers on the socket from a thread of its own, as long as the process lives.
pub(super) fn serve(node: &Node, board: &Arc<Board>) -> io::Result<()> {
    let socket = node.configuration.agent_socket();
    // Left by an agent that was killed; a living one would hold the lock.
    files::remove_if_present(&socket)?;
    let listener = UnixListener::bind(&socket)?;
    fs_err::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))?;
    let board = Arc::clone(board);
    let master_url = node.configuration.master_url.clone();
    std::thread::Builder::new().name("socket".to_owned()).spawn(move || {
        for stream in listener.incoming().flatten() {
            if let Err(error) = answer(&stream, &board, &master_url) {
                tracing::debug!(%error, "somebody did not listen");
            }
        }
    })?;
    Ok(())
}

fn answer(mut stream: &UnixStream, board: &Board, master_url: &str) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream).take(LONGEST_LINE).read_line(&mut line)?;
    let answer = match line.trim() {
        "poke" => {
            board.poke();
            serde_json::json!({ "done": true })
        }
        "status" => serde_json::to_value(board.status(master_url))?,
        _ => serde_json::json!({ "error": "the words are poke and status" }),
    };
    writeln!(stream, "{answer}")
}
