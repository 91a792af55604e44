//! What there is on this machine.

use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use host::files;
use host::users::{Account, group_id};

use super::plan::Observed;

/// The machine that this process runs on.
pub(crate) struct ThisMachine;

impl Observed for ThisMachine {
    fn mode(&self, path: &Utf8Path) -> Option<u32> {
        let metadata = fs_err::metadata(path).ok()?;
        metadata.is_dir().then(|| metadata.permissions().mode() & 0o7777)
    }

    fn owner(&self, path: &Utf8Path) -> Option<String> {
        Some(Account::owner_of(path).ok()?.name)
    }

    fn text(&self, path: &Utf8Path) -> Option<String> {
        files::read_text_if_present(path).ok().flatten()
    }

    fn has_group(&self, name: &str) -> bool {
        matches!(group_id(name), Ok(Some(_)))
    }

    fn has_user(&self, name: &str) -> bool {
        matches!(Account::by_name(name), Ok(Some(_)))
    }

    fn disks(&self, parent: &Utf8Path) -> Vec<Utf8PathBuf> {
        let Ok(entries) = parent.read_dir_utf8() else { return Vec::new() };
        let mut disks: Vec<Utf8PathBuf> = entries
            .flatten()
            .filter(|entry| {
                entry.file_name().strip_prefix("data").is_some_and(|number| {
                    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
                })
            })
            .map(camino::Utf8DirEntry::into_path)
            .collect();
        disks.sort();
        disks
    }
}
