//! What can be seen of a buildout after a run, without what cannot be alike.

use std::collections::BTreeMap;

use camino::Utf8Path;
use fs_err as fs;

use crate::step::Failure;

/// Paths below the buildout directory that belong to the engine, not to parts.
const OWN: [&str; 6] =
    ["buildout.cfg", "bin/buildout", "develop-eggs", "eggs", ".build-log", ".installed.cfg"];

/// Files with their texts, directories with none, by path.
pub(super) fn files(directory: &Utf8Path) -> Result<BTreeMap<String, Option<String>>, Failure> {
    let mut found = BTreeMap::new();
    collect(directory, directory, &mut found).map_err(|error| error.to_string())?;
    Ok(found)
}

fn collect(
    root: &Utf8Path,
    directory: &Utf8Path,
    found: &mut BTreeMap<String, Option<String>>,
) -> std::io::Result<()> {
    for entry in directory.read_dir_utf8()? {
        let path = entry?.into_path();
        let name = path.strip_prefix(root).unwrap_or(&path).to_string();
        if OWN.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            found.insert(name, None);
            collect(root, &path, found)?;
        } else {
            found.insert(name, Some(anonymous(&fs::read_to_string(&path)?, root)));
        }
    }
    Ok(())
}

/// The record: the parts that it says are installed, each with its options. zc.buildout leaves those of others in the
/// file, writes `[buildout]` again and again, and the file when nothing is installed. The signatures differ.
pub(super) fn record(directory: &Utf8Path) -> Result<Vec<(String, Vec<String>)>, Failure> {
    let path = directory.join(".installed.cfg");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = anonymous(&fs::read_to_string(&path).map_err(|error| error.to_string())?, directory);
    let mut sections: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut parts, mut section) = (Vec::new(), String::new());
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
            sections.insert(section.clone(), Vec::new());
        } else if section == "buildout" {
            if let Some(names) = line.strip_prefix("parts =") {
                parts = names.split_whitespace().map(str::to_owned).collect();
            }
        } else if let Some(lines) = sections.get_mut(&section) {
            match lines.last_mut().filter(|_| line.starts_with(char::is_whitespace)) {
                Some(last) => last.extend(["\n", line]),
                None => lines.push(line.to_owned()),
            }
        }
    }
    let section_of = |part: String| {
        let mut lines = sections.get(&part).cloned().unwrap_or_default();
        lines.retain(|line| !line.starts_with("__buildout_signature__"));
        lines.iter_mut().for_each(|line| {
            if let Some(paths) = line.strip_prefix("__buildout_installed__ =") {
                *line = format!("__buildout_installed__ = {}", sorted(paths));
            }
        });
        lines.sort();
        (part, lines)
    };
    Ok(parts.into_iter().map(section_of).collect())
}

/// Recorded paths in the order of their names: the peer takes that of the last update, and puts an empty line before what
/// an update adds to nothing.
fn sorted(paths: &str) -> String {
    let paths = paths.replace("%(__buildout_space_n__)s", "");
    let mut paths: Vec<&str> = paths.split_whitespace().collect();
    paths.sort_unstable();
    paths.join(" ")
}

/// What was printed, up to what is said of a failure: there ours has another traceback.
pub(super) fn printed(text: &str, directory: &Utf8Path) -> String {
    let text = anonymous(text, directory);
    let said = text.split("While:\n").next().unwrap_or_default();
    // Why it failed, as zc.buildout's words say it.
    let error = text.lines().rfind(|line| line.starts_with("Error: ")).unwrap_or_default();
    format!("{}\n{error}", said.trim_end())
}

fn anonymous(text: &str, directory: &Utf8Path) -> String {
    text.replace(directory.as_str(), "DIRECTORY")
}
