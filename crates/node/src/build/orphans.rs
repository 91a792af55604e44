//! What a build leaves running when the process that started it is killed.
//!
//! The kernel kills the build itself, but not what the build's own children started. Everything that belongs to a build
//! carries a mark in its environment, by which the next one finds it.

use camino::Utf8Path;
use host::inhabitants::Inhabitant;
use host::process;

/// The variable that marks what belongs to a build.
pub(super) const MARK: &str = "SLAPOS_BUILD";

/// Who builds, and where.
#[derive(Debug, PartialEq, Eq)]
struct Mark<'a> {
    pid: u32,
    started: u64,
    session: u32,
    directory: &'a Utf8Path,
}

/// The mark of a build that this process starts in `directory`; `None` when `/proc` tells nothing.
pub(super) fn mark(directory: &Utf8Path) -> Option<String> {
    let own = Inhabitant::find(std::process::id())?;
    Some(format!("{} {} {} {directory}", own.pid, own.started, own.session))
}

/// Ends what builds in `directory`, or below it, left running: their starters are gone.
pub(crate) fn end_orphans(directory: &Utf8Path) {
    end(directory, |mark| Inhabitant::find(mark.pid).is_none_or(|starter| starter.started != mark.started));
}

/// Ends everything that belongs to builds of this process in `directory`, or below it: a build that was killed leaves
/// what its own children started.
pub(crate) fn end_own(directory: &Utf8Path) {
    end(directory, |mark| mark.pid == std::process::id());
}

fn end(directory: &Utf8Path, is_meant: impl Fn(&Mark<'_>) -> bool) {
    let Ok(all) = Inhabitant::all() else { return };
    for inhabitant in all.iter().filter(|inhabitant| !inhabitant.is_zombie) {
        let Some(text) = inhabitant.variable(MARK) else { continue };
        let Some(mark) = Mark::read(&text) else { continue };
        // What made a session of its own was meant to stay, as a daemon that a recipe starts.
        if mark.directory.starts_with(directory) && inhabitant.session == mark.session && is_meant(&mark) {
            tracing::debug!("ending process {}, left by a build in {}", inhabitant.pid, mark.directory);
            process::kill(inhabitant.pid);
        }
    }
}

impl<'a> Mark<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut words = text.splitn(4, ' ');
        Some(Self {
            pid: words.next()?.parse().ok()?,
            started: words.next()?.parse().ok()?,
            session: words.next()?.parse().ok()?,
            directory: Utf8Path::new(words.next()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    use host::process::Program;

    use super::*;

    #[test]
    fn only_what_a_vanished_builder_left_is_ended() {
        let own = Inhabitant::find(std::process::id()).unwrap();
        let start = |mark: String| {
            let program = Program::new("/bin/sleep").arg("60").env(MARK, mark);
            program.spawn(Stdio::null(), Stdio::null(), Stdio::null()).unwrap()
        };
        let living = mark(Utf8Path::new("/trial/orphans/a")).unwrap();
        let vanished = format!("{} {} {} /trial/orphans/a", own.pid, own.started + 1, own.session);
        let elsewhere = format!("{} {} {} /trial/orphans-not", own.pid, own.started + 1, own.session);
        let mut children = [living, vanished, elsewhere].map(start);

        end_orphans(Utf8Path::new("/trial/orphans"));

        let deadline = Instant::now() + Duration::from_secs(10);
        while children[1].try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "the orphan lives on");
            std::thread::sleep(Duration::from_millis(5));
        }
        for index in [0, 2] {
            assert!(children[index].try_wait().unwrap().is_none());
            children[index].kill().unwrap();
            children[index].wait().unwrap();
        }
    }
}
