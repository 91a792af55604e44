//! Archives of distributions, wheels and eggs alike: names that stay inside, and no more content than is believable.

use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::files;
use shacache::Hashes;
use zip::ZipArchive;

use super::error::EggError;
use super::record::Record;

/// The longest text that is read: metadata, entry points, scripts.
const LONGEST_TEXT: u64 = 16 << 20;
/// An archive may always have so much content, however small it is itself.
const ALWAYS: u64 = 64 << 20;
/// Beyond that, it may have so many times its own size. Programs are pressed to a tenth; even texts that repeat
/// themselves seldom to a hundredth.
const MOST_TIMES: u64 = 200;

/// An archive that was opened and whose names were checked.
pub(super) struct Archive {
    path: Utf8PathBuf,
    zip: ZipArchive<fs::File>,
    names: Vec<String>,
    /// The most that its content may be.
    most: u64,
}

impl Archive {
    /// Opens an archive and checks that each of its names stays inside and is there once.
    ///
    /// # Errors
    /// It cannot be read, or is none that may be unpacked.
    pub(super) fn open(path: &Utf8Path) -> Result<Self, EggError> {
        let damaged = |reason: String| EggError::Damaged { path: path.to_owned(), reason };
        let failed = |source| EggError::Io { action: "read", path: path.to_owned(), source };
        let file = fs::File::open(path).map_err(failed)?;
        let most = file.metadata().map_err(failed)?.len().saturating_mul(MOST_TIMES).max(ALWAYS);
        let zip = ZipArchive::new(file).map_err(|error| damaged(error.to_string()))?;
        if zip.has_duplicate_names() {
            return Err(damaged("it has two entries of one name".to_owned()));
        }
        let mut names = Vec::with_capacity(zip.len());
        for name in zip.file_names() {
            let name = name.map_err(|error| damaged(error.to_string()))?.into_owned();
            if !stays_inside(&name) {
                return Err(damaged(format!("`{name}` points outside of it")));
            }
            names.push(name);
        }
        Ok(Self { path: path.to_owned(), zip, names, most })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The names of its entries.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// An error that says what is wrong with it.
    pub(super) fn damaged(&self, reason: impl Into<String>) -> EggError {
        EggError::Damaged { path: self.path.clone(), reason: reason.into() }
    }

    /// The text of an entry, if there is one; bytes that are not UTF-8 are replaced.
    ///
    /// # Errors
    /// It cannot be read, or is too long for a text.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, EggError> {
        if self.zip.index_for_name(name).is_none() {
            return Ok(None);
        }
        let damaged = |reason: String| EggError::Damaged {
            path: self.path.clone(),
            reason: format!("{name}: {reason}"),
        };
        let entry = self.zip.by_name(name).map_err(|error| damaged(error.to_string()))?;
        let mut content = Vec::new();
        entry.take(LONGEST_TEXT + 1).read_to_end(&mut content).map_err(|error| damaged(error.to_string()))?;
        if content.len() as u64 > LONGEST_TEXT {
            return Err(damaged(format!("it is longer than {LONGEST_TEXT} bytes")));
        }
        Ok(Some(String::from_utf8_lossy(&content).into_owned()))
    }

    /// Unpacks it into a directory that nobody else knows yet; `place` says where each entry goes in there, if anywhere,
    /// and `record`, if there is one, what each entry must be. What fails half-way is left for the caller to remove.
    ///
    /// # Errors
    /// It is damaged, has links or too much content, or something cannot be written.
    pub(super) fn unpack(
        &mut self,
        target: &Utf8Path,
        record: Option<&Record>,
        place: impl Fn(&str) -> Option<Utf8PathBuf>,
    ) -> Result<(), EggError> {
        let mut left = self.most;
        for index in 0..self.names.len() {
            let damaged = |reason: String| EggError::Damaged { path: self.path.clone(), reason };
            let too_much =
                || damaged(format!("it holds more than {} bytes, which is not believable", self.most));
            let mut entry = self.zip.by_index(index).map_err(|error| damaged(error.to_string()))?;
            let name = &self.names[index];
            if entry.is_dir() {
                continue;
            }
            if entry.is_symlink() {
                return Err(damaged(format!("`{name}` is a symbolic link")));
            }
            let promised = record.map(|record| record.checksum(name)).transpose().map_err(damaged)?.flatten();
            let Some(relative) = place(name) else { continue };
            let mode = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
            let path = target.join(relative);
            // One byte more than may be, so that more is noticed.
            let mut content = Hashing {
                content: Read::by_ref(&mut entry).take(left.saturating_add(1)),
                hashes: Hashes::new(promised.as_ref().map(|promised| promised.algorithm).as_slice()),
            };
            let written = write(&path, &mut content, if mode { 0o755 } else { 0o644 });
            match written {
                Ok(count) if count > left => return Err(too_much()),
                Ok(count) => left -= count,
                Err(EggError::Io { source, .. }) if source.kind() == io::ErrorKind::InvalidData => {
                    return Err(damaged(format!("`{name}`: {source}")));
                }
                Err(error) => return Err(error),
            }
            if let Some(promised) = promised
                && content.hashes.checksum(promised.algorithm).as_ref() != Some(&promised)
            {
                return Err(damaged(format!("`{name}` is not the file that its RECORD lists")));
            }
        }
        Ok(())
    }
}

