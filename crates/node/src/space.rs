//! Room on the disk before anything is begun.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use crate::configuration::size;

/// There is too little room, or it is not known how much there is.
#[derive(Debug, thiserror::Error)]
pub enum SpaceError {
    /// Less than the operator asks for.
    #[error(
        "Not enough space for {path}: available {}, required {} (option '{option}')",
        size::print(*available),
        size::print(*required)
    )]
    Low {
        /// What was to be written.
        path: Utf8PathBuf,
        /// Bytes that an ordinary user may still write there.
        available: u64,
        /// Bytes asked for.
        required: u64,
        /// The option that asks for them.
        option: &'static str,
    },
    /// The file system does not say.
    #[error("cannot tell how much space is left for {path}")]
    Unknown {
        /// What was to be written.
        path: Utf8PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Whether `required` bytes are available for `path`.
///
/// # Errors
/// They are not.
pub(crate) fn check(path: &Utf8Path, required: u64, option: &'static str) -> Result<(), SpaceError> {
    let available = host::disk::available(path)
        .map_err(|source| SpaceError::Unknown { path: path.to_owned(), source })?;
    if available < required {
        return Err(SpaceError::Low { path: path.to_owned(), available, required, option });
    }
    Ok(())
}

/// Whether something failed because the disk, or what the user may use of it, is full.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_room_names_path_amounts_and_option() {
        let root = Utf8Path::new("/");

        assert!(check(root, 0, "software_min_free_space").is_ok());
        let error = check(root, u64::MAX, "software_min_free_space").unwrap_err().to_string();

        assert!(error.starts_with("Not enough space for /: available "), "{error}");
        assert!(
            error.ends_with(" YB (option 'software_min_free_space')") || error.contains("16.0 EB"),
            "{error}"
        );
    }
}
