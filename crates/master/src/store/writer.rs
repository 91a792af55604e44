//! The thread that writes: group commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::open::Opened;
use super::{OnCommit, StoreError, Touched, Tx};

/// So many transactions share a commit at most; it bounds how long the first of them waits.
const GROUP: usize = 256;

/// A transaction that waits to be run, committed and answered.
trait Job: Send {
    /// Runs it; returns whether it may be committed.
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
        let outcome = match (self.outcome, committed) {
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(error.into()),
            (Some(outcome), Ok(())) => outcome,
            (None, Ok(())) => return,
        };
        // A caller that went away does not wait for its answer.
        let _ = self.answer.send(outcome);
    }
}

/// What the thread that writes is told.
enum Order {
    Do(Box<dyn Job>),
    End,
}

/// The way to the thread that writes.
pub(super) struct Writer {
    queue: Sender<Order>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(opened: Opened, on_commit: OnCommit) -> Self {
        let (queue, orders) = channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                serve(&opened.connection, &orders, &on_commit);
                opened.close();
            })
            .expect("a thread can be started while the master starts");
        Self { queue, thread: Mutex::new(Some(thread)) }
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
        let _ = self.queue.send(Order::Do(Box::new(Work { work, outcome: None, answer })));
    }

    /// Does what was submitted before, closes the database and waits for that. Later submissions get no answer.
    pub(super) fn close(&self) {
        let _ = self.queue.send(Order::End);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

fn serve(connection: &Connection, orders: &Receiver<Order>, on_commit: &OnCommit) {
    let mut is_over = false;
    while !is_over && let Ok(Order::Do(first)) = orders.recv() {
        let mut group = vec![first];
        for order in orders.try_iter().take(GROUP - 1) {
            match order {
                Order::Do(job) => group.push(job),
                Order::End => {
                    is_over = true;
                    break;
                }
            }
        }
        if let Err(error) = commit_group(connection, &mut group, on_commit) {
            // A full disk, for instance, takes the whole group back. Alone, those that need no room still succeed.
            tracing::error!(error = %error, "the database refused a group of transactions");
            for mut job in group {
                let alone = commit_group(connection, std::slice::from_mut(&mut job), on_commit);
                job.finish(alone.map_err(|error| StoreError::Commit(error.to_string())));
            }
        } else {
            for job in group {
                job.finish(Ok(()));
            }
        }
    }
}

/// Runs and commits transactions together; after an error, none of them has happened.
fn commit_group(
    connection: &Connection,
    group: &mut [Box<dyn Job>],
    on_commit: &OnCommit,
) -> rusqlite::Result<()> {
    match run_group(connection, group) {
        Ok(touched) if touched.is_empty() => {}
        Ok(touched) => on_commit(&touched),
        Err(error) => {
            // Some failures have ended the transaction already.
            let _ = connection.execute_batch("ROLLBACK");
            return Err(error);
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::super::open::open;
    use super::super::tests::scratch;
    use super::*;

    fn job(answer: oneshot::Sender<Result<(), StoreError>>, names: std::ops::Range<usize>) -> Order {
        let work = move |tx: &Tx<'_>| {
            for name in names.clone() {
                tx.ensure_computer(&format!("{name}-{}", "x".repeat(1000)).parse().unwrap())?;
            }
            Ok(())
        };
        Order::Do(Box::new(Work { work, outcome: None, answer }))
    }

    #[test]
    fn a_full_disk_fails_those_that_need_room_and_no_others() {
        let (_guard, path) = scratch();
        let opened = open(&path).unwrap();
        let pages: i64 = opened.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        opened.connection.pragma_update(None, "max_page_count", pages + 20).unwrap();
        let (queue, orders) = channel();
        let mut answers = Vec::new();
        for names in [0..1, 1..1000, 1000..1001] {
            let (answer, outcome) = oneshot::channel();
            queue.send(job(answer, names)).unwrap();
            answers.push(outcome);
        }
        drop(queue);

        serve(&opened.connection, &orders, &(std::sync::Arc::new(|_: &[Touched]| {}) as OnCommit));

        let large = answers.remove(1).blocking_recv().unwrap();
        assert!(matches!(large, Err(StoreError::Engine(_))), "{large:?}");
        for small in answers {
            small.blocking_recv().unwrap().unwrap();
        }
    }
}
