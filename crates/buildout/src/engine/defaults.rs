//! The defaults of the `[buildout]` section.

use std::sync::Arc;

use camino::Utf8PathBuf;

use super::Engine;
use super::log_format::Formatted;
use crate::syntax::Operator;
use crate::table::{Origin, Step};
use crate::{BuildError, Fault, Level};

/// Options of `[buildout]` that always have a value. `executable` is not among them: finding a Python costs time that
/// many builds need not spend, so it is found when somebody asks.
pub(crate) const DEFAULTS: [(&str, &str); 20] = [
    ("allow-hosts", "*"),
    ("allow-picked-versions", "true"),
    ("allow-unknown-extras", "false"),
    ("bin-directory", "bin"),
    ("develop-eggs-directory", "develop-eggs"),
    ("eggs-directory", "eggs"),
    ("find-links", ""),
    ("install-from-cache", "false"),
    ("installed", ".installed.cfg"),
    ("log-format", ""),
    ("log-level", "INFO"),
    ("newest", "true"),
    ("offline", "false"),
    ("parts-directory", "parts"),
    ("prefer-final", "true"),
    ("python", "buildout"),
    ("show-picked-versions", "false"),
    ("socket-timeout", ""),
    ("update-versions-file", ""),
    ("use-dependency-links", "true"),
];

/// Options of `[buildout]` that the engine or its callers know beyond the defaults.
const ENGINE_OPTIONS: [&str; 18] = [
    "abi-tag-eggs",
    "build-time-part-list",
    "check-signature",
    "do-not-strip-path",
    "dry-run",
    "eggs-directory-version",
    "extends-cache",
    "file-binary",
    "find-binary",
    "jobs",
    "keep-compile-dir",
    "networkcache-section",
    "pre-rebootstrap-installed",
    "rebootstrap-prepend-paths",
    "relative-paths",
    "shared-part-list",
    "strip-binary",
    "verbosity",
];

/// Every option of `[buildout]` that the engine or its callers read without being told to.
pub(crate) fn known_options() -> impl Iterator<Item = &'static str> {
    DEFAULTS.iter().map(|(option, _)| *option).chain(ENGINE_OPTIONS)
}

impl Engine {
    pub(crate) fn apply_defaults(&mut self) {
        for (option, value) in DEFAULTS {
            let step = Step { operator: Operator::Set, value: value.to_owned(), origin: Origin::Default };
            self.table.assign("buildout", option, step);
        }
    }

    pub(crate) fn set_directory(&mut self, directory: Utf8PathBuf) {
        self.directory = directory;
    }

    /// Takes what `[buildout]` says about the network and the log.
    pub(crate) fn set_modes(&mut self) -> Result<(), BuildError> {
        self.offline = self.flag("offline", false)?;
        self.newest = !self.offline && self.flag("newest", true)?;
        self.set_log_level()?;
        if self.offline && self.flag("install-from-cache", false)? {
            let message = "install-from-cache can't be used with offline mode.\n\
                Nothing is installed, even from cache, in offline\n\
                mode, which might better be called 'no-install mode'.\n";
            let hint = Some("set only one of `offline` and `install-from-cache` to true".to_owned());
            return Err(Fault::Refused { message: message.to_owned(), hint, code: "E-profile-value" }.into());
        }
        match self.buildout_option("socket-timeout")?.map(|seconds| seconds.trim().parse::<u64>()) {
            None => {}
            Some(Ok(seconds)) => {
                self.log(Level::Info, None, format!("Setting socket time out to {seconds} seconds."));
            }
            Some(Err(_)) => {
                let timeout = self.require("buildout", "socket-timeout")?;
                let message = format!(
                    "Default socket timeout is used !\nValue in configuration is not numeric: [{timeout}].\n"
                );
                self.log(Level::Warning, None, message);
            }
        }
        Ok(())
    }

    fn set_log_level(&mut self) -> Result<(), BuildError> {
        let level = self.require("buildout", "log-level")?;
        let verbosity = self.read("buildout", "verbosity")?.unwrap_or_else(|| "0".to_owned());
        let number = match level.as_str() {
            "DEBUG" => Some(10),
            "INFO" => Some(20),
            "WARNING" => Some(30),
            "ERROR" => Some(40),
            "CRITICAL" => Some(50),
            number => number.parse().ok(),
        };
        let invalid = |option: &str, value: String, expected| Fault::InvalidValue {
            option: option.to_owned(),
            value,
            expected,
        };
        let number: i64 = number.ok_or_else(|| {
            invalid("log-level", level, "DEBUG, INFO, WARNING, ERROR, CRITICAL or a number")
        })?;
        let less: i64 = verbosity.trim().parse().map_err(|_| invalid("verbosity", verbosity, "a number"))?;
        self.log_threshold = number.saturating_sub(less);
        if let Some(format) = self.buildout_option("log-format")? {
            self.sink = Arc::new(Formatted::new(format, self.sink(), Arc::clone(&self.clock)));
        }
        Ok(())
    }

    /// Whether the log shows less than every step, everything, or more.
    pub(crate) fn is_verbose(&self) -> bool {
        self.log_threshold < 10
    }

    /// Marks what the engine itself reads as used.
    pub(crate) fn use_defaults(&mut self) -> Result<(), BuildError> {
        for (option, _) in DEFAULTS {
            self.read("buildout", option)?;
        }
        for option in ["versions", "directory", "index", "download-cache"] {
            self.read("buildout", option)?;
        }
        // Only builds read these, and only a value that is read can be expanded once more.
        for option in ["parts", "develop", "extensions"] {
            self.mark_used("buildout", option);
        }
        for option in ENGINE_OPTIONS {
            self.read("buildout", option)?;
        }
        Ok(())
    }
}
