//! The files of an index: fetched and checked, or used where they are.

use camino::{Utf8Path, Utf8PathBuf};
use host::files;

use super::super::error::EggError;
use super::Index;
use super::candidate::Candidate;
use super::checked::{check_file, copy};
use super::links::local_path;

impl Index {
    /// The metadata of a wheel, when it can be had apart; `None` means that the wheel itself must be looked at.
    #[must_use]
    pub(in crate::eggs) fn metadata(&self, candidate: &Candidate) -> Option<String> {
        let checksum = candidate.metadata.as_ref().filter(|_| candidate.url.scheme() != "file")?;
        let mut url = candidate.url.clone();
        url.set_path(&format!("{}.metadata", url.path()));
        let scratch = tempfile::tempdir().ok()?;
        let target = Utf8PathBuf::try_from(scratch.path().join("METADATA")).ok()?;
        match self.fetcher().and_then(|fetcher| fetcher.file(&url, checksum.as_ref(), &target)) {
            Ok(()) => files::read_text_if_present(&target).ok().flatten(),
            Err(error) => {
                tracing::debug!(%error, "metadata that is offered cannot be had");
                None
            }
        }
    }

    /// Puts a file into `directory` unless the same is there already, and gives its path. A file of this machine is
    /// used where it is.
    ///
    /// # Errors
    /// It cannot be had, or is not the one that was promised.
    pub(in crate::eggs) fn download(
        &self,
        candidate: &Candidate,
        directory: &Utf8Path,
    ) -> Result<Utf8PathBuf, EggError> {
        if let Some(path) = local_path(&candidate.url) {
            check_file(&path, candidate.checksum.as_ref())?;
            return Ok(path);
        }
        self.keep(candidate, directory)
    }

    /// As [`Index::download`], but a file of this machine is copied, too. A directory is used where it is.
    ///
    /// # Errors
    /// As [`Index::download`].
    pub(in crate::eggs) fn keep(
        &self,
        candidate: &Candidate,
        directory: &Utf8Path,
    ) -> Result<Utf8PathBuf, EggError> {
        let local = local_path(&candidate.url);
        if let Some(path) = &local
            && (path.is_dir() || path.parent() == Some(directory))
        {
            return Ok(path.clone());
        }
        files::ensure_directory(directory, 0o755).map_err(|source| EggError::Io {
            action: "create",
            path: directory.to_owned(),
            source,
        })?;
        let target = directory.join(&candidate.file_name);
        if target.is_file()
            && candidate.checksum.is_some()
            && check_file(&target, candidate.checksum.as_ref()).is_ok()
        {
            return Ok(target);
        }
        match local {
            Some(path) => {
                check_file(&path, candidate.checksum.as_ref())?;
                copy(&path, &target)?;
            }
            None => self.fetcher()?.file(&candidate.url, candidate.checksum.as_ref(), &target)?,
        }
        Ok(target)
    }
}
