//! Archives: recognising and unpacking them without letting one write outside its directory.

use std::io::{self, BufReader, Read, Seek};

use buildout::RecipeError;
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use liblzma::stream::{CONCATENATED, Stream};

use crate::output_file::{create_directory, refused};

/// What to do with a directory that holds everything in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TopDirectory {
    /// Keep it.
    Keep,
    /// Take it away; an archive without one is refused.
    Strip,
    /// Take it away if there is one.
    StripIfSingle,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Tar,
    TarGzip,
    TarBzip2,
    TarXz,
    TarLzip,
    Zip,
}

/// Whether a file is an archive that [`unpack`] understands, by its content.
///
/// # Errors
/// It cannot be read.
pub(crate) fn is_archive(path: &Utf8Path) -> io::Result<bool> {
    Ok(format(path)?.is_some())
}

fn format(path: &Utf8Path) -> io::Result<Option<Format>> {
    let mut start = Vec::new();
    fs::File::open(path)?.take(512).read_to_end(&mut start)?;
    let found = [
        (&b"\x1f\x8b"[..], Format::TarGzip),
        (&b"BZh"[..], Format::TarBzip2),
        (&b"\xfd7zXZ\0"[..], Format::TarXz),
        (&b"LZIP"[..], Format::TarLzip),
        (&b"PK\x03\x04"[..], Format::Zip),
    ]
    .into_iter()
    .find(|(magic, _)| start.starts_with(magic));
    if let Some((_, format)) = found {
        return Ok(Some(format));
    }
    Ok((start.get(257..262) == Some(b"ustar")).then_some(Format::Tar))
}

/// Unpacks an archive into `directory`, creating it, and gives what it put there. Entries with absolute names or `..`, and links that lead out of
/// the directory, are not unpacked; owners are not restored.
///
/// # Errors
/// The file is no archive, is damaged, or the directory cannot be written; and no single top directory where one is to
/// be taken away.
pub(crate) fn unpack(
    archive: &Utf8Path,
    directory: &Utf8Path,
    top: TopDirectory,
) -> Result<Vec<Utf8PathBuf>, RecipeError> {
    let format = format(archive).map_err(|error| refused(archive, error))?;
    let format = format.ok_or_else(|| {
        RecipeError::new("the file is no archive that can be unpacked")
            .option("url")
            .hint("tar archives (plain, gzip, bzip2, xz, lzip) and zip archives are understood")
    })?;
    let parent = directory.parent().unwrap_or(directory);
    create_directory(parent, 0o777)?;
    // Unpacked beside its place, so that the top directory can be taken away by moving.
    let scratch = tempfile::Builder::new()
        .prefix(".unpack-")
        .tempdir_in(parent)
        .map_err(|error| refused(parent, error))?;
    let scratch_path = Utf8Path::from_path(scratch.path())
        .ok_or_else(|| RecipeError::new("the name of the temporary directory is not UTF-8"))?;
    let damaged = |error: io::Error| {
        RecipeError::new("the archive cannot be unpacked")
            .because(error)
            .option("url")
            .hint("check that the address gives the whole archive, and that the disk is not full")
    };
    extract(archive, scratch_path, format).map_err(damaged)?;
    let content = content_root(scratch_path, top)?;
    let unpacked = names(&content).and_then(|names| {
        move_into(&content, directory)?;
        Ok(names.iter().map(|name| directory.join(name)).collect())
    });
    unpacked.map_err(|error| refused(directory, error))
}

fn names(directory: &Utf8Path) -> io::Result<Vec<String>> {
    directory.read_dir_utf8()?.map(|entry| Ok(entry?.file_name().to_owned())).collect()
}

fn extract(archive: &Utf8Path, into: &Utf8Path, format: Format) -> io::Result<()> {
    let reader = BufReader::new(fs::File::open(archive)?);
    match format {
        Format::Tar => extract_tar(reader, into),
        // A compressed file that holds no tar archive is the file itself, which is refused as damaged.
        Format::TarGzip => extract_tar(flate2::read::MultiGzDecoder::new(reader), into),
        Format::TarBzip2 => extract_tar(bzip2::read::MultiBzDecoder::new(reader), into),
        Format::TarXz => extract_tar(liblzma::read::XzDecoder::new_multi_decoder(reader), into),
        Format::TarLzip => {
            let stream = Stream::new_lzip_decoder(u64::MAX, CONCATENATED).map_err(io::Error::other)?;
            extract_tar(liblzma::read::XzDecoder::new_stream(reader, stream), into)
        }
        Format::Zip => extract_zip(reader, into),
    }
}

