//! Space on file systems.

use std::io;

use camino::Utf8Path;

/// Bytes that an ordinary user may still write where `path` is, or will be: a path that does not exist yet is on the
/// file system of its nearest existing ancestor.
///
/// # Errors
/// The file system cannot be asked.
pub fn available(path: &Utf8Path) -> io::Result<u64> {
    let mut place = path;
    loop {
        match nix::sys::statvfs::statvfs(place.as_std_path()) {
            #[expect(
                clippy::useless_conversion,
                reason = "the width of these counts differs between platforms"
            )]
            Ok(facts) => return Ok(u64::from(facts.blocks_available()) * u64::from(facts.fragment_size())),
            Err(nix::errno::Errno::ENOENT) => match place.parent() {
                Some(parent) if !parent.as_str().is_empty() => place = parent,
                _ => return Err(nix::errno::Errno::ENOENT.into()),
            },
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_does_not_exist_is_where_its_ancestor_is() {
        let directory = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(directory.path()).unwrap();

        assert!(available(root).unwrap() > 0);
        assert!(available(&root.join("not/yet/here")).unwrap() > 0);
    }
}
