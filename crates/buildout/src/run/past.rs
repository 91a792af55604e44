//! What the sections that are no parts said at the last build. The record of installed parts has the options of parts
//! alone; of other sections it has a digest, by which `why` finds here what was behind it.
//!
//! Kept beside the record, readable by the owner alone, since options may hold what is meant for nobody else. Values
//! that look like passwords are left out all the same: who copies a directory to ask for help shall not copy them.
//! A build does not need the file. It is never a reason to fail.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::install::Options;
use crate::engine::Engine;
use crate::installed::SIGNATURE;
use crate::plan::section_term;
use crate::{Dialect, Level};

const MODE: u32 = 0o600;
/// Parts of names of options whose values are left out.
const SECRETS: [&str; 7] = ["passw", "passphrase", "pwd", "secret", "token", "credential", "apikey"];

/// What sections said.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// By section and digest, `section:digest` as signatures have it.
    sections: BTreeMap<String, Said>,
    /// Why nothing is known, if that is so.
    pub(super) trouble: Option<String>,
}

/// What one section said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Said {
    options: BTreeMap<String, String>,
    /// Names of the options whose values are left out.
    withheld: Vec<String>,
    signature: String,
}

impl Said {
    /// What a section says in this build; none when it is not initialised.
    pub(super) fn now(engine: &mut Engine, section: &str) -> Option<Self> {
        let signature = engine.signature(section).ok()?;
        let (withheld, options): (Vec<_>, Vec<_>) = engine
            .options_to_record(section)
            .into_iter()
            .filter(|(name, _)| !name.starts_with('_'))
            .partition(|(name, value)| may_be_secret(name, value));
        let withheld = withheld.into_iter().map(|(name, _)| name).collect();
        Some(Self { options: options.into_iter().collect(), withheld, signature })
    }

    /// The options whose values are known, with the signature, as the record has those of a part.
    pub(super) fn as_recorded(&self) -> Options {
        let mut options: Options = self.options.clone().into_iter().collect();
        options.insert(SIGNATURE.to_owned(), self.signature.clone());
        options
    }

    /// Names of the options whose values are left out.
    pub(super) fn withheld(&self) -> &[String] {
        &self.withheld
    }
}

impl Past {
    /// What is known beside the record `installed`.
    pub(super) fn load(installed: &Utf8Path) -> Self {
        let path = path_beside(installed);
        let read = match host::files::read_text_if_present(&path) {
            Ok(Some(text)) => serde_json::from_str(&text).map_err(|error| error.to_string()),
            Ok(None) => Err("there is no such file".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        match read {
            Ok(sections) => Self { sections, trouble: None },
            Err(problem) => {
                let trouble = format!("{path} does not tell: {problem}; the next build writes it");
                Self { sections: BTreeMap::new(), trouble: Some(trouble) }
            }
        }
    }

    /// What a section said when signatures had this digest of it.
    pub(super) fn said(&self, section: &str, digest: &str) -> Option<&Said> {
        self.sections.get(&key(section, digest))
    }

    /// The digest of a section that is known of.
    pub(super) fn digest(&self, section: &str) -> Option<&str> {
        let mut known = self.sections.keys().filter_map(|term| section_term(term));
        known.find_map(|(name, digest)| (name == section).then_some(digest))
    }

    /// The sections that depended on another one.
    pub(super) fn users(&self, section: &str) -> impl Iterator<Item = &str> {
        let depend = move |said: &Said| {
            let mut terms = said.signature.split_whitespace().filter_map(section_term);
            terms.any(|(name, _)| name == section)
        };
        let users = self.sections.iter().filter(move |(_, said)| depend(said));
        users.filter_map(|(term, _)| Some(section_term(term)?.0))
    }
}

/// Writes down what the sections say that the installed parts were built from. `parts` are those that are installed
/// now, perhaps by an earlier build; `warns` says whether it is told that they could not be.
pub(super) fn remember(
    engine: &mut Engine,
    installed: &Utf8Path,
    parts: &IndexMap<String, Options>,
    warns: bool,
) {
    // Programs that were written for zc.buildout look at what is in the directory.
    if engine.dialect() == Dialect::Upstream {
        return;
    }
    let mut before = None;
    let mut sections = BTreeMap::new();
    let signatures = parts.values().filter_map(|options| options.get(SIGNATURE));
    let mut todo: Vec<String> = signatures.cloned().collect();
    while let Some(signature) = todo.pop() {
        for term in signature.split_whitespace() {
            let Some((section, digest)) = section_term(term) else { continue };
            if parts.contains_key(section) || sections.contains_key(term) {
                continue;
            }
            let said = if engine.section_digest(section).as_deref() == Some(digest) {
                Said::now(engine, section)
            } else {
                let before = before.get_or_insert_with(|| Past::load(installed));
                before.said(section, digest).cloned()
            };
            if let Some(said) = said {
                todo.push(said.signature.clone());
                sections.insert(key(section, digest), said);
            }
        }
    }
    let path = path_beside(installed);
    let written = if sections.is_empty() {
        host::files::remove_if_present(&path)
    } else {
        let text = serde_json::to_string_pretty(&sections).expect("maps of text have a JSON form");
        host::files::replace_if_changed(&path, text + "\n", MODE).map(|_| ())
    };
    if let Err(error) = written
        && warns
    {
        let message = format!("{path} is not written, so `why` will know less: {error}");
        engine.log(Level::Warning, None, message);
    }
}

fn path_beside(installed: &Utf8Path) -> Utf8PathBuf {
    installed.with_extension("sections.json")
}

fn key(section: &str, digest: &str) -> String {
    format!("{section}:{digest}")
}

/// Whether a value is better not written down.
fn may_be_secret(name: &str, value: &str) -> bool {
    let name = name.to_lowercase().replace(['-', '_', '.'], "");
    let is_key = name.ends_with("key") && !value.starts_with('/');
    let in_address = value.split("://").skip(1).any(|rest| {
        let host = rest.split(['/', ' ', '\n']).next().unwrap_or_default();
        host.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    });
    is_key
        || SECRETS.iter().any(|part| name.contains(part))
        || in_address
        || value.contains("PRIVATE KEY-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_known_by_its_name_or_its_form() {
        for (name, value) in [
            ("admin-password", "x"),
            ("db_passwd", "x"),
            ("api-key", "x"),
            ("Auth.Token", "x"),
            ("url", "postgres://me:geheim@host/db"),
            ("text", "-----BEGIN RSA PRIVATE KEY-----\n"),
        ] {
            assert!(may_be_secret(name, value), "{name}");
        }
        for (name, value) in [
            ("path", "/srv"),
            ("key", "/etc/key.pem"),
            ("url", "https://host:80/a@b"),
            ("mail", "me@example.org"),
            ("monkey-count", "3"),
        ] {
            assert!(!may_be_secret(name, value), "{name}");
        }
    }
}
