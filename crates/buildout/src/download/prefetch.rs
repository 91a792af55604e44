//! Fetching ahead: while one part is built, what later parts will ask for is fetched, several files at once.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use camino::Utf8Path;

use super::keep::{deliver, finish};
use super::{Download, DownloadError, Downloaded, Fetcher};

/// How many files are fetched at once.
const AT_ONCE: usize = 4;

/// Files being fetched ahead. Nothing of it goes on when this is dropped.
pub(crate) struct Prefetch {
    shared: Arc<Shared>,
}

struct Shared {
    fetcher: Fetcher,
    state: Mutex<State>,
    changed: Condvar,
    cancelled: Arc<AtomicBool>,
}

#[derive(Default)]
struct State {
    /// What nobody has begun with, in the order in which it will be needed.
    waiting: VecDeque<Download>,
    begun: HashMap<Download, Progress>,
    workers: usize,
}

enum Progress {
    Running,
    Done(Fetched),
}

/// What fetching ahead gave, and what is to be said about it when it is used.
struct Fetched {
    result: Result<Downloaded, DownloadError>,
    log: Vec<(Option<String>, String)>,
}

impl Prefetch {
    /// Fetches nothing yet; what has no better place is going to be received in `scratch`.
    pub(crate) fn new(mut fetcher: Fetcher, scratch: Option<&Utf8Path>) -> Self {
        let cancelled = Arc::new(AtomicBool::new(false));
        if let Some(scratch) = scratch {
            fetcher.scratch(scratch.to_owned());
        }
        fetcher.ahead(None);
        fetcher.cancelled_by(Arc::clone(&cancelled));
        let (state, changed) = (Mutex::default(), Condvar::new());
        Self { shared: Arc::new(Shared { fetcher, state, changed, cancelled }) }
    }

    /// Begins to fetch what the network has to give, in this order, behind what was begun before.
    pub(crate) fn add(&self, downloads: impl IntoIterator<Item = Download>) {
        let mut state = self.shared.state();
        for mut download in downloads {
            download.destination = None;
            let is_known = state.waiting.contains(&download) || state.begun.contains_key(&download);
            if !is_known && self.shared.fetcher.needs_network(&download) {
                state.waiting.push_back(download);
            }
        }
        while state.workers < AT_ONCE.min(state.waiting.len()) {
            state.workers += 1;
            let shared = Arc::clone(&self.shared);
            let worker = std::thread::Builder::new().name("download".to_owned());
            if worker.spawn(move || shared.work()).is_err() {
                // It is no loss: whoever needs a file fetches it itself when nobody has begun with it.
                state.workers -= 1;
                return;
            }
        }
    }

    /// Takes a file that was fetched ahead, waiting for its end if it has begun. `None` when it is not among them, or
    /// not begun: whoever asks then fetches it.
    pub(crate) fn take(
        &self,
        download: &Download,
        log: &mut super::fetch::Log<'_>,
    ) -> Option<Result<Downloaded, DownloadError>> {
        let wanted = Download { destination: None, ..download.clone() };
        let mut state = self.shared.state();
        state.waiting.retain(|waiting| *waiting != wanted);
        while let Some(Progress::Running) = state.begun.get(&wanted) {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let Some(Progress::Done(fetched)) = state.begun.remove(&wanted) else { return None };
        drop(state);
        for (logger, message) in fetched.log {
            log(logger.as_deref(), message);
        }
        Some(fetched.result.and_then(|fetched| match (&download.destination, &fetched.temporary) {
            (None, _) => Ok(fetched),
            (Some(_), None) => deliver(download, fetched.path),
            (Some(_), Some(_)) => {
                finish(&fetched.path)?;
                deliver(download, fetched.path.clone())
            }
        }))
    }
}

impl Drop for Prefetch {
    fn drop(&mut self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
        let mut state = self.shared.state();
        state.waiting.clear();
        state.begun.clear();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        loop {
            let mut state = self.state();
            let Some(download) = state.waiting.pop_front() else {
                state.workers -= 1;
                return;
            };
            state.begun.insert(download.clone(), Progress::Running);
            drop(state);
            let mut said = Vec::new();
            let mut log = |logger: Option<&str>, message| said.push((logger.map(str::to_owned), message));
            let result = self.fetcher.fetch(&download, &mut log);
            let mut state = self.state();
            if !self.cancelled.load(Ordering::Relaxed) {
                state.begun.insert(download, Progress::Done(Fetched { result, log: said }));
            }
            drop(state);
            self.changed.notify_all();
        }
    }
}
