//! File systems in memory that one process and its children see, made without being root.

use camino::Utf8PathBuf;
use nix::mount::MsFlags;
use nix::sched::CloneFlags;

use super::LauncherError;

/// Enters name spaces of its own for users and mounts, and mounts each directory there.
pub(super) fn mount(directories: &[(String, Utf8PathBuf)]) -> Result<(), LauncherError> {
    let (user, group) = (nix::unistd::getuid(), nix::unistd::getgid());
    nix::sched::unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS).map_err(|error| {
        LauncherError::prepare("make a name space for private file systems")(error.into())
    })?;
    // Groups can only be mapped by who has given up changing them.
    let maps = [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("{user} {user} 1")),
        ("gid_map", format!("{group} {group} 1")),
    ];
    for (name, text) in maps {
        let path = format!("/proc/self/{name}");
        write_to_kernel(&path, &text).map_err(LauncherError::prepare(format!("write {path}")))?;
    }
    for (size, directory) in directories {
        crate::files::ensure_directory(directory, 0o777)
            .map_err(LauncherError::prepare(format!("create {directory}")))?;
        let options = format!("size={size}");
        nix::mount::mount(
            Some("tmpfs"),
            directory.as_std_path(),
            Some("tmpfs"),
            MsFlags::empty(),
            Some(options.as_str()),
        )
        .map_err(|error| {
            LauncherError::prepare(format!("mount a file system in memory at {directory}"))(error.into())
        })?;
    }
    Ok(())
}

/// Files of the kernel take their text in one write and cannot be replaced.
fn write_to_kernel(path: &str, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    fs_err::OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes())
}
