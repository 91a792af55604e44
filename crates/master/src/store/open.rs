//! Opens the database: its lock, its health, its tables.

use std::io::{self, Read};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::locks::FileLock;
use rusqlite::{Connection, OptionalExtension};

use super::{OpenError, migrations};

/// "SLAP": marks the files that are databases of this master.
const APPLICATION_ID: i64 = 0x534c_4150;

/// A database that is open for writing, and locked.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) identity: String,
    _lock: FileLock,
}

impl Opened {
    /// Notes that the database was left in order, so that the next start needs no check, and empties its journal.
    pub(super) fn close(self) {
        if let Err(error) = self.connection.execute("UPDATE setting SET value = '1' WHERE name = 'clean'", [])
        {
            tracing::warn!(error = %error, "the database could not be marked as closed in order");
        }
        // The last connection would do this by itself, but some of those that read may end with the process. The journal
        // must not outlive a file that is moved away.
        let emptied = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = emptied {
            tracing::warn!(error = %error, "the journal of the database could not be emptied");
        }
    }
}

pub(super) fn open(path: &Utf8Path) -> Result<Opened, OpenError> {
    let lock = lock(path)?;
    create_private(path)?;
    let connection = Connection::open(path).map_err(|source| engine(path, source))?;
    recognise(&connection, path)?;
    prepare(&connection, path)?;
    let identity = take_over(&connection, path)?;
    Ok(Opened { connection, identity, _lock: lock })
}

pub(super) fn lock(path: &Utf8Path) -> Result<FileLock, OpenError> {
    let directory = |source| OpenError::Directory { path: path.to_owned(), source };
    let lock_path = Utf8PathBuf::from(format!("{path}-lock"));
    match FileLock::try_acquire(&lock_path).map_err(directory)? {
        Some(lock) => Ok(lock),
        None => Err(OpenError::InUse { path: path.to_owned() }),
    }
}

