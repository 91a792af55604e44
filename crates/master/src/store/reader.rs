//! The threads that read. Each has a connection of its own and runs every closure on one snapshot.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use camino::Utf8Path;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use super::{StoreError, Tx};

const THREADS: usize = 2;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// The way to the threads that read.
pub(super) struct Readers {
    queue: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    pub(super) fn start(path: &Utf8Path) -> rusqlite::Result<Self> {
        let (queue, jobs) = channel::<Job>();
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
        Ok(Self { queue: Some(queue), threads })
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
        if let Some(queue) = &self.queue {
            // When the threads are gone the answer is dropped with the job, which its caller notices.
            let _ = queue.send(job);
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
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

fn serve(connection: &Connection, jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = jobs.lock().expect("no holder of this lock panics").recv();
        match job {
            Ok(job) => job(connection),
            Err(_) => return,
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
