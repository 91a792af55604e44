//! Giving an open descriptor to another process.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

/// Sends one byte over `socket` that carries `descriptor`; the other side gets a descriptor of its own.
///
/// # Errors
/// The other side is gone, or does not read.
pub fn give(socket: &UnixStream, descriptor: impl AsFd) -> io::Result<()> {
    let carried = [descriptor.as_fd().as_raw_fd()];
    let message = [ControlMessage::ScmRights(&carried)];
    sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(b".")], &message, MsgFlags::MSG_NOSIGNAL, None)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{IoSliceMut, Read, Write};
    use std::os::fd::{FromRawFd, OwnedFd};

    use nix::sys::socket::{ControlMessageOwned, recvmsg};

    #[test]
    fn what_is_given_can_be_used() {
        let (here, there) = UnixStream::pair().unwrap();
        let (mut reader, writer) = io::pipe().unwrap();

        give(&here, &writer).unwrap();
        drop(writer);

        let mut byte = [0];
        let mut parts = [IoSliceMut::new(&mut byte)];
        let mut space = nix::cmsg_space!([std::os::fd::RawFd; 1]);
        let message =
            recvmsg::<()>(there.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::empty()).unwrap();
        let Some(ControlMessageOwned::ScmRights(received)) = message.cmsgs().unwrap().next() else {
            panic!("nothing")
        };
        // SAFETY: the kernel has just given this descriptor to us.
        #[expect(unsafe_code, reason = "the receiving side of this test")]
        let received = unsafe { OwnedFd::from_raw_fd(received[0]) };
        std::fs::File::from(received).write_all(b"through").unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "through");
    }
}
