//! What parts say, in the order of the parts also when several are worked on at once: the first part that is not
//! complete speaks at once, what the others say is held until their turn comes. Output of programs is also kept in a
//! file for each part.

use std::fs::File;
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{Event, Sink};

/// Below the buildout directory: one file for each part with what its programs wrote.
const DIRECTORY: &str = ".build-log";

/// What the parts of one build say.
pub(super) struct Sequence {
    sink: Arc<dyn Sink>,
    held: Mutex<Held>,
    /// Where the output of parts is kept, if it is.
    directory: Option<Utf8PathBuf>,
}

struct Held {
    /// The part that speaks at once.
    turn: usize,
    events: Vec<Vec<Event>>,
    has_ended: Vec<bool>,
    /// The part that spoke last.
    last: Option<usize>,
}

/// The sink of one part.
pub(super) struct PartSink {
    sequence: Arc<Sequence>,
    place: usize,
    log: Mutex<Log>,
}

enum Log {
    None,
    NotBegun(Utf8PathBuf),
    Open(File, Utf8PathBuf),
}

impl Sequence {
    /// `keep_in` is the buildout directory, when the output of parts is to be kept.
    pub(super) fn new(sink: Arc<dyn Sink>, parts: usize, keep_in: Option<&Utf8Path>) -> Arc<Self> {
        let held =
            Held { turn: 0, events: vec![Vec::new(); parts], has_ended: vec![false; parts], last: None };
        Arc::new(Self {
            sink,
            held: Mutex::new(held),
            directory: keep_in.map(|directory| directory.join(DIRECTORY)),
        })
    }

    /// The sink of the part with that place.
    pub(super) fn part(self: &Arc<Self>, place: usize, name: &str) -> Arc<PartSink> {
        let log = match self.log_of(name) {
            Some(path) => Log::NotBegun(path),
            None => Log::None,
        };
        Arc::new(PartSink { sequence: Arc::clone(self), place, log: Mutex::new(log) })
    }

    /// Where the output of a part is kept.
    pub(super) fn log_of(&self, part: &str) -> Option<Utf8PathBuf> {
        Some(self.directory.as_ref()?.join(format!("{}.log", part.replace('/', "_"))))
    }

    /// What happens is told at once.
    pub(super) fn tell(&self, event: Event) {
        self.sink.event(event);
    }

    /// The part says no more; the next one that has not ended has its turn.
    pub(super) fn end(&self, place: usize) {
        let mut held = self.locked();
        held.has_ended[place] = true;
        while held.has_ended.get(held.turn) == Some(&true) {
            held.turn += 1;
            let turn = held.turn;
            self.speak(&mut held, turn);
        }
    }

    /// No part will say more: tells everything that is held.
    pub(super) fn close(&self) {
        let mut held = self.locked();
        for place in held.turn..held.events.len() {
            self.speak(&mut held, place);
        }
        held.turn = held.events.len();
    }

    /// Whether another part spoke after that one.
    pub(super) fn was_talked_over(&self, place: usize) -> bool {
        self.locked().last.is_some_and(|last| last != place)
    }

    fn speak(&self, held: &mut Held, place: usize) {
        let Some(events) = held.events.get_mut(place).map(std::mem::take) else { return };
        for event in events {
            held.last = Some(place);
            self.sink.event(event);
        }
    }

    fn locked(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for PartSink {
    fn event(&self, event: Event) {
        if let Event::PartOutput { line, .. } = &event {
            self.log.lock().unwrap_or_else(PoisonError::into_inner).keep(line);
        }
        let mut held = self.sequence.locked();
        if held.turn >= self.place {
            held.last = Some(self.place);
            self.sequence.sink.event(event);
        } else {
            held.events[self.place].push(event);
        }
    }
}

impl PartSink {
    /// Where the output of the part is kept, if it has any.
    pub(super) fn kept(&self) -> Option<Utf8PathBuf> {
        match &*self.log.lock().unwrap_or_else(PoisonError::into_inner) {
            Log::Open(_, path) => Some(path.clone()),
            Log::None | Log::NotBegun(_) => None,
        }
    }
}

impl Log {
    /// A log that cannot be written is no reason to fail: the output is shown anyway.
    fn keep(&mut self, line: &str) {
        if let Self::NotBegun(path) = self {
            let directory = path.parent().unwrap_or(path);
            let opened = host::files::ensure_directory(directory, 0o777)
                .and_then(|()| fs_err::File::create(&*path).map(|file| file.into_parts().0));
            *self = match opened {
                Ok(file) => Self::Open(file, path.clone()),
                Err(error) => {
                    tracing::warn!(%path, %error, "the output of the part is not kept");
                    Self::None
                }
            };
        }
        if let Self::Open(file, _) = self
            && let Err(error) = file.write_all(format!("{line}\n").as_bytes())
        {
            tracing::warn!(%error, "the output of the part is not kept whole");
            *self = Self::None;
        }
    }
}
