//! Typed reading of options that come from several places: the command line first, then sections of a file.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use crate::config::ini::{Ini, IniError};
use crate::env::Environment;
use crate::failure::{Failure, Kind};

/// Options of a file, overridden by those of the command line.
pub(crate) struct Options<'a> {
    ini: &'a Ini,
    environment: &'a Environment,
    /// The sections that are looked through, the most important first.
    sections: &'a [&'a str],
    overrides: BTreeMap<&'static str, String>,
}

impl<'a> Options<'a> {
    /// Options of `sections`, the most important first.
    pub(crate) fn new(ini: &'a Ini, environment: &'a Environment, sections: &'a [&'a str]) -> Self {
        Self { ini, environment, sections, overrides: BTreeMap::new() }
    }

    /// Sets an option from the command line, unless it was not given there.
    pub(crate) fn set(&mut self, name: &'static str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.overrides.insert(name, value.to_string());
        }
    }

    /// The value of an option, blanks around it removed. `name` is written with underscores; in the file dashes do as
    /// well. An empty value counts as given.
    pub(crate) fn raw(&self, name: &'static str) -> Result<Option<String>, Failure> {
        if let Some(value) = self.overrides.get(name) {
            return Ok(Some(value.clone()));
        }
        let dashed = name.replace('_', "-");
        for section in self.sections {
            for spelling in [name, dashed.as_str()] {
                let value = self.ini.get(section, spelling).map_err(|error| crate::config::syntax(&error))?;
                if let Some(value) = value {
                    return Ok(Some(value.trim().to_owned()));
                }
            }
        }
        Ok(None)
    }

    /// The value of an option; an empty one counts as missing.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<String>, Failure> {
        Ok(self.raw(name)?.filter(|value| !value.is_empty()))
    }

    /// A path, `~` expanded.
    pub(crate) fn path(&self, name: &'static str) -> Result<Option<Utf8PathBuf>, Failure> {
        Ok(self.text(name)?.map(|value| self.environment.absolute(&value)))
    }

    /// One entry in each line; blank lines are dropped.
    pub(crate) fn lines(&self, name: &'static str) -> Result<Vec<String>, Failure> {
        let text = self.text(name)?.unwrap_or_default();
        Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    /// One path in each line.
    pub(crate) fn paths(&self, name: &'static str) -> Result<Vec<Utf8PathBuf>, Failure> {
        Ok(self.lines(name)?.iter().map(|line| self.environment.absolute(line)).collect())
    }

    /// A yes or no in any of the words that Python's reader takes.
    pub(crate) fn flag(&self, name: &'static str, default: bool) -> Result<bool, Failure> {
        let Some(text) = self.text(name)? else { return Ok(default) };
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true),
            "false" | "no" | "off" | "0" => Ok(false),
            _ => Err(self.refused(name, &text, "is neither true nor false")),
        }
    }

    /// A number.
    pub(crate) fn number<N: std::str::FromStr>(&self, name: &'static str) -> Result<Option<N>, Failure> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.refused(name, &text, "is not a number that fits here"))
    }

    /// A value with a grammar of its own.
    pub(crate) fn parsed<T, E: std::error::Error>(
        &self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Failure> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        parse(&text).map(Some).map_err(|error| self.refused(name, &text, &error.to_string()))
    }

    /// Refuses a configuration in which any of `names` is missing or empty, all in one message.
    pub(crate) fn require(&self, names: &[&'static str]) -> Result<(), Failure> {
        let mut missing = Vec::new();
        for name in names {
            if self.text(name)?.is_none() {
                missing.push(*name);
            }
        }
        missing.sort_unstable();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Failure::new(Kind::Failed, format!("mandatory options are missing: {}", missing.join(", ")))
            .because(format!("neither {} nor the command line sets them", self.ini.path()))
            .hint(format!("add them to section [{}]", self.sections.last().unwrap_or(&"slapos")))
            .code("E-configuration-missing-option"))
    }

    /// Refuses a value, with its place when it comes from the file.
    pub(crate) fn refused(&self, name: &str, value: &str, problem: &str) -> Failure {
        let place = self.sections.iter().find_map(|section| {
            [name.to_owned(), name.replace('_', "-")].into_iter().find_map(|spelling| {
                Some((self.ini.line_of(section, &spelling), spelling)).filter(|(line, _)| *line > 0)
            })
        });
        match place {
            Some((line, spelling)) if !self.overrides.contains_key(name) => {
                crate::config::syntax(&IniError {
                    path: self.ini.path().to_owned(),
                    line,
                    text: format!("{spelling} = {value}"),
                    problem: format!("`{value}` {problem}"),
                })
            }
            _ => Failure::new(Kind::Usage, format!("--{}: `{value}` {problem}", name.replace('_', "-")))
                .code("E-usage"),
        }
    }
}
