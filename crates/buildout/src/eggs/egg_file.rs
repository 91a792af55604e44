//! Built eggs as others distribute them: zip archives and directories whose names end in `.egg`.

use std::io::Read;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::files;
use pep508_rs::MarkerEnvironment;
use zip::ZipArchive;

use super::error::EggError;
use super::metadata::{Dependencies, Fields};
use super::wheel::{stays_inside, write};

/// A built egg, packed or not.
pub(super) enum EggFile {
    /// A directory.
    Directory(Utf8PathBuf),
    /// A zip archive whose names were checked.
    Archive(Utf8PathBuf, ZipArchive<fs::File>),
}

impl EggFile {
    /// Opens an egg and checks that each of its names stays inside.
    ///
    /// # Errors
    /// It cannot be read, or is no egg that may be unpacked.
    pub(super) fn open(path: &Utf8Path) -> Result<Self, EggError> {
        if path.is_dir() {
            return Ok(Self::Directory(path.to_owned()));
        }
        let file = fs::File::open(path).map_err(failed("read", path))?;
        let archive = ZipArchive::new(file).map_err(|error| damaged(path, error.to_string()))?;
        for entry in archive.file_names() {
            let entry = entry.map_err(|error| damaged(path, error.to_string()))?;
            if !stays_inside(&entry) {
                return Err(damaged(path, format!("`{entry}` points outside of it")));
            }
        }
        Ok(Self::Archive(path.to_owned(), archive))
    }

    /// Its name and version, and what it needs.
    ///
    /// # Errors
    /// It has no metadata, or it cannot be read.
    pub(super) fn metadata(
        &mut self,
        environment: &MarkerEnvironment,
    ) -> Result<(Fields, Dependencies), EggError> {
        let text =
            self.text("PKG-INFO")?.ok_or_else(|| damaged(self.path(), "it has no PKG-INFO".to_owned()))?;
        let fields = Fields::parse(&text);
        let requires = self.text("requires.txt")?.unwrap_or_default();
        let by = format!("{} {}", fields.name, fields.version);
        Ok((fields, Dependencies::from_requires_txt(&requires, &by, environment)?))
    }

    /// Unpacks or copies it into `target`, which must not exist.
    ///
    /// # Errors
    /// Something cannot be read or written.
    pub(super) fn unpack(&mut self, target: &Utf8Path) -> Result<(), EggError> {
        match self {
            Self::Directory(path) => copy_tree(path, target).map_err(failed("copy", path)),
            Self::Archive(path, archive) => {
                for index in 0..archive.len() {
                    let mut entry =
                        archive.by_index(index).map_err(|error| damaged(path, error.to_string()))?;
                    let name = entry.name().map_err(|error| damaged(path, error.to_string()))?.into_owned();
                    if entry.is_symlink() {
                        return Err(damaged(path, format!("`{name}` is a symbolic link")));
                    }
                    if !entry.is_dir() {
                        let executable = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
                        write(&target.join(name), &mut entry, if executable { 0o755 } else { 0o644 })?;
                    }
                }
                Ok(())
            }
        }
    }

    fn path(&self) -> &Utf8Path {
        match self {
            Self::Directory(path) | Self::Archive(path, _) => path,
        }
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, EggError> {
        let inside = format!("EGG-INFO/{name}");
        match self {
            Self::Directory(path) => {
                let path = path.join(inside);
                files::read_text_if_present(&path).map_err(failed("read", &path))
            }
            Self::Archive(path, archive) => {
                if archive.index_for_name(&inside).is_none() {
                    return Ok(None);
                }
                let mut entry = archive.by_name(&inside).map_err(|error| damaged(path, error.to_string()))?;
                let mut content = Vec::new();
                entry.read_to_end(&mut content).map_err(|error| damaged(path, error.to_string()))?;
                Ok(Some(String::from_utf8_lossy(&content).into_owned()))
            }
        }
    }
}

fn damaged(path: &Utf8Path, reason: String) -> EggError {
    EggError::Damaged { path: path.to_owned(), reason }
}

fn failed(action: &'static str, path: &Utf8Path) -> impl FnOnce(std::io::Error) -> EggError {
    let path = path.to_owned();
    move |source| EggError::Io { action, path, source }
}

/// Copies files and directories; links are followed, as what they lead to may not stay.
fn copy_tree(from: &Utf8Path, to: &Utf8Path) -> std::io::Result<()> {
    files::ensure_directory(to, 0o755)?;
    for entry in from.read_dir_utf8()? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
