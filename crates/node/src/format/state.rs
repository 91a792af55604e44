//! The state file, and the archive of what it was before.

use std::io::{self, Cursor, Read, Write};

use camino::{Utf8Path, Utf8PathBuf};
use host::files;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// Writes the state when it differs, after putting the old one into the archive beside it.
pub(crate) fn write(path: &Utf8Path, text: &str, now: Timestamp) -> io::Result<bool> {
    let old = files::read_text_if_present(path)?;
    if old.as_deref() == Some(text) {
        return Ok(false);
    }
    if let Some(old) = old {
        archive(path, &old, now)?;
    }
    files::replace(path, text, 0o644)?;
    Ok(true)
}

fn archive(path: &Utf8Path, old: &str, now: Timestamp) -> io::Result<()> {
    let place = Utf8PathBuf::from(format!("{path}.zip"));
    let local = now.to_zoned(TimeZone::system());
    let mut entries = Vec::new();
    if let Some(bytes) = files::read_if_present(&place)? {
        match read(bytes) {
            Ok(present) => entries = present,
            Err(error) => {
                // A broken archive is kept for whoever can mend it.
                tracing::warn!("{place} cannot be read ({error}); it is put aside");
                fs_err::rename(&place, format!("{place}_broken_{}", local.strftime("%Y%m%d-%H:%M")))?;
            }
        }
    }
    let name = format!("{}.{}", path.file_name().unwrap_or("state"), local.strftime("%Y%m%d-%H:%M"));
    entries.retain(|(present, _)| *present != name);
    entries.push((name, old.as_bytes().to_vec()));
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer.start_file(name, SimpleFileOptions::default()).map_err(io::Error::other)?;
        writer.write_all(&content)?;
    }
    let bytes = writer.finish().map_err(io::Error::other)?.into_inner();
    files::replace(&place, bytes, 0o644)
}

fn read(bytes: Vec<u8>) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(io::Error::other)?;
    let mut entries = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(io::Error::other)?;
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        let name = entry.name().map_err(io::Error::other)?.into_owned();
        entries.push((name, content));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_kept_in_the_archive_and_what_does_not_writes_nothing() {
        let directory = crate::trial::directory();
        let path = directory.path().join("slapos.xml");
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let later = now + jiff::SignedDuration::from_mins(1);

        assert!(write(&path, "one", now).unwrap());
        assert!(!write(&path, "one", now).unwrap());
        assert!(!directory.exists("slapos.xml.zip"));
        assert!(write(&path, "two", now).unwrap());
        assert!(write(&path, "three", later).unwrap());

        let entries = read(fs_err::read(directory.path().join("slapos.xml.zip")).unwrap()).unwrap();
        let contents: Vec<_> = entries.iter().map(|(_, content)| String::from_utf8_lossy(content)).collect();
        assert_eq!(contents, ["one", "two"]);
        assert!(entries[0].0.starts_with("slapos.xml.2026112"), "{entries:?}");
    }

    #[test]
    fn a_broken_archive_is_put_aside() {
        let directory = crate::trial::directory();
        let path = directory.path().join("slapos.xml");
        directory.write("slapos.xml", "one", 0o644);
        directory.write("slapos.xml.zip", "no archive", 0o644);

        assert!(write(&path, "two", "2026-11-20T12:00:00Z".parse().unwrap()).unwrap());

        let names: Vec<String> = fs_err::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(names.iter().any(|name| name.starts_with("slapos.xml.zip_broken_")), "{names:?}");
        assert_eq!(read(fs_err::read(directory.path().join("slapos.xml.zip")).unwrap()).unwrap().len(), 1);
    }
}
