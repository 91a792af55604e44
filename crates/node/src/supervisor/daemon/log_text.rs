//! Pieces of log files, cut as clients of supervisord expect them.

use std::io::{self, Read, Seek, SeekFrom};

use camino::Utf8Path;
use fs_err as fs;

use super::super::xml_rpc::{Fault, Value, code};

/// `length` bytes from `offset`, or to the end for 0; the last ones for a negative offset.
pub(super) fn read(path: Option<&Utf8Path>, offset: i64, length: i64) -> Result<Value, Fault> {
    let Some(path) = path.filter(|path| path.exists()) else {
        return Err(Fault::new(code::NO_FILE, path.map(Utf8Path::as_str).unwrap_or_default()));
    };
    if length < 0 || (offset < 0 && length != 0) {
        return Err(Fault::new(code::BAD_ARGUMENTS, ""));
    }
    let piece = size_of(path).and_then(|size| match u64::try_from(offset) {
        Ok(offset) if length == 0 => piece(path, offset, size.saturating_sub(offset)),
        Ok(offset) => piece(path, offset, length.unsigned_abs()),
        Err(_) => piece(path, size.saturating_sub(offset.unsigned_abs()), offset.unsigned_abs()),
    });
    piece.map(Value::Text).map_err(|_| Fault::new(code::FAILED, ""))
}

/// At most `length` bytes from `offset`, where the log ends, and whether it went on beyond them, in which case they
/// are its last ones.
pub(super) fn tail(path: Option<&Utf8Path>, offset: i64, length: i64) -> Value {
    let answer = |text: String, end: i64, overflow: bool| {
        Value::Array(vec![Value::Text(text), end.into(), overflow.into()])
    };
    let Some(size) = path.and_then(|path| size_of(path).ok()) else { return answer(String::new(), 0, false) };
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let (mut start, mut count) = (offset, length);
    let overflow = size > offset.saturating_add(length);
    if overflow {
        start = size - 1;
    }
    if start.saturating_add(count) > size {
        if start > size - 1 {
            count = 0;
        }
        start = size - count;
    }
    let (start, count) = (start.max(0).unsigned_abs(), count.max(0).unsigned_abs());
    let text = path.and_then(|path| piece(path, start, count).ok()).unwrap_or_default();
    answer(text, size, overflow)
}

fn size_of(path: &Utf8Path) -> io::Result<u64> {
    Ok(fs::metadata(path)?.len())
}

fn piece(path: &Utf8Path, offset: u64, length: u64) -> io::Result<String> {
    let mut file = fs::File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(content: &str) -> (tempfile::TempDir, camino::Utf8PathBuf) {
        let guard = tempfile::tempdir().unwrap();
        let path = camino::Utf8PathBuf::try_from(guard.path().join("log")).unwrap();
        host::files::replace(&path, content, 0o600).unwrap();
        (guard, path)
    }

    fn tailed(text: &str, end: i64, overflow: bool) -> Value {
        Value::Array(vec![text.into(), end.into(), overflow.into()])
    }

    #[test]
    fn pieces_are_cut_as_the_reference_cuts_them() {
        let (_guard, path) = log("0123456789");

        assert_eq!(read(Some(&path), 2, 3).unwrap(), "234".into());
        assert_eq!(read(Some(&path), 7, 0).unwrap(), "789".into());
        assert_eq!(read(Some(&path), -4, 0).unwrap(), "6789".into());
        assert_eq!(read(Some(&path), -40, 0).unwrap(), "0123456789".into());
        assert_eq!(read(Some(&path), -4, 1), Err(Fault::new(code::BAD_ARGUMENTS, "")));
        assert_eq!(read(None, 0, 0), Err(Fault::new(code::NO_FILE, "")));
    }

    #[test]
    fn a_tail_is_the_end_of_what_has_grown() {
        let (_guard, path) = log("0123456789");

        assert_eq!(tail(Some(&path), 0, 100), tailed("0123456789", 10, false));
        assert_eq!(tail(Some(&path), 0, 4), tailed("6789", 10, true));
        assert_eq!(tail(Some(&path), 10, 4), tailed("", 10, false));
        assert_eq!(tail(None, 0, 4), tailed("", 0, false));
    }
}
