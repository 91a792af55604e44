//! What a child writes: each line as it comes, and all of it for later, as far as it is not too much.

use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// A line that does not end is taken for several ones of this length.
const LONGEST_LINE: usize = 64 << 10;
/// Of so much output at the beginning, and of so much at the end, everything is kept.
const BEGINNING: usize = 1 << 20;
const END: usize = 15 << 20;

/// Takes output in pieces.
pub(super) struct Lines<'a> {
    pending: Vec<u8>,
    output: Vec<u8>,
    left_out: usize,
    on_line: &'a mut dyn FnMut(&str),
}

impl<'a> Lines<'a> {
    /// Nothing was written yet; `on_line` gets each line without its end.
    pub(super) fn new(on_line: &'a mut dyn FnMut(&str)) -> Self {
        Self { pending: Vec::new(), output: Vec::new(), left_out: 0, on_line }
    }

    /// Takes more.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
        // Twice as much before anything is moved, so that each byte is moved once at most.
        if self.output.len() > BEGINNING + 2 * END {
            self.forget_the_middle();
        }
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.pending.extend_from_slice(&rest[..end]);
            self.tell();
            rest = &rest[end + 1..];
        }
        self.pending.extend_from_slice(rest);
        if self.pending.len() > LONGEST_LINE {
            self.tell();
        }
    }

    /// Tells the last line, if it has no end.
    pub(super) fn finish(&mut self) {
        if !self.pending.is_empty() {
            self.tell();
        }
    }

    /// The whole output, with a line in the place of what was left out.
    pub(super) fn into_output(mut self) -> Vec<u8> {
        if self.output.len() > BEGINNING + END {
            self.forget_the_middle();
        }
        if self.left_out > 0 {
            let line = format!("\n[{} bytes are left out here]\n", self.left_out);
            self.output.splice(BEGINNING..BEGINNING, line.into_bytes());
        }
        self.output
    }

    fn forget_the_middle(&mut self) {
        let end = self.output.len() - END;
        self.left_out += end - BEGINNING;
        self.output.drain(BEGINNING..end);
    }

    fn tell(&mut self) {
        let line = std::mem::take(&mut self.pending);
        (self.on_line)(&String::from_utf8_lossy(&line));
    }
}

/// Copies output until its end; `false` when the deadline came first.
pub(super) fn follow(
    reader: &mut io::PipeReader,
    deadline: Option<Instant>,
    lines: &mut Lines<'_>,
) -> io::Result<bool> {
    let mut buffer = [0_u8; 16 * 1024];
    let descriptor: OwnedFd = reader.try_clone()?.into();
    loop {
        let timeout = match deadline {
            None => PollTimeout::NONE,
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Ok(false);
                }
                PollTimeout::try_from(left.as_millis().min(60_000) as i32 + 1).unwrap_or(PollTimeout::MAX)
            }
        };
        // SAFETY: the descriptor outlives the borrow.
        #[expect(unsafe_code, reason = "poll wants a borrowed descriptor")]
        let borrowed = unsafe { std::os::fd::BorrowedFd::borrow_raw(descriptor.as_raw_fd()) };
        let mut wanted = [PollFd::new(borrowed, PollFlags::POLLIN)];
        match poll(&mut wanted, timeout) {
            Ok(0) | Err(nix::errno::Errno::EINTR) => continue,
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            return Ok(true);
        }
        lines.take(&buffer[..count]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_as_they_come_and_the_last_one_at_the_end() {
        let mut told = Vec::new();
        let mut on_line = |line: &str| told.push(line.to_owned());
        let mut lines = Lines::new(&mut on_line);
        for piece in ["one\ntw", "o\n\nthr", "ee"] {
            lines.take(piece.as_bytes());
        }
        lines.finish();

        assert_eq!(lines.into_output(), b"one\ntwo\n\nthree");
        assert_eq!(told, ["one", "two", "", "three"]);
    }

    #[test]
    fn of_very_much_output_the_beginning_and_the_end_are_kept() {
        let (mut count, mut longest) = (0, 0);
        let mut on_line = |line: &str| {
            count += line.len();
            longest = longest.max(line.len());
        };
        let mut lines = Lines::new(&mut on_line);
        lines.take(b"begin");
        for _ in 0..6400 {
            lines.take(&[b'x'; 16 << 10]);
            assert!(lines.output.capacity() <= 2 * (BEGINNING + 2 * END + LONGEST_LINE));
        }
        lines.take(b"end");
        lines.finish();
        let output = lines.into_output();

        assert!(output.starts_with(b"beginx") && output.ends_with(b"xend"));
        assert!(output.len() < BEGINNING + END + 100);
        assert!(longest <= LONGEST_LINE + (16 << 10));
        assert_eq!(count, 8 + 6400 * (16 << 10));
        let left_out = 8 + 6400 * (16 << 10) - BEGINNING - END;
        assert!(
            String::from_utf8(output).unwrap().contains(&format!("\n[{left_out} bytes are left out here]\n"))
        );
    }
}
