//! `develop` of `[buildout]`: source directories installed in development mode.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::parts::remove_paths;
use super::record::Record;
use super::territory::Territory;
use crate::eggs::{EggBuild, SetupScript};
use crate::engine::{Activity, Engine};
use crate::{BuildError, Level};

/// Makes a link for each directory that the profile lists, and removes those that an earlier build made for others.
/// When one fails, the links are as they were.
pub(super) fn develop(engine: &mut Engine, record: &mut Record) -> Result<(), BuildError> {
    let wanted = engine.buildout_option("develop")?;
    let before: Vec<Utf8PathBuf> = record.develop_eggs().map(Utf8PathBuf::from).collect();
    if wanted.is_none() && before.is_empty() {
        return Ok(());
    }
    let directory = engine.buildout_directory("develop-eggs-directory")?;
    let made = match &wanted {
        None => Vec::new(),
        Some(wanted) => engine
            .doing(Activity::Plain("Processing directories listed in the develop option"), |engine| {
                make_links(engine, wanted, &directory)
            })?,
    };
    let gone = before.iter().filter(|path| !made.contains(&engine.directory().join(path)));
    let gone: Vec<&str> = gone.map(|path| path.as_str()).collect();
    let territory = Territory::of(engine)?;
    let warn = |message| engine.log(Level::Warning, None, message);
    remove_paths(engine.directory(), Some(&territory), gone.into_iter(), &warn);
    record.set_develop_eggs(&made);
    record.save()
}

fn make_links(
    engine: &mut Engine,
    wanted: &str,
    directory: &Utf8Path,
) -> Result<Vec<Utf8PathBuf>, BuildError> {
    let failed = |source| BuildError::file(format!("cannot make links in {directory}"), source);
    let scratch = tempfile::Builder::new().prefix("build").tempdir_in(directory).map_err(failed)?;
    let scratch = Utf8Path::from_path(scratch.path())
        .ok_or_else(|| failed(std::io::ErrorKind::InvalidFilename.into()))?
        .to_owned();
    let present = names_in(directory).map_err(failed)?;
    let mut links = Vec::new();
    for pattern in wanted.split_whitespace() {
        let pattern = engine.directory().join(pattern);
        let sources = matching(&pattern);
        if sources.is_empty() {
            engine.log(Level::Warning, None, format!("Couldn't develop '{pattern}' (not found)"));
        }
        for source in sources {
            engine.log(Level::Info, None, format!("Develop: '{source}'"));
            let target = scratch.join(links.len().to_string());
            fs_err::create_dir(&target).map_err(failed)?;
            let link = engine.doing(Activity::Developing(source.to_string()), |engine| {
                make_link(engine, &script_of(&source), &target)
            })?;
            links.push(link);
        }
    }
    for name in names_in(directory).map_err(failed)?.difference(&present) {
        engine.log(Level::Warning, None, format!("Unexpected entry, '{name}', in develop-eggs directory."));
    }
    let mut made = Vec::new();
    for link in links {
        let place = directory.join(link.file_name().unwrap_or_default());
        fs_err::rename(&link, &place).map_err(failed)?;
        if !made.contains(&place) {
            made.push(place);
        }
    }
    made.sort_unstable();
    Ok(made)
}

fn make_link(engine: &mut Engine, script: &Utf8Path, target: &Utf8Path) -> Result<Utf8PathBuf, BuildError> {
    let settings = engine.egg_settings()?;
    // As much is said as with the Python engine at each of its levels.
    let words: &[String] = if engine.log_threshold() == 0 { &[] } else { &["-q".to_owned()] };
    if engine.is_verbose() {
        let mut command = vec![settings.python.as_str(), script.as_str()];
        command.extend(words.iter().map(String::as_str));
        command.extend(["develop", "-mN", "-d", target.as_str()]);
        let message = format!("in: '{}'\n{}", script.parent().unwrap_or(script), command.join(" "));
        engine.log(Level::Debug, None, message);
    }
    let build = EggBuild::default();
    let script = SetupScript { path: script, words, build: &build, is_attached: true };
    engine
        .with_eggs(&settings, |eggs| eggs.link(&script, target))
        .map_err(|error| BuildError::from_recipe("buildout", error.into()))
}

/// The directories and scripts that a shell pattern stands for, sorted.
fn matching(pattern: &Utf8Path) -> Vec<Utf8PathBuf> {
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..Default::default() };
    let Ok(found) = glob::glob_with(pattern.as_str(), options) else { return Vec::new() };
    let mut paths: Vec<_> =
        found.flatten().filter_map(|path| Utf8PathBuf::from_path_buf(path).ok()).collect();
    paths.sort_unstable();
    paths
}

fn script_of(source: &Utf8Path) -> Utf8PathBuf {
    if source.is_dir() { source.join("setup.py") } else { source.to_owned() }
}

fn names_in(directory: &Utf8Path) -> std::io::Result<BTreeSet<String>> {
    directory.read_dir_utf8()?.map(|entry| Ok(entry?.file_name().to_owned())).collect()
}
