//! Numbers of processes: whom they mean, and whether he lives.

/// Whether a process of that number lives (a zombie does not).
#[must_use]
pub fn is_alive(pid: u32) -> bool {
    let Ok(status) = fs_err::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // The state follows the command name, which may itself hold blanks and parentheses.
    !matches!(
        status.rsplit(')').next().and_then(|rest| rest.split_whitespace().next()),
        None | Some("Z" | "X")
    )
}

/// The space that the numbers of processes seen by this one belong to: in another one, as in another container, the same
/// number means somebody else. `None` where the system does not say.
#[must_use]
pub fn number_space() -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    fs_err::metadata("/proc/self/ns/pid").ok().map(|metadata| metadata.ino())
}
