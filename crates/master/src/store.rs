//! The database: SQLite in one file, one thread that writes, a few that read. The only place with SQL.
//!
//! Writes are closures over a [`Tx`]. The writer takes whatever waits, runs each closure inside a savepoint of its own,
//! commits them together and only then lets them answer: what was acknowledged survives a crash, and one failure does
//! not spoil its neighbours. Closures may be run again, so they are `Fn` and must have no other effect.

mod computer;
mod forwarded;
mod import;
mod instance;
mod migrations;
mod open;
mod partition;
mod reader;
mod shared;
mod supply;
mod tx;
mod writer;

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use slap::wire::WireError;
use slap::wire::instance_xml::{self, TextParameters};
use thiserror::Error;
use tokio::sync::oneshot;

pub(crate) use computer::ComputerRow;
pub use import::ImportError;
pub(crate) use import::import;
pub(crate) use instance::{InstanceRow, NewInstance, Placement};
pub(crate) use open::random_id;
pub(crate) use partition::PartitionRow;
pub(crate) use shared::{NewShared, SharedRow};
pub(crate) use tx::{Change, Tx};

use reader::Readers;
use writer::Writer;

/// Why the database did not do what it was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The engine failed: disk full, input or output error, corruption.
    #[error("the database failed")]
    Engine(#[source] rusqlite::Error),
    /// The engine could not commit a group of transactions.
    #[error("the database could not commit: {0}")]
    Commit(String),
    /// What is stored cannot be understood.
    #[error("the database holds something that cannot be understood: {0}")]
    Content(String),
    /// The master is stopping.
    #[error("the master is stopping")]
    Stopped,
}

impl StoreError {
    /// Remembers what could not be understood.
    pub(crate) fn content(error: impl std::fmt::Display) -> Self {
        Self::Content(error.to_string())
    }
}

/// Why a database could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Its directory or its lock cannot be used.
    #[error("failed to use the directory of the database `{path}`")]
    Directory {
        /// The database.
        path: Utf8PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Another master has it open.
    #[error("another master uses the database `{path}`")]
    InUse {
        /// The database.
        path: Utf8PathBuf,
    },
    /// It is damaged.
    #[error("the database `{path}` is damaged: {report}")]
    Damaged {
        /// The database.
        path: Utf8PathBuf,
        /// What the check found.
        report: String,
    },
    /// It is the database of something else.
    #[error("the file `{path}` is not a database of this master")]
    Foreign {
        /// The file.
        path: Utf8PathBuf,
    },
    /// It was made by the Python proxy.
    #[error("the database `{path}` was made by the Python proxy (version {version})")]
    PythonProxy {
        /// The database.
        path: Utf8PathBuf,
        /// The version of its tables.
        version: u32,
    },
    /// It was made by a newer master.
    #[error("the database `{path}` was made by a newer version of this program")]
    Newer {
        /// The database.
        path: Utf8PathBuf,
    },
    /// The engine failed otherwise.
    #[error("failed to open the database `{path}`")]
    Engine {
        /// The database.
        path: Utf8PathBuf,
        /// What the engine says.
        #[source]
        source: rusqlite::Error,
    },
}

impl OpenError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Directory { .. } => {
                "make the directory and give it to the user of the master, or configure another `database_uri`"
            }
            Self::InUse { .. } => "stop the other master, or configure another `database_uri`",
            Self::Damaged { .. } => "put a backup in its place, or move it away to start with an empty one",
            Self::Foreign { .. } => "configure another `database_uri`",
            Self::PythonProxy { .. } => "start `slapos proxy start` on it, which imports it",
            Self::Newer { .. } => "run the newer version, or configure another `database_uri`",
            Self::Engine { .. } => {
                "check that the file and its directory can be written and that the disk is not full"
            }
        }
    }
}

/// Parameters in the form in which they are stored: a parameter document, or nothing when there are none.
pub(crate) fn stored_form(parameters: &TextParameters) -> Result<String, WireError> {
    if parameters.is_empty() { Ok(String::new()) } else { instance_xml::write(parameters) }
}

/// What a commit changed for a computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Which computer.
    pub(crate) computer: String,
    /// The version of its document.
    pub(crate) document: i64,
    /// The version of what is asked of it.
    pub(crate) demand: i64,
}

/// Called after each commit, before its writers are answered.
pub(crate) type OnCommit = Arc<dyn Fn(&[Touched]) + Send + Sync>;

