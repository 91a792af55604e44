//! Conditions beyond our own evaluator: the interpreter that they are about decides them.

use std::time::Duration;

use host::python::Interpreter;
use serde::Deserialize;

use super::{Cause, ConditionError};

/// How long an interpreter may think about a condition.
const LIMIT: Duration = Duration::from_secs(20);
const SCRIPT: &str = include_str!("ask_python.py");

#[derive(Deserialize)]
#[serde(rename_all = "lowercase", untagged)]
enum Answer {
    Decided { holds: bool },
    Refused { error: String, text: String },
}

/// Asks the interpreter for what `beyond` says that we cannot decide.
pub(super) fn ask(text: &str, interpreter: &Interpreter, beyond: ConditionError) -> Result<bool, Cause> {
    let answer = interpreter.run(SCRIPT, &[text], LIMIT)?;
    match serde_json::from_str(&answer)? {
        Answer::Decided { holds } => Ok(holds),
        // Our own words name the place.
        Answer::Refused { error, .. } if matches!(error.as_str(), "NameError" | "SyntaxError") => {
            Err(beyond.into())
        }
        Answer::Refused { error, text } => Err(ConditionError::Python(format!("{error}: {text}")).into()),
    }
}
