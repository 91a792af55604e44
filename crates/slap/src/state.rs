//! The states that are asked for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A word that names no state.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not one of {allowed}")]
pub struct UnknownState {
    text: String,
    allowed: &'static str,
}

/// What is asked of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestedState {
    /// Its services run.
    Started,
    /// Its services are stopped; its data stays.
    Stopped,
    /// It and its data are removed.
    Destroyed,
}

impl RequestedState {
    /// The word for it on the wire and on disk.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::Destroyed => "destroyed",
        }
    }
}

impl fmt::Display for RequestedState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for RequestedState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        match text {
            "started" => Ok(Self::Started),
            "stopped" => Ok(Self::Stopped),
            "destroyed" => Ok(Self::Destroyed),
            _ => Err(UnknownState { text: excerpt(text), allowed: "started, stopped, destroyed" }),
        }
    }
}

/// What is asked of a software release on a computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SoftwareState {
    /// It is installed.
    Available,
    /// It is removed.
    Destroyed,
}

impl SoftwareState {
    /// The word for it on the wire and on disk.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Destroyed => "destroyed",
        }
    }
}

impl fmt::Display for SoftwareState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for SoftwareState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        match text {
            "available" => Ok(Self::Available),
            "destroyed" => Ok(Self::Destroyed),
            _ => Err(UnknownState { text: excerpt(text), allowed: "available, destroyed" }),
        }
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_read_back_what_they_print() {
        for state in [RequestedState::Started, RequestedState::Stopped, RequestedState::Destroyed] {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        for state in [SoftwareState::Available, SoftwareState::Destroyed] {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
    }

    #[test]
    fn an_unknown_word_names_the_allowed_ones() {
        let error = "running".parse::<RequestedState>().unwrap_err();

        assert_eq!(error.to_string(), "`running` is not one of started, stopped, destroyed");
    }
}
