//! Built eggs as others distribute them: zip archives and directories whose names end in `.egg`.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::files;
use pep508_rs::MarkerEnvironment;

use super::archive::Archive;
use super::error::EggError;
use super::metadata::{Dependencies, Fields};

/// A built egg, packed or not.
pub(super) enum EggFile {
    /// A directory.
    Directory(Utf8PathBuf),
    /// A zip archive whose names were checked.
    Archive(Box<Archive>),
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
        Ok(Self::Archive(Box::new(Archive::open(path)?)))
    }

    /// Its name and version, and what it needs.
    ///
    /// # Errors
    /// It has no metadata, or it cannot be read.
    pub(super) fn metadata(
        &mut self,
        environment: &MarkerEnvironment,
    ) -> Result<(Fields, Dependencies), EggError> {
        let text = self.text("EGG-INFO/PKG-INFO")?.ok_or_else(|| EggError::Damaged {
            path: self.path().to_owned(),
            reason: "it has no PKG-INFO".to_owned(),
        })?;
        let fields = Fields::parse(&text);
        let requires = self.text("EGG-INFO/requires.txt")?.unwrap_or_default();
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
            Self::Archive(archive) => archive.unpack(target, None, |name| Some(name.into())),
        }
    }

    /// The text of a file in it, if there is one; bytes that are not UTF-8 are replaced.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, EggError> {
        match self {
            Self::Directory(path) => {
                let path = path.join(name);
                let content = files::read_if_present(&path).map_err(failed("read", &path))?;
                Ok(content.map(|content| String::from_utf8_lossy(&content).into_owned()))
            }
            Self::Archive(archive) => archive.text(name),
        }
    }

    fn path(&self) -> &Utf8Path {
        match self {
            Self::Directory(path) => path,
            Self::Archive(archive) => archive.path(),
        }
    }
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