fn extract_tar(reader: impl Read, into: &Utf8Path) -> io::Result<()> {
    let mut archive = tar::Archive::new(reader);
    archive.set_preserve_permissions(false);
    archive.set_preserve_mtime(true);
    archive.set_unpack_xattrs(false);
    // This refuses absolute names, `..`, and writing through links.
    archive.unpack(into)
}

fn extract_zip(reader: impl Read + Seek, into: &Utf8Path) -> io::Result<()> {
    let mut archive = zip::ZipArchive::new(reader).map_err(io::Error::other)?;
    archive.extract(into).map_err(io::Error::other)
}

/// The directory whose entries are the content of the archive.
fn content_root(scratch: &Utf8Path, top: TopDirectory) -> Result<Utf8PathBuf, RecipeError> {
    let mut entries = scratch.read_dir_utf8().map_err(|error| refused(scratch, error))?;
    let single = match (entries.next(), entries.next()) {
        (Some(Ok(only)), None) if only.path().is_dir() && !only.path().is_symlink() => Some(only.into_path()),
        _ => None,
    };
    match (top, single) {
        (TopDirectory::Keep, _) | (TopDirectory::StripIfSingle, None) => Ok(scratch.to_owned()),
        (_, Some(single)) => Ok(single),
        (TopDirectory::Strip, None) => {
            Err(RecipeError::new("the archive has no single top directory to strip")
                .option("strip-top-level-dir")
                .hint("write `strip-top-level-dir = false`"))
        }
    }
}

fn move_into(content: &Utf8Path, directory: &Utf8Path) -> io::Result<()> {
    host::files::ensure_directory(directory, 0o777)?;
    for entry in content.read_dir_utf8()? {
        let entry = entry?;
        let target = directory.join(entry.file_name());
        if entry.file_type()?.is_dir() && target.is_dir() {
            move_into(entry.path(), &target)?;
        } else {
            host::files::remove_tree(&target)?;
            fs::rename(entry.path(), &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(directory.path().to_owned()).unwrap();
        (directory, path)
    }

    fn tar_gz(path: &Utf8Path, files: &[(&str, &str)]) {
        let encoder =
            flate2::write::GzEncoder::new(fs::File::create(path).unwrap(), flate2::Compression::fast());
        let mut builder = tar::Builder::new(encoder);
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            // `set_path` refuses names that lead outside.
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, content.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap();
    }

    #[test]
    fn a_single_top_directory_is_taken_away() {
        let (_guard, root) = scratch();
        tar_gz(&root.join("a.tgz"), &[("pkg-1/README", "hello"), ("pkg-1/src/x", "y")]);

        unpack(&root.join("a.tgz"), &root.join("out"), TopDirectory::StripIfSingle).unwrap();

        assert_eq!(fs::read_to_string(root.join("out/README")).unwrap(), "hello");
        assert_eq!(fs::read_to_string(root.join("out/src/x")).unwrap(), "y");
        assert_eq!(fs::read_dir(&root).unwrap().count(), 2);
    }

    #[test]
    fn stripping_what_has_no_single_top_is_refused() {
        let (_guard, root) = scratch();
        tar_gz(&root.join("a.tgz"), &[("a", "1"), ("b", "2")]);

        let error = unpack(&root.join("a.tgz"), &root.join("out"), TopDirectory::Strip).unwrap_err();

        assert_eq!(error.to_string(), "the archive has no single top directory to strip");
        assert!(!root.join("out").exists());
    }

    #[test]
    fn entries_cannot_leave_the_directory() {
        let (_guard, root) = scratch();
        tar_gz(&root.join("a.tgz"), &[("../escaped", "1"), ("kept", "2")]);

        unpack(&root.join("a.tgz"), &root.join("deep/out"), TopDirectory::Keep).unwrap();

        assert!(!root.join("escaped").exists() && !root.join("deep/escaped").exists());
        assert_eq!(fs::read_to_string(root.join("deep/out/kept")).unwrap(), "2");
    }

    #[test]
    fn text_is_no_archive_and_a_cut_archive_is_refused() {
        let (_guard, root) = scratch();
        host::files::replace(&root.join("text"), "just text", 0o644).unwrap();
        tar_gz(&root.join("a.tgz"), &[("a", &"long content ".repeat(1000))]);
        let whole = fs::read(root.join("a.tgz")).unwrap();
        host::files::replace(&root.join("cut.tgz"), &whole[..whole.len() / 2], 0o644).unwrap();

        assert!(!is_archive(&root.join("text")).unwrap());
        assert!(unpack(&root.join("text"), &root.join("out"), TopDirectory::Keep).is_err());
        assert!(unpack(&root.join("cut.tgz"), &root.join("out"), TopDirectory::Keep).is_err());
        assert!(!root.join("out").exists());
    }
}
