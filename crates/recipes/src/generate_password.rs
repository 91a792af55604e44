//! `slapos.cookbook:generate.password`: makes a password once and keeps it.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `storage-path` | file that keeps the password, readable by its owner only; empty: it is not kept | `${buildout:parts-directory}/<part>` |
//! | `bytes` | number of characters | `16` |
//! | `passwd` | a password to use instead of a new one | |
//! | `create-once` | whether the file stays when the part is removed | `true` |
//!
//! Offers `passwd`: letters and digits. It is kept out of the record of installed parts, because that file is readable
//! by everybody.

use buildout::{OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section};
use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;

use crate::options::{filled, is_yes};
use crate::output_file::refused;

/// The recipe.
#[derive(Debug)]
pub(crate) struct GeneratePassword;

/// What the file holds: the password under the empty name, and hashes of it that other recipes have asked for.
type Stored = IndexMap<String, String>;

struct Password {
    stored: Stored,
    path: Option<Utf8PathBuf>,
    is_permanent: bool,
    is_new: bool,
}

impl RecipeKind for GeneratePassword {
    fn names(&self) -> &'static [&'static str] {
        &["slapos.cookbook:generate.password"]
    }

    fn summary(&self) -> &'static str {
        "makes a password once and keeps it"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const {
            &[
                OptionDoc::with_default(
                    "storage-path",
                    "file that keeps the password",
                    "${buildout:parts-directory}/<part>",
                ),
                OptionDoc::with_default("bytes", "number of characters", "16"),
                OptionDoc::optional("passwd", "a password to use instead of a new one"),
                OptionDoc::with_default(
                    "create-once",
                    "whether the file stays when the part is removed",
                    "true",
                ),
            ]
        }
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let path = match section.get("storage-path")? {
            Some(path) if path.is_empty() => None,
            Some(path) => Some(section.resolve(&path)),
            None => {
                let parts = section.require_other("buildout", "parts-directory")?;
                let path = section.resolve(&parts).join(section.name());
                section.set("storage-path", path.as_str());
                Some(path)
            }
        };
        let is_permanent = section.get("create-once")?.is_none_or(|value| is_yes(&value));
        let given = filled(section, "passwd")?;
        let mut stored = path.as_deref().map(load).transpose()?.flatten().unwrap_or_default();
        if let Some(given) = &given
            && stored.get("") != Some(given)
        {
            stored = Stored::from([(String::new(), given.clone())]);
        }
        let is_new = stored.get("").is_none_or(String::is_empty);
        if is_new {
            let length = section.get("bytes")?.unwrap_or_else(|| "16".to_owned());
            let length =
                length.trim().parse().ok().filter(|length| (1..=4096).contains(length)).ok_or_else(|| {
                    RecipeError::new(format!("`{length}` is no number of characters"))
                        .option("bytes")
                        .hint("write a number from 1 to 4096")
                })?;
            stored.insert(String::new(), generate(length)?);
        }
        section.set("passwd", stored[""].as_str());
        section.hide("passwd");
        Ok(Box::new(Password { stored, path, is_permanent, is_new }))
    }
}

/// Reads the file: a JSON object, or in the older form the password alone.
fn load(path: &Utf8Path) -> Result<Option<Stored>, RecipeError> {
    let text = host::files::read_text_if_present(path).map_err(|error| refused(path, error))?;
    Ok(text.map(|text| {
        let text = text.trim_matches('\n');
        match serde_json::from_str::<Stored>(text) {
            Ok(stored) if stored.contains_key("") => stored,
            _ => Stored::from([(String::new(), text.to_owned())]),
        }
    }))
}

const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Letters and digits, each equally likely.
fn generate(length: usize) -> Result<String, RecipeError> {
    let mut password = String::with_capacity(length);
    let mut random = [0_u8; 64];
    while password.len() < length {
        host::random::fill(&mut random)
            .map_err(|error| RecipeError::new("the machine gives no random bytes").because(error))?;
        // Bytes beyond the last multiple of 62 would favour the first letters.
        let fair = random
            .iter()
            .filter(|byte| **byte < 248)
            .map(|byte| char::from(ALPHABET[usize::from(byte % 62)]));
        password.extend(fair.take(length - password.len()));
    }
    Ok(password)
}

/// The file's text: a JSON object with sorted names, as Python writes it.
fn serialised(stored: &Stored) -> String {
    let mut names: Vec<_> = stored.iter().collect();
    names.sort();
    let quote = |text: &str| serde_json::Value::from(text).to_string();
    let entries: Vec<String> =
        names.into_iter().map(|(name, value)| format!("{}: {}", quote(name), quote(value))).collect();
    format!("{{{}}}", entries.join(", "))
}

impl Recipe for Password {
    fn install(&mut self, _: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        let Some(path) = &self.path else { return Ok(Vec::new()) };
        host::files::replace_if_changed(path, serialised(&self.stored), 0o600)
            .map_err(|error| refused(path, error))?;
        Ok(if self.is_permanent { Vec::new() } else { vec![path.clone()] })
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        if self.is_new { self.install(part) } else { Ok(Vec::new()) }
    }
}