/// Content that is hashed while it is read.
struct Hashing<R> {
    content: R,
    hashes: Hashes,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        self.hashes.update(&buffer[..count]);
        Ok(count)
    }
}

/// Whether a name of an archive leads to a place inside of the directory that it is unpacked into.
#[must_use]
pub(super) fn stays_inside(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(['\\', '\0'])
        && Utf8Path::new(name).components().all(|component| matches!(component, Utf8Component::Normal(_)))
}

/// Writes a file, with the directories that it needs, where nobody else looks yet; gives how many bytes it has.
///
/// # Errors
/// Something cannot be read or written.
pub(super) fn write(path: &Utf8Path, content: &mut dyn Read, mode: u32) -> Result<u64, EggError> {
    let mut written = || -> io::Result<u64> {
        if let Some(directory) = path.parent() {
            files::ensure_directory(directory, 0o755)?;
        }
        // Two entries may have the same place, as in several schemes of the data directory; the last one holds.
        let mut file = fs::File::create(path)?;
        let count = io::copy(content, &mut file)?;
        file.set_permissions(std::fs::Permissions::from_mode(mode))?;
        Ok(count)
    };
    written().map_err(|source| EggError::Io { action: "write", path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::write::SimpleFileOptions;

    use super::*;

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(directory.path().to_owned()).unwrap();
        (directory, path)
    }

    fn zip(path: &Utf8Path, fill: impl FnOnce(&mut zip::ZipWriter<fs::File>)) {
        let mut writer = zip::ZipWriter::new(fs::File::create(path).unwrap());
        fill(&mut writer);
        writer.finish().unwrap();
    }

    /// Replaces bytes of a file by as many others.
    fn change(path: &Utf8Path, from: &[u8], to: &[u8]) {
        let mut bytes = fs::read(path).unwrap();
        for start in 0..=bytes.len() - from.len() {
            if bytes[start..].starts_with(from) {
                bytes[start..start + from.len()].copy_from_slice(to);
            }
        }
        fs::write(path, bytes).unwrap();
    }

    fn unpack(path: &Utf8Path, target: &Utf8Path) -> String {
        let unpacked = Archive::open(path)
            .and_then(|mut archive| archive.unpack(target, None, |name| Some(name.into())));
        let error = unpacked.unwrap_err();
        assert_eq!(error.code(), "E-eggs-damaged", "{error}");
        error.to_string()
    }

    #[test]
    fn links_are_refused() {
        let (_guard, root) = scratch();
        let path = root.join("a.zip");
        zip(&path, |writer| {
            writer.add_symlink("link", "/etc", SimpleFileOptions::default()).unwrap();
            writer.start_file("link/passwd", SimpleFileOptions::default()).unwrap();
        });

        let message = unpack(&path, &root.join("out"));

        assert!(message.contains("`link` is a symbolic link"), "{message}");
    }

    #[test]
    fn a_name_that_is_there_twice_is_refused() {
        let (_guard, root) = scratch();
        let path = root.join("a.zip");
        zip(&path, |writer| {
            for name in ["one.py", "two.py"] {
                writer.start_file(name, SimpleFileOptions::default()).unwrap();
            }
        });
        change(&path, b"two.py", b"one.py");

        let message = Archive::open(&path).err().unwrap().to_string();

        assert!(message.contains("two entries of one name"), "{message}");
    }

    #[test]
    fn more_content_than_is_believable_is_refused_wherever_it_is() {
        let (_guard, root) = scratch();
        let path = root.join("a.zip");
        let zeros = vec![0; 1 << 20];
        zip(&path, |writer| {
            writer.start_file("bomb", SimpleFileOptions::default()).unwrap();
            for _ in 0..100 {
                writer.write_all(&zeros).unwrap();
            }
        });
        let out = root.join("out");

        let message = unpack(&path, &out);

        assert!(message.contains("not believable"), "{message}");
        assert!(fs::metadata(out.join("bomb")).unwrap().len() <= ALWAYS + 1);
        let message = Archive::open(&path).unwrap().text("bomb").unwrap_err().to_string();
        assert!(message.contains("longer than"), "{message}");
    }

    #[test]
    fn what_was_changed_on_the_way_is_noticed() {
        let (_guard, root) = scratch();
        let path = root.join("a.zip");
        let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip(&path, |writer| {
            writer.start_file("a", stored).unwrap();
            writer.write_all(b"content").unwrap();
        });
        change(&path, b"content", b"CONTENT");

        let message = unpack(&path, &root.join("out"));

        assert!(message.contains("`a`: "), "{message}");
    }

    #[test]
    fn a_text_need_not_be_utf_8() {
        let (_guard, root) = scratch();
        let path = root.join("a.zip");
        zip(&path, |writer| {
            writer.start_file("METADATA", SimpleFileOptions::default()).unwrap();
            writer.write_all(b"Name: a\nAuthor: Andr\xe9\n").unwrap();
        });

        let text = Archive::open(&path).unwrap().text("METADATA").unwrap();

        assert_eq!(text.unwrap(), "Name: a\nAuthor: Andr\u{fffd}\n");
    }
}
