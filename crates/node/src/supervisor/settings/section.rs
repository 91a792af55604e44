//! One section of the files, with the kinds of values that its options have.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;

use super::{LogLimit, LogSettings, SettingsError};
use crate::supervisor::ini::{self, Sections};

/// One section, with what may stand in its values.
pub(super) struct Section<'a> {
    pub(super) name: &'a str,
    pub(super) options: Option<&'a IndexMap<String, String>>,
    pub(super) names: BTreeMap<String, String>,
}

impl<'a> Section<'a> {
    pub(super) fn of(sections: &'a Sections, name: &str, here: &Utf8Path) -> Result<Self, SettingsError> {
        let (name, options) = sections
            .get_key_value(name)
            .ok_or_else(|| SettingsError::Missing { section: name.to_owned() })?;
        Ok(Self {
            name,
            options: Some(options),
            names: BTreeMap::from([("here".to_owned(), here.to_string())]),
        })
    }

    pub(super) fn optional(sections: &'a Sections, name: &'a str, here: &Utf8Path) -> Self {
        let names = BTreeMap::from([("here".to_owned(), here.to_string())]);
        Self { name, options: sections.get(name), names }
    }

    pub(super) fn text(&self, option: &str) -> Option<String> {
        self.options?.get(option).filter(|value| !value.is_empty()).cloned()
    }

    pub(super) fn expanded(&self, option: &str) -> Result<Option<String>, SettingsError> {
        let Some(text) = self.text(option) else { return Ok(None) };
        ini::expand(&text, &self.names).map(Some).ok_or_else(|| self.wrong(option, &text))
    }

    pub(super) fn path(&self, option: &str) -> Option<Utf8PathBuf> {
        let text = self.text(option)?;
        Some(ini::expand(&text, &self.names).unwrap_or(text).into())
    }

    pub(super) fn number<N: std::str::FromStr>(&self, option: &str, default: N) -> Result<N, SettingsError> {
        match self.text(option) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| self.wrong(option, &text)),
        }
    }

    pub(super) fn truth(&self, option: &str, default: bool) -> Result<bool, SettingsError> {
        match self.text(option).map(|text| text.to_ascii_lowercase()).as_deref() {
            None => Ok(default),
            Some("true" | "yes" | "on" | "1" | "t" | "y") => Ok(true),
            Some("false" | "no" | "off" | "0" | "f" | "n") => Ok(false),
            Some(other) => Err(self.wrong(option, other)),
        }
    }

    pub(super) fn log(&self, output: &str) -> Result<LogSettings, SettingsError> {
        let prefix = format!("{output}_logfile");
        // Compatibility: what has no file goes to one of a random name that is deleted at the next start; nowhere is
        // as good.
        let file = self
            .expanded(&prefix)?
            .filter(|file| !matches!(file.to_ascii_lowercase().as_str(), "none" | "auto" | "syslog"));
        Ok(LogSettings { file: file.map(Utf8PathBuf::from), limit: self.log_limit(&prefix, 10)? })
    }

    pub(super) fn log_limit(&self, prefix: &str, backups: u32) -> Result<LogLimit, SettingsError> {
        let option = format!("{prefix}_maxbytes");
        let text = self.text(&option).unwrap_or_else(|| "50MB".to_owned());
        let largest = ini::size(&text).ok_or_else(|| self.wrong(&option, &text))?;
        // Compatibility: slapgrid writes the main one with a dash, which supervisord ignores; 10 is its default.
        Ok(LogLimit { largest, backups: self.number(&format!("{prefix}_backups"), backups)? })
    }

    pub(super) fn wrong(&self, option: &str, value: &str) -> SettingsError {
        SettingsError::Value {
            section: self.name.to_owned(),
            option: option.to_owned(),
            value: value.to_owned(),
        }
    }
}
