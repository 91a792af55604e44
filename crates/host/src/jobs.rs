//! The job server of GNU make: a pipe that holds one byte, a token, for each job that may run. Who wants to run one
//! more job than it was started for takes a token, and gives it back.
//!
//! The descriptors of the pipe are handed down instead of a named pipe, because makes before 4.4 refuse the latter.
//! Tokens that a killed child had taken are missing from the pipe; [`JobServer::settle`] puts them back.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::Mode;

mod kernel {
    nix::ioctl_read_bad!(bytes_to_read, nix::libc::FIONREAD, nix::libc::c_int);
}

/// More tokens than this fit into no pipe; no machine has so many processors.
const MOST: usize = 4096;

/// A server of one build and all its children.
#[derive(Debug)]
pub struct JobServer {
    /// What children read from. It blocks, as makes expect.
    reader: OwnedFd,
    writer: File,
    /// The same pipe, opened a second time so that reading it never blocks.
    own: File,
    limit: usize,
}

impl JobServer {
    /// A server with `limit` tokens, at least one.
    ///
    /// # Errors
    /// The kernel gives no pipe.
    pub fn new(limit: usize) -> io::Result<Self> {
        let limit = limit.clamp(1, MOST);
        let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
        let path = format!("/proc/self/fd/{}", reader.as_raw_fd());
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let own = File::from(nix::fcntl::open(path.as_str(), flags, Mode::empty())?);
        let server = Self { reader, writer: File::from(writer), own, limit };
        server.put(limit)?;
        Ok(server)
    }

    /// How many jobs may run at once.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Takes a token if one is there.
    ///
    /// # Errors
    /// The pipe cannot be read.
    pub fn try_take(&self) -> io::Result<bool> {
        loop {
            match (&self.own).read(&mut [0]) {
                Ok(count) => return Ok(count == 1),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits for a token.
    ///
    /// # Errors
    /// The pipe cannot be read.
    pub fn take(&self) -> io::Result<()> {
        while !self.try_take()? {
            let mut wanted = [PollFd::new(self.own.as_fd(), PollFlags::POLLIN)];
            match poll(&mut wanted, PollTimeout::NONE) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Gives a token back.
    ///
    /// # Errors
    /// The pipe cannot be written.
    pub fn give_back(&self) -> io::Result<()> {
        self.put(1)
    }

    /// How many tokens are in the pipe.
    ///
    /// # Errors
    /// The kernel does not tell.
    pub fn available(&self) -> io::Result<usize> {
        let mut count = 0;
        // SAFETY: the kernel writes one integer to where the pointer leads.
        #[expect(unsafe_code, reason = "no safe wrapper exists")]
        unsafe { kernel::bytes_to_read(self.own.as_raw_fd(), &raw mut count) }?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// Makes the number of tokens right again. Only for a moment at which no child lives and the caller holds none.
    ///
    /// # Errors
    /// The pipe cannot be read or written.
    pub fn settle(&self) -> io::Result<()> {
        let available = self.available()?;
        for _ in self.limit..available {
            self.try_take()?;
        }
        self.put(self.limit.saturating_sub(available))
    }

    /// What `MAKEFLAGS` says to a child, with the flags that it had before.
    #[must_use]
    pub fn makeflags(&self, before: &str) -> String {
        let (reader, writer) = self.descriptors();
        let is_ours = |word: &&str| !word.starts_with("-j") && !word.starts_with("--jobserver");
        let kept: Vec<&str> = before.split_whitespace().filter(is_ours).collect();
        // Makes before 4.2 know the option by its old name.
        let ours =
            format!("-j{} --jobserver-fds={reader},{writer} --jobserver-auth={reader},{writer}", self.limit);
        if kept.is_empty() { format!(" {ours}") } else { format!("{} {ours}", kept.join(" ")) }
    }

    /// Whether flags of make name this server.
    #[must_use]
    pub fn is_named_in(&self, makeflags: &str) -> bool {
        let (reader, writer) = self.descriptors();
        let own = format!("--jobserver-auth={reader},{writer}");
        makeflags.split_whitespace().any(|word| word == own)
    }

    /// The descriptors that a child must have to take tokens.
    pub(crate) fn descriptors(&self) -> (RawFd, RawFd) {
        (self.reader.as_raw_fd(), self.writer.as_raw_fd())
    }

    fn put(&self, count: usize) -> io::Result<()> {
        (&self.writer).write_all(&vec![b'+'; count])
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::process::Program;

    #[test]
    fn there_are_as_many_tokens_as_jobs() {
        let server = JobServer::new(2).unwrap();

        assert!(server.try_take().unwrap() && server.try_take().unwrap());
        assert!(!server.try_take().unwrap());
        server.give_back().unwrap();
        assert_eq!(server.available().unwrap(), 1);
    }

    #[test]
    fn tokens_of_killed_children_come_back() {
        let server = Arc::new(JobServer::new(3).unwrap());
        let program = Program::new("/bin/sh").arg("-c").jobs(&server, "");
        let (reader, writer) = server.descriptors();

        let killed = format!("dd bs=1 count=2 status=none <&{reader} >/dev/null; kill -9 $$");
        let finished = program.clone().arg(killed).run(None, &mut |_| {}).unwrap();

        assert_eq!(finished.verdict(), "signal 9");
        assert_eq!(server.available().unwrap(), 1);
        server.settle().unwrap();
        assert_eq!(server.available().unwrap(), 3);

        program.arg(format!("printf ++ >&{writer}")).run(None, &mut |_| {}).unwrap();
        assert_eq!(server.available().unwrap(), 5);
        server.settle().unwrap();
        assert_eq!(server.available().unwrap(), 3);
    }

    #[test]
    fn other_flags_of_make_are_kept() {
        let server = JobServer::new(2).unwrap();
        let (reader, writer) = server.descriptors();

        assert_eq!(
            server.makeflags("s -j9 --jobserver-auth=3,4 --no-print-directory"),
            format!(
                "s --no-print-directory -j2 --jobserver-fds={reader},{writer} --jobserver-auth={reader},{writer}"
            )
        );
    }
}
