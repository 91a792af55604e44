//! The threads that read. Each has a connection of its own and runs every closure on one snapshot.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use camino::Utf8Path;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use super::{StoreError, Tx};

const THREADS: usize = 2;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// The way to the threads that read; nothing tells one of them to end.
pub(super) struct Readers {
    queue: Sender<Option<Job>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Readers {
    pub(super) fn start(path: &Utf8Path) -> rusqlite::Result<Self> {
        let (queue, jobs) = channel();
        let jobs = Arc::new(Mutex::new(jobs));
        let mut threads = Vec::new();
        for _ in 0..THREADS {
            let connection = connect(path)?;
            let jobs = Arc::clone(&jobs);
            let thread = std::thread::Builder::new()
                .name("store-reader".to_owned())
                .spawn(move || serve(&connection, &jobs))
                .expect("a thread can be started while the master starts");
            threads.push(thread);
        }
        Ok(Self { queue, threads: Mutex::new(threads) })
    }

    pub(super) fn submit<T, E>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
        answer: oneshot::Sender<Result<T, E>>,
    ) where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let job: Job = Box::new(move |connection| {
            let outcome = catch_unwind(AssertUnwindSafe(|| on_snapshot(connection, work)));
            if let Ok(outcome) = outcome {
                // A caller that went away does not wait for its answer.
                let _ = answer.send(outcome);
            }
        });
        // When the threads are gone the answer is dropped with the job, which its caller notices.
        let _ = self.queue.send(Some(job));
    }

    /// Does what was submitted before, and closes the connections. Later submissions get no answer.
    pub(super) fn close(&self) {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for _ in &threads {
            let _ = self.queue.send(None);
        }
        for thread in threads {
            let _ = thread.join();
        }
    }
}

fn connect(path: &Utf8Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection
        .execute_batch("PRAGMA busy_timeout = 10000; PRAGMA cache_size = -1024; PRAGMA query_only = ON")?;
    Ok(connection)
}

fn serve(connection: &Connection, jobs: &Mutex<Receiver<Option<Job>>>) {
    loop {
        let job = jobs.lock().expect("no holder of this lock panics").recv();
        match job {
            Ok(Some(job)) => job(connection),
            Ok(None) | Err(_) => return,
        }
    }
}

fn on_snapshot<T, E: From<StoreError>>(
    connection: &Connection,
    work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    // Ends with the guard, also when the closure panics.
    let _snapshot = connection.unchecked_transaction().map_err(StoreError::Engine)?;
    work(&Tx::new(connection))
}