/// Makes the file if there is none. Parameters hold passwords: nobody else may read it.
fn create_private(path: &Utf8Path) -> Result<(), OpenError> {
    use fs::os::unix::fs::OpenOptionsExt as _;
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            Err(OpenError::Directory { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Says what kind of file it is before anything in it is changed.
fn recognise(connection: &Connection, path: &Utf8Path) -> Result<(), OpenError> {
    let failed = |source| engine(path, source);
    let id: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(failed)?;
    let mut statement =
        connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").map_err(failed)?;
    let tables: Vec<String> =
        statement.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(failed)?;
    if id == APPLICATION_ID || tables.is_empty() {
        return Ok(());
    }
    match tables.iter().find_map(|table| table.strip_prefix("partition")?.parse().ok()) {
        Some(version) if id == 0 => Err(OpenError::PythonProxy { path: path.to_owned(), version }),
        _ => Err(OpenError::Foreign { path: path.to_owned() }),
    }
}

fn prepare(connection: &Connection, path: &Utf8Path) -> Result<(), OpenError> {
    let failed = |source| engine(path, source);
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
             PRAGMA busy_timeout = 10000; PRAGMA cache_size = -2048; PRAGMA journal_size_limit = 67108864",
        )
        .map_err(failed)?;
    if !was_closed_in_order(connection).map_err(failed)? {
        check(connection, path)?;
    }
    connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    match migrations::apply(connection) {
        Ok(()) => Ok(()),
        Err(migrations::MigrationError::Newer) => Err(OpenError::Newer { path: path.to_owned() }),
        Err(migrations::MigrationError::Engine(source)) => Err(failed(source)),
    }
}

fn was_closed_in_order(connection: &Connection) -> rusqlite::Result<bool> {
    if !connection.table_exists(None, "setting")? {
        return Ok(true);
    }
    let sql = "SELECT value FROM setting WHERE name = 'clean'";
    let clean: Option<String> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(clean.is_some_and(|value| value == "1"))
}

fn check(connection: &Connection, path: &Utf8Path) -> Result<(), OpenError> {
    let report: String = connection
        .query_row("PRAGMA quick_check(3)", [], |row| row.get(0))
        .map_err(|source| engine(path, source))?;
    if report == "ok" { Ok(()) } else { Err(OpenError::Damaged { path: path.to_owned(), report }) }
}

/// Marks the database as in use and returns its identity, which a new one gets here.
fn take_over(connection: &Connection, path: &Utf8Path) -> Result<String, OpenError> {
    let failed = |source| engine(path, source);
    let random = random_id().map_err(|source| OpenError::Directory { path: path.to_owned(), source })?;
    let insert = "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    connection.execute(insert, ["identity", &random[..8]]).map_err(failed)?;
    connection.execute(insert, ["clean", "0"]).map_err(failed)?;
    connection.execute("UPDATE setting SET value = '0' WHERE name = 'clean'", []).map_err(failed)?;
    let sql = "SELECT value FROM setting WHERE name = 'identity'";
    connection.query_row(sql, [], |row| row.get(0)).map_err(failed)
}

/// 32 random hexadecimal digits.
pub(crate) fn random_id() -> io::Result<String> {
    use std::fmt::Write as _;
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

fn engine(path: &Utf8Path, source: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => OpenError::Foreign { path },
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => OpenError::Damaged { path, report: source.to_string() },
        _ => OpenError::Engine { path, source },
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::scratch;
    use super::*;

    #[test]
    fn a_second_master_is_refused() {
        let (_guard, path) = scratch();
        let _first = open(&path).unwrap();

        assert!(matches!(open(&path), Err(OpenError::InUse { .. })));
    }

    #[test]
    fn nobody_else_may_read_the_database() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_guard, path) = scratch();
        let _opened = open(&path).unwrap();

        for file in [path.clone(), format!("{path}-wal").into()] {
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
        }
    }

    #[test]
    fn what_is_no_database_is_left_alone() {
        let (_guard, path) = scratch();
        let content = "this is a diary, not a database\n".repeat(300);
        host::files::replace(&path, &content, 0o600).unwrap();

        assert!(matches!(open(&path), Err(OpenError::Foreign { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }

    #[test]
    fn the_tables_of_others_are_left_alone() {
        let (_guard, path) = scratch();
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE partition17 (x TEXT)").unwrap();
        assert!(matches!(open(&path), Err(OpenError::PythonProxy { version: 17, .. })));
        connection.execute_batch("DROP TABLE partition17; CREATE TABLE diary (x TEXT)").unwrap();
        assert!(matches!(open(&path), Err(OpenError::Foreign { .. })));
    }

    #[test]
    fn a_damaged_database_is_reported_after_a_crash() {
        let (_guard, path) = scratch();
        let opened = open(&path).unwrap();
        for i in 0..2000 {
            opened
                .connection
                .execute(
                    "INSERT INTO setting (name, value) VALUES ($1, $2)",
                    [format!("n{i}"), "x".repeat(50)],
                )
                .unwrap();
        }
        // Not closed in order, as after a crash.
        drop(opened);
        let mut content = fs::read(&path).unwrap();
        let middle = content.len() / 2 / 4096 * 4096;
        content[middle..middle + 8192].fill(0xa5);
        host::files::replace(&path, &content, 0o600).unwrap();

        assert!(matches!(open(&path), Err(OpenError::Damaged { .. })));
    }

    #[test]
    fn a_database_of_a_newer_master_is_left_alone() {
        let (_guard, path) = scratch();
        let opened = open(&path).unwrap();
        opened.connection.execute("UPDATE schema_version SET version = version + 1", []).unwrap();
        drop(opened);

        assert!(matches!(open(&path), Err(OpenError::Newer { .. })));
    }

    #[test]
    fn a_directory_that_is_missing_is_named() {
        let error = open(Utf8Path::new("/nonexistent/master.db")).err().unwrap();

        assert_eq!(error.to_string(), "failed to use the directory of the database `/nonexistent/master.db`");
    }
}
