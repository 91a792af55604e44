//! The program `slapos-watchdog`: a listener of supervisord, which tells it of processes on its standard input.

use std::io::{self, BufRead, Read, Write};

use super::{Bang, BangError, bang_once};
use crate::supervisor::WatchdogArguments;
use crate::supervisor::configuration::SERVICE_MARK;

/// Why the program ends.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// The supervisor is gone.
    #[error("failed to talk to the supervisor")]
    Pipe(#[from] io::Error),
    /// The supervisor says something that is no event.
    #[error("`{0}` is no event of a supervisor")]
    Header(String),
    /// The master did not take a bang. The supervisor starts the program again.
    #[error("failed to handle an event")]
    Bang(#[from] BangError),
}

/// Handles events until the supervisor closes the pipe.
///
/// # Errors
/// See [`ProtocolError`].
pub fn serve(
    arguments: &WatchdogArguments,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<(), ProtocolError> {
    follow(input, output, &mut |bang| Ok(bang_once(arguments, bang)?))
}

fn follow(
    input: &mut impl BufRead,
    output: &mut impl Write,
    on_bang: &mut dyn FnMut(&Bang) -> Result<(), ProtocolError>,
) -> Result<(), ProtocolError> {
    loop {
        output.write_all(b"READY\n")?;
        output.flush()?;
        let mut header = String::new();
        if input.read_line(&mut header)? == 0 {
            return Ok(());
        }
        let wrong = || ProtocolError::Header(header.trim_end().to_owned());
        let length: u64 = word(&header, "len").and_then(|length| length.parse().ok()).ok_or_else(wrong)?;
        let mut payload = String::new();
        input.take(length).read_to_string(&mut payload)?;
        if let Some(bang) = bang_of(word(&header, "eventname").ok_or_else(wrong)?, &payload) {
            on_bang(&bang)?;
        }
        output.write_all(b"RESULT 2\nOK")?;
        output.flush()?;
    }
}

/// The bang that an event asks for: a service ended, whatever its code, or could not be started.
fn bang_of(event: &str, payload: &str) -> Option<Bang> {
    let process = word(payload, "processname")?;
    let partition = word(payload, "groupname")?;
    let is_ending = matches!(event, "PROCESS_STATE_EXITED" | "PROCESS_STATE_FATAL");
    (is_ending && process.contains(SERVICE_MARK))
        .then(|| Bang { partition: partition.to_owned(), process: process.to_owned() })
}

/// The value of a `key:value` word.
fn word<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, process: &str) -> String {
        let payload =
            format!("processname:{process} groupname:slappart0 from_state:RUNNING expected:0 pid:12");
        format!(
            "ver:3.0 server:supervisor serial:1 pool:watchdog poolserial:1 eventname:{name} len:{}\n{payload}",
            payload.len()
        )
    }

    fn handled(input: &str) -> (Vec<Bang>, String) {
        let mut bangs = Vec::new();
        let mut output = Vec::new();
        follow(&mut input.as_bytes(), &mut output, &mut |bang| {
            bangs.push(bang.clone());
            Ok(())
        })
        .unwrap();
        (bangs, String::from_utf8(output).unwrap())
    }

    #[test]
    fn both_events_of_a_service_bang() {
        let input = event("PROCESS_STATE_EXITED", "a-on-watch") + &event("PROCESS_STATE_FATAL", "b-on-watch");

        let (bangs, output) = handled(&input);

        let named = |process: &str| Bang { partition: "slappart0".into(), process: process.into() };
        assert_eq!(bangs, [named("a-on-watch"), named("b-on-watch")]);
        assert_eq!(output, "READY\nRESULT 2\nOKREADY\nRESULT 2\nOKREADY\n");
    }

    #[test]
    fn other_events_and_other_processes_do_not() {
        let others = [
            "EVENT",
            "PROCESS_STATE",
            "PROCESS_STATE_RUNNING",
            "PROCESS_STATE_BACKOFF",
            "PROCESS_STATE_STOPPED",
        ];
        let input: String = others.iter().map(|name| event(name, "a-on-watch")).collect();

        assert_eq!(handled(&input).0, []);
        assert_eq!(handled(&event("PROCESS_STATE_EXITED", "a")).0, []);
    }

    #[test]
    fn what_is_no_event_ends_it() {
        let failed = follow(&mut &b"nonsense\n"[..], &mut Vec::new(), &mut |_| Ok(()));

        assert!(matches!(failed, Err(ProtocolError::Header(_))));
    }
}
