//! Waiting for several descriptors at once.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Waits until there is something to read from one of the descriptors, its end included, and tells from which. None has
/// anything when `limit` is over.
///
/// # Errors
/// One is no descriptor that can be waited for.
pub fn readable<const N: usize>(
    descriptors: [BorrowedFd<'_>; N],
    limit: Option<Duration>,
) -> io::Result<[bool; N]> {
    let deadline = limit.map(|limit| Instant::now() + limit);
    let mut wanted = descriptors.map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN));
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let timeout = match left {
            None => PollTimeout::NONE,
            Some(left) => PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX),
        };
        match poll(&mut wanted, timeout) {
            Ok(0) if left.is_some_and(|left| left < Duration::from_millis(1)) => return Ok([false; N]),
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(wanted.map(|descriptor| descriptor.any().unwrap_or(true))),
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::fd::AsFd as _;

    use super::*;

    #[test]
    fn what_has_something_to_read_is_told_and_so_is_an_end() {
        let (silent, _kept) = io::pipe().unwrap();
        let (speaking, mut writer) = io::pipe().unwrap();
        let ask = |limit| readable([silent.as_fd(), speaking.as_fd()], limit).unwrap();

        assert_eq!(ask(Some(Duration::ZERO)), [false, false]);
        writer.write_all(b"x").unwrap();
        assert_eq!(ask(None), [false, true]);
        io::Read::read(&mut &speaking, &mut [0; 8]).unwrap();
        drop(writer);
        assert_eq!(ask(None), [false, true]);
    }
}
