//! The thread that writes: group commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::open::Opened;
use super::{OnCommit, StoreError, Touched, Tx};

/// So many transactions share a commit at most; it bounds how long the first of them waits.
const GROUP: usize = 256;

/// A transaction that waits to be run, committed and answered.
trait Job: Send {
    /// Runs it; `None` when it failed and must be rolled back.
    fn run(&mut self, tx: &Tx<'_>) -> bool;
    /// Answers, once it is known whether the group was committed.
    fn finish(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Work<F, T, E> {
    work: F,
    outcome: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Job for Work<F, T, E>
where
    F: Fn(&Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, tx: &Tx<'_>) -> bool {
        // A closure that panics is rolled back like one that fails; its answer is dropped, which its caller notices.
        self.outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(tx))).ok();
        matches!(self.outcome, Some(Ok(_)))
    }

    fn finish(self: Box<Self>, committed: Result<(), StoreError>) {
        let Some(outcome) = self.outcome else { return };
        let outcome = match (outcome, committed) {
            (Ok(_), Err(error)) => Err(error.into()),
            (outcome, _) => outcome,
        };
        // A caller that went away does not wait for its answer.
        let _ = self.answer.send(outcome);
    }
}

/// The way to the thread that writes.
pub(super) struct Writer {
    queue: Sender<Box<dyn Job>>,
    thread: JoinHandle<()>,
}

impl Writer {
    pub(super) fn start(opened: Opened, on_commit: OnCommit) -> Self {
        let (queue, jobs) = channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                serve(&opened.connection, &jobs, &on_commit);
                opened.close();
            })
            .expect("a thread can be started while the master starts");
        Self { queue, thread }
    }

    pub(super) fn submit<T, E>(
        &self,
        work: impl Fn(&Tx<'_>) -> Result<T, E> + Send + 'static,
        answer: oneshot::Sender<Result<T, E>>,
    ) where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        // When the thread is gone the answer is dropped with the job, which its caller notices.
        let _ = self.queue.send(Box::new(Work { work, outcome: None, answer }));
    }

    pub(super) fn close(self) {
        drop(self.queue);
        let _ = self.thread.join();
    }
}

fn serve(connection: &Connection, jobs: &Receiver<Box<dyn Job>>, on_commit: &OnCommit) {
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(GROUP - 1));
        match run_group(connection, &mut group) {
            Ok(touched) => {
                if !touched.is_empty() {
                    on_commit(&touched);
                }
                for job in group {
                    job.finish(Ok(()));
                }
            }
            Err(error) => {
                tracing::error!(error = %error, "the database refused a group of transactions");
                let _ = connection.execute_batch("ROLLBACK");
                let mut error = Some(error);
                for job in group {
                    // The engine's error cannot be copied; the first of the group gets it, the others its text.
                    let copy = error.take().map_or_else(|| again(connection), StoreError::Engine);
                    job.finish(Err(copy));
                }
            }
        }
    }
}

fn again(connection: &Connection) -> StoreError {
    let autocommit = connection.is_autocommit();
    tracing::debug!(autocommit, "a transaction shares the failure of its group");
    StoreError::Content("the commit failed".to_owned())
}

fn run_group(connection: &Connection, group: &mut [Box<dyn Job>]) -> rusqlite::Result<Vec<Touched>> {
    let mut all_touched = Vec::new();
    connection.execute_batch("BEGIN IMMEDIATE")?;
    for job in group {
        connection.execute_batch("SAVEPOINT job")?;
        let tx = Tx::new(connection);
        if job.run(&tx) {
            all_touched.append(&mut tx.into_touched());
        } else {
            connection.execute_batch("ROLLBACK TO job")?;
        }
        connection.execute_batch("RELEASE job")?;
    }
    connection.execute_batch("COMMIT")?;
    Ok(all_touched)
}
