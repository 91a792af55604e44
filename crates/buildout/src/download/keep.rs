//! Putting files where they belong: written beside, checked, synced and renamed, so that what is there is whole.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use shacache::{Algorithm, Hashes};
use tempfile::NamedTempFile;

use super::{Download, DownloadError, Downloaded, Mismatch, Place};

/// A file to receive into, beside the place where it will be; one that is killed meanwhile is swept away later.
pub(super) fn new_file(beside: Option<&Utf8Path>, url: &str) -> Result<NamedTempFile, DownloadError> {
    let file = match beside {
        Some(directory) => crate::unfinished::file_in(directory),
        None => tempfile::Builder::new().prefix("download-").tempfile(),
    };
    let place = beside.map_or_else(String::new, |directory| format!(" in {directory}"));
    file.map_err(|error| DownloadError::File {
        doing: format!("keep what {url} sends{place}"),
        // The message has a name in it that means nothing to anybody.
        source: io::Error::from(error.kind()),
    })
}

/// Gives a received file its name.
pub(super) fn keep(file: NamedTempFile, path: &Utf8Path) -> Result<(), DownloadError> {
    finish(&utf8(file.path())?)?;
    let error = |source| DownloadError::File { doing: format!("write {path}"), source };
    file.persist(path).map_err(|failed| error(failed.error))?;
    Ok(())
}

/// Makes a received file one that others may read, and waits until it is on the disk.
pub(super) fn finish(path: &Utf8Path) -> Result<(), DownloadError> {
    use std::os::unix::fs::PermissionsExt;
    let finished = fs::File::open(path).and_then(|file| {
        file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
        file.sync_all()
    });
    finished.map_err(|source| DownloadError::File { doing: format!("write {path}"), source })
}

/// Puts a file that stays where it is at the destination, if there is one.
pub(super) fn deliver(download: &Download, path: Utf8PathBuf) -> Result<Downloaded, DownloadError> {
    let Some(destination) = &download.destination else {
        return Ok(Downloaded { path, temporary: None });
    };
    let error = |source| DownloadError::File { doing: format!("put {path} at {destination}"), source };
    if same_file(&path, destination) {
        return Ok(Downloaded { path: destination.clone(), temporary: None });
    }
    host::files::remove_if_present(destination).map_err(error)?;
    if fs::hard_link(&path, destination).is_err() {
        // Another file system, or one without links.
        fs::copy(&path, destination).map_err(error)?;
    }
    Ok(Downloaded { path: destination.clone(), temporary: None })
}

fn same_file(left: &Utf8Path, right: &Utf8Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (fs::metadata(left), fs::symlink_metadata(right)) {
        (Ok(left), Ok(right)) => left.ino() == right.ino() && left.dev() == right.dev(),
        _ => false,
    }
}

/// The algorithms by which a download is checked.
pub(super) fn algorithms(download: &Download) -> Vec<Algorithm> {
    download.checksums.iter().map(|checksum| checksum.algorithm).collect()
}

/// Refuses content that is not what the download expects.
pub(super) fn check(
    download: &Download,
    place: Place,
    hashes: &Hashes,
    content_type: Option<String>,
) -> Result<(), DownloadError> {
    for expected in &download.checksums {
        if let Some(actual) = hashes.checksum(expected.algorithm)
            && actual != *expected
        {
            return Err(DownloadError::Checksum(Box::new(Mismatch {
                url: download.url.clone(),
                place,
                expected: expected.clone(),
                actual,
                content_type,
                size: hashes.size(),
            })));
        }
    }
    Ok(())
}

/// Checks a file of this machine. Without checksums it is enough that it is there.
pub(super) fn check_file(download: &Download, path: &Utf8Path, place: Place) -> Result<(), DownloadError> {
    let hashes = host::files::open_to_read(path).and_then(|mut file| match download.is_checked() {
        true => Hashes::of(&mut file, &algorithms(download)),
        false => Ok(Hashes::default()),
    });
    let error = |source: io::Error| DownloadError::File { doing: format!("read {path}"), source };
    check(download, place, &hashes.map_err(error)?, None)
}

pub(super) fn utf8(path: &std::path::Path) -> Result<Utf8PathBuf, DownloadError> {
    Utf8PathBuf::from_path_buf(path.to_owned()).map_err(|path| DownloadError::File {
        doing: format!("use {}", path.display()),
        source: io::Error::from(io::ErrorKind::InvalidData),
    })
}
