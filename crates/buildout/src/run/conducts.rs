//! What recipes in Python did with their sections at the last build: beside the record of installed parts, for who looks
//! at a build without asking them. A build does not need the file. It is never a reason to fail.

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;

use super::install::Options;
use crate::engine::{Conducts, Engine};
use crate::{Dialect, Level};

/// It has digests of options, which may be secrets.
const MODE: u32 = 0o600;

/// What is known beside the record `installed`.
pub(super) fn load(installed: &Utf8Path) -> Conducts {
    let text = host::files::read_text_if_present(&path_beside(installed)).ok().flatten();
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Writes down the conduct of the recipes of `parts`, which are those that are installed now, perhaps by an earlier
/// build; `warns` says whether it is told that it could not be.
pub(super) fn remember(
    engine: &mut Engine,
    installed: &Utf8Path,
    parts: &IndexMap<String, Options>,
    warns: bool,
) {
    let before = load(installed);
    let of = |part: &String| engine.conduct(part).or_else(|| before.get(part).cloned());
    let conducts = parts.keys().filter_map(|part| Some((part.clone(), of(part)?))).collect();
    write(engine, installed, &conducts, warns);
}

/// As [`remember`], when `parts` are not all that are installed.
pub(super) fn remember_more(engine: &mut Engine, installed: &Utf8Path, parts: &IndexMap<String, Options>) {
    let mut conducts = load(installed);
    conducts.extend(parts.keys().filter_map(|part| Some((part.clone(), engine.conduct(part)?))));
    write(engine, installed, &conducts, false);
}

fn write(engine: &mut Engine, installed: &Utf8Path, conducts: &Conducts, warns: bool) {
    // Programs that were written for zc.buildout look at what is in the directory.
    if engine.dialect() == Dialect::Upstream {
        return;
    }
    let path = path_beside(installed);
    let written = if conducts.is_empty() {
        host::files::remove_if_present(&path)
    } else {
        let text = serde_json::to_string_pretty(conducts).expect("maps of text have a JSON form");
        host::files::replace_if_changed(&path, text + "\n", MODE).map(|_| ())
    };
    if let Err(error) = written
        && warns
    {
        let message = format!("{path} is not written, so `plan` will know less: {error}");
        engine.log(Level::Warning, None, message);
    }
}

fn path_beside(installed: &Utf8Path) -> Utf8PathBuf {
    installed.with_extension("recipes.json")
}
