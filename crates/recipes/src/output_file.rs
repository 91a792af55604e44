//! Files that recipes write: only when their content or mode differs, and never half.

use std::io;

use buildout::RecipeError;
use camino::Utf8Path;

/// Writes `content` to `path` with `mode`, unless it is there already.
///
/// # Errors
/// The directory is missing or cannot be written, or the disk is full; the message names the path and the remedy.
pub(crate) fn write(path: &Utf8Path, content: &str, mode: u32) -> Result<(), RecipeError> {
    host::files::replace_if_changed(path, content, mode).map(drop).map_err(|error| refused(path, error))
}

/// As [`write()`], creating missing parent directories.
///
/// # Errors
/// As [`write()`].
pub(crate) fn write_with_parents(path: &Utf8Path, content: &str, mode: u32) -> Result<(), RecipeError> {
    if let Some(parent) = path.parent() {
        create_directory(parent, 0o777)?;
    }
    write(path, content, mode)
}

/// Creates a directory with `mode` less the umask, its missing parents as any program would; an existing one is left
/// as it is.
///
/// # Errors
/// It cannot be created.
pub(crate) fn create_directory(path: &Utf8Path, mode: u32) -> Result<(), RecipeError> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        host::files::ensure_directory(parent, 0o777).map_err(|error| refused(path, error))?;
    }
    host::files::ensure_directory(path, mode).map_err(|error| refused(path, error))
}

/// The mode that a program gives a new file by default.
pub(crate) fn default_mode(is_executable: bool) -> u32 {
    let all = if is_executable { 0o777 } else { 0o666 };
    all & !host::process::umask()
}

/// What a person is told when `path` cannot be written.
pub(crate) fn refused(path: &Utf8Path, error: io::Error) -> RecipeError {
    let hint = match error.kind() {
        io::ErrorKind::NotFound => {
            let parent = path.parent().unwrap_or(path);
            format!("create {parent} first, for example with a part of recipe slapos.cookbook:mkdirectory")
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("let the user that runs the build write to {}", path.parent().unwrap_or(path))
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free space on the disk, then run again".to_owned()
        }
        io::ErrorKind::InvalidFilename => {
            "choose a shorter path: a name has at most 255 letters, a path 4095".to_owned()
        }
        _ => format!("look at what is at {path}"),
    };
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "E-disk-full",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "E-file-permission",
        _ => "E-file",
    };
    RecipeError::new(format!("cannot write {path}")).because(error).hint(hint).code(code)
}
