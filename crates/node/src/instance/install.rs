//! Building one instance: its profile with the tail, the engine that its release wants, and what is written once.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::files;
use slap::{Partition, SoftwareUrl};

use super::error::InstanceError;
use super::log::InstanceLog;
use super::{Options, profile};
use crate::Node;
use crate::build::{Build, account_of};
use crate::space;

/// The mode that a partition's directory must have.
const MODE: u32 = 0o750;

/// Builds the instance of `partition` in its directory.
pub(super) fn install(
    node: &Node,
    partition: &Partition,
    options: &Options,
    log: &mut InstanceLog<'_>,
) -> Result<(), InstanceError> {
    let configuration = &node.configuration;
    let directory = configuration.partition_directory(&partition.id);
    let url = partition.release.as_ref().ok_or(InstanceError::NoRelease)?;
    let release = configuration.release_directory(url);
    log.say(&format!("Installing Computer Partition {}...", partition.id));
    space::check(&directory, configuration.instance_minimum_space, "instance_min_free_space")?;
    if !directory.is_dir() {
        return Err(InstanceError::Missing { path: directory });
    }
    link_release(&directory, &release).map_err(|source| InstanceError::File {
        what: "link",
        path: directory.join("software_release"),
        source,
    })?;
    check_mode(&directory)?;
    write_profile(node, partition, url, &release, &directory)?;
    let (engine, arguments) = engine(node, partition, &release, &directory, log)?;
    let build = Build {
        subject: partition.id.to_string(),
        directory: directory.clone(),
        engine,
        arguments,
        limit: configuration.partition_timeout,
        attached: options.debug,
    };
    build.run(node, &mut |line| log.info(line))?;
    note_retention(partition, &release, &directory)
}

fn link_release(directory: &Utf8Path, release: &Utf8Path) -> io::Result<()> {
    let link = directory.join("software_release");
    match fs::symlink_metadata(&link) {
        Ok(metadata) if !metadata.is_symlink() => return Ok(()),
        Ok(_) if fs::read_link(&link)? == release => return Ok(()),
        Ok(_) => fs::remove_file(&link)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    fs_err::os::unix::fs::symlink(release, &link)?;
    give(directory, &link)
}

/// Gives `path` to the owner of the partition, when this process is root.
fn give(directory: &Utf8Path, path: &Utf8Path) -> io::Result<()> {
    match account_of(directory)? {
        Some(account) => files::give(path, &account),
        None => Ok(()),
    }
}

/// Whether a partition's directory is there, with the mode that it must have.
pub(crate) fn is_fit(directory: &Utf8Path) -> bool {
    directory.is_dir() && check_mode(directory).is_ok()
}

fn check_mode(directory: &Utf8Path) -> Result<(), InstanceError> {
    let metadata = fs::metadata(directory).map_err(|source| InstanceError::File {
        what: "look at",
        path: directory.to_owned(),
        source,
    })?;
    let actual = metadata.permissions().mode() & 0o7777;
    if actual == MODE {
        return Ok(());
    }
    Err(InstanceError::Mode { path: directory.to_owned(), actual, wanted: MODE })
}

fn write_profile(
    node: &Node,
    partition: &Partition,
    url: &SoftwareUrl,
    release: &Utf8Path,
    directory: &Utf8Path,
) -> Result<(), InstanceError> {
    if !release.exists() {
        return Err(InstanceError::ReleaseMissing { url: url.clone() });
    }
    let names = ["instance.cfg", "template.cfg"];
    let mut text = None;
    for path in names.map(|name| release.join(name)) {
        text = files::read_text_if_present(&path).map_err(|source| InstanceError::File {
            what: "read",
            path,
            source,
        })?;
        if text.is_some() {
            break;
        }
    }
    let Some(text) = text else {
        return Err(InstanceError::ProfileMissing { url: url.clone(), path: release.join(names[0]) });
    };
    let path = directory.join("buildout.cfg");
    let text = format!("{text}\n\n{}", profile::tail(&node.configuration, partition, url));
    let write = || {
        files::replace(&path, text, 0o640)?;
        // Only its group may read it: it is the partition's.
        match account_of(directory)? {
            Some(_) => fs_err::os::unix::fs::chown(&path, None, Some(fs::metadata(directory)?.gid())),
            None => Ok(()),
        }
    };
    write().map_err(|source| InstanceError::File { what: "write", path: path.clone(), source })
}

/// The engine for this instance and its arguments: the release's own when it brings one, else that of this node.
fn engine(
    node: &Node,
    partition: &Partition,
    release: &Utf8Path,
    directory: &Utf8Path,
    log: &mut InstanceLog<'_>,
) -> Result<(Vec<OsString>, Vec<OsString>), InstanceError> {
    let arguments = vec![OsString::from("-U")];
    let bin = release.join("bin");
    let mut candidates = Vec::new();
    if bin.is_dir() {
        let failed = |source| InstanceError::File { what: "read", path: bin.clone(), source };
        for entry in bin.read_dir_utf8().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name().starts_with("bootstrap") {
                candidates.push(entry.into_path());
            }
        }
    }
    match candidates.as_slice() {
        [] => Ok((node.configuration.engine.clone(), arguments)),
        [bootstrap] => {
            let own = own_engine(node, partition, bootstrap, directory, log)?;
            Ok((vec![own.into_string().into()], arguments))
        }
        _ => Err(InstanceError::Bootstrap { path: bin }),
    }
}

/// Runs the bootstrap that a release brings; it makes the engine of the partition.
fn own_engine(
    node: &Node,
    partition: &Partition,
    bootstrap: &Utf8Path,
    directory: &Utf8Path,
    log: &mut InstanceLog<'_>,
) -> Result<Utf8PathBuf, InstanceError> {
    log.say(&format!("Bootstrapping with {bootstrap}"));
    let build = Build {
        subject: partition.id.to_string(),
        directory: directory.to_owned(),
        engine: vec![bootstrap.as_os_str().to_owned()],
        arguments: Vec::new(),
        limit: node.configuration.partition_timeout,
        attached: false,
    };
    build.run(node, &mut |line| log.info(line))?;
    let engine = directory.join("sbin/buildout");
    if engine.exists() {
        return Ok(engine);
    }
    Err(InstanceError::File { what: "find", path: engine, source: io::ErrorKind::NotFound.into() })
}

/// Writes once how long the instance is kept after its destruction was asked: later requests cannot shorten it.
fn note_retention(
    partition: &Partition,
    release: &Utf8Path,
    directory: &Utf8Path,
) -> Result<(), InstanceError> {
    let path = directory.join(".slapos-retention-lock-delay");
    if path.exists() {
        return Ok(());
    }
    let days = partition
        .filter
        .get("retention_delay")
        .and_then(|text| text.trim().parse::<f64>().ok())
        .unwrap_or(0.0);
    let write = || {
        files::replace(&path, format!("{days:?}"), 0o644)?;
        match account_of(release)? {
            Some(account) => files::give(&path, &account),
            None => Ok(()),
        }
    };
    write().map_err(|source| InstanceError::File { what: "write", path: path.clone(), source })
}
