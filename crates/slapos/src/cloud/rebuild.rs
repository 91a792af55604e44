//! Building a release again because its files on this machine changed.
//!
//! A release is complete for ever once it is installed: that is right for an address, whose content does not change.
//! Who edits a profile beside them and says `slapos up` means the edited one.

use std::time::SystemTime;

use camino::Utf8Path;
use slap::{Computer, SoftwareUrl};

use crate::cloud::Cloud;

/// More files than that are not beside a profile; a whole tree is not searched.
const MOST_FILES: usize = 2000;

/// Whether the release is installed, is on this machine, and a file beside its profile is newer than the installation.
pub(crate) fn is_outdated(cloud: &Cloud, release: &SoftwareUrl) -> bool {
    let profile = Utf8Path::new(release.as_str());
    let completed = modified(&cloud.software_root().join(release.md5()).join(".completed"));
    let (Some(completed), Some(directory)) = (completed, profile.parent()) else { return false };
    profile.is_absolute() && newest(directory, &mut 0).is_some_and(|newest| newest > completed)
}

/// Makes the node take the release for unfinished, and its instances for outdated. What is built is kept, and built
/// again only where it differs.
pub(crate) fn forget(cloud: &Cloud, release: &SoftwareUrl, computer: &Computer) -> std::io::Result<()> {
    host::files::remove_if_present(&cloud.software_root().join(release.md5()).join(".completed"))?;
    for partition in
        computer.partitions.iter().filter(|partition| partition.release.as_ref() == Some(release))
    {
        let directory = cloud.instance_root().join(partition.id.as_str());
        host::files::remove_if_present(&directory.join(".timestamp"))?;
    }
    Ok(())
}

/// When the last changed file of a tree was; hidden files do not count.
fn newest(directory: &Utf8Path, count: &mut usize) -> Option<SystemTime> {
    let mut newest = None;
    for entry in directory.read_dir_utf8().ok()?.flatten() {
        *count += 1;
        if *count > MOST_FILES {
            break;
        }
        if entry.file_name().starts_with('.') {
            continue;
        }
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let found = if is_directory { self::newest(entry.path(), count) } else { modified(entry.path()) };
        newest = newest.max(found);
    }
    newest
}

fn modified(path: &Utf8Path) -> Option<SystemTime> {
    fs_err::metadata(path).and_then(|metadata| metadata.modified()).ok()
}