/// The open database.
pub(crate) struct Store {
    writer: Writer,
    readers: Readers,
    identity: String,
}

impl Store {
    /// Opens the database, creating it and bringing its tables up to date.
    pub(crate) fn open(path: &Utf8Path, on_commit: OnCommit) -> Result<Self, OpenError> {
        let opened = open::open(path)?;
        let readers =
            Readers::start(path).map_err(|source| OpenError::Engine { path: path.to_owned(), source })?;
        let identity = opened.identity.clone();
        Ok(Self { writer: Writer::start(opened, on_commit), readers, identity })
    }

    /// An id that this database keeps for its life.
    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }

    /// Runs a transaction; when it returns, it is on disk.
    pub(crate) async fn write<T, E>(
        &self,
        work: impl Fn(&Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, outcome) = oneshot::channel();
        self.writer.submit(work, answer);
        outcome.await.unwrap_or_else(|_| Err(StoreError::Stopped.into()))
    }

    /// Runs queries on one snapshot.
    pub(crate) async fn read<T, E>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, outcome) = oneshot::channel();
        self.readers.submit(work, answer);
        outcome.await.unwrap_or_else(|_| Err(StoreError::Stopped.into()))
    }

    /// Finishes what was submitted, and closes the database.
    pub(crate) fn close(&self) {
        self.readers.close();
        self.writer.close();
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;

    use super::*;

    pub(crate) fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(directory.path().join("master.db")).unwrap();
        (directory, path)
    }

    fn silent() -> OnCommit {
        Arc::new(|_| {})
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    /// Makes a computer of this name known.
    fn know(tx: &Tx<'_>, name: &str) -> Result<(), StoreError> {
        let computer = tx.ensure_computer(&name.parse().unwrap())?;
        tx.set_computer_formatted(computer.id, "", "")
    }

    /// The names of the computers that are known.
    fn known(store: &Store) -> Vec<String> {
        let rows = runtime().block_on(store.read(|tx| tx.formatted_computers())).unwrap();
        rows.into_iter().map(|row| row.reference.to_string()).collect()
    }

    #[test]
    fn a_failed_closure_leaves_nothing_and_spoils_nobody() {
        let (_guard, path) = scratch();
        let store = Store::open(&path, silent()).unwrap();

        let (good, bad, also_good) = runtime().block_on(async {
            tokio::join!(
                store.write(|tx| know(tx, "a")),
                store.write(|tx| {
                    know(tx, "b")?;
                    Err::<(), _>(StoreError::Content("no".to_owned()))
                }),
                store.write(|tx| know(tx, "c")),
            )
        });
        good.unwrap();
        bad.unwrap_err();
        also_good.unwrap();

        assert_eq!(known(&store), ["a", "c"]);
    }

    #[test]
    fn a_closure_that_panics_takes_nobody_with_it() {
        let (_guard, path) = scratch();
        let store = Store::open(&path, silent()).unwrap();

        let failed: Result<(), StoreError> =
            runtime().block_on(store.write(|_| panic!("expected by this test")));
        let good = runtime().block_on(store.write(|tx| know(tx, "a")));

        assert!(matches!(failed, Err(StoreError::Stopped)));
        good.unwrap();
    }

    #[test]
    fn a_commit_is_announced_before_its_writer_is_answered() {
        let (_guard, path) = scratch();
        let announced = Arc::new(Mutex::new(Vec::new()));
        let listener = Arc::clone(&announced);
        let store =
            Store::open(&path, Arc::new(move |t| listener.lock().unwrap().extend_from_slice(t))).unwrap();

        runtime()
            .block_on(store.write(|tx| {
                let computer = tx.ensure_computer(&"COMP-1".parse().unwrap())?;
                tx.touch(computer.id, Change::Demand)
            }))
            .unwrap();

        let announced = announced.lock().unwrap();
        assert_eq!(announced.as_slice(), [Touched { computer: "COMP-1".to_owned(), document: 1, demand: 1 }]);
    }

    #[test]
    fn what_was_written_is_there_after_reopening() {
        let (_guard, path) = scratch();
        let store = Store::open(&path, silent()).unwrap();
        runtime().block_on(store.write(|tx| know(tx, "a"))).unwrap();
        let identity = store.identity().to_owned();
        store.close();

        let store = Store::open(&path, silent()).unwrap();

        assert_eq!(store.identity(), identity);
        assert_eq!(known(&store), ["a"]);
    }
}
