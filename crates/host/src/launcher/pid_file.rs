//! The pid file of a wrapper: one process at a time runs a command.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use camino::{Utf8Path, Utf8PathBuf};

use super::LauncherError;

/// Removes the pid file when the process could not be started.
#[derive(Debug)]
pub(super) struct Guard(Utf8PathBuf);

impl Drop for Guard {
    fn drop(&mut self) {
        // What cannot be removed is found to name no such process by the next start.
        let _ = crate::files::remove_if_present(&self.0);
    }
}

/// Writes the number of this process into the file, unless it names a process that runs `command`.
pub(super) fn take(path: &Utf8Path, command: &[OsString]) -> Result<Guard, LauncherError> {
    let present = crate::files::read_text_if_present(path).ok().flatten();
    let running = present.and_then(|text| text.trim().parse::<u32>().ok()).filter(|pid| runs(*pid, command));
    if let Some(pid) = running.filter(|pid| *pid != std::process::id()) {
        return Err(LauncherError::Running { pid });
    }
    crate::files::replace(path, std::process::id().to_string(), 0o644)
        .map_err(LauncherError::prepare(format!("write {path}")))?;
    Ok(Guard(path.to_owned()))
}

/// Whether the process runs the command, possibly through interpreters named before it.
fn runs(pid: u32, command: &[OsString]) -> bool {
    let Ok(line) = fs_err::read(format!("/proc/{pid}/cmdline")) else { return false };
    let words: Vec<&[u8]> = line.strip_suffix(b"\0").unwrap_or(&line).split(|byte| *byte == 0).collect();
    words
        .windows(command.len())
        .any(|window| window.iter().zip(command).all(|(found, word)| *found == word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_runs_the_command_is_not_started_twice() {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(directory.path().join("pid")).unwrap();
        let command = ["/bin/sleep", "60"].map(OsString::from);
        let mut child = crate::process::Program::new("/bin/sleep")
            .arg("60")
            .spawn(std::process::Stdio::null(), std::process::Stdio::null(), std::process::Stdio::null())
            .unwrap();
        crate::files::replace(&path, child.id().to_string(), 0o644).unwrap();

        let refused = take(&path, &command);
        let other = take(&path, &["/bin/other".into()]);
        child.kill().unwrap();
        child.wait().unwrap();

        assert!(matches!(refused, Err(LauncherError::Running { pid }) if pid == child.id()));
        assert!(other.is_ok());
    }

    #[test]
    fn a_file_that_names_nobody_is_taken_and_removed_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(directory.path().join("pid")).unwrap();
        crate::files::replace(&path, "nonsense", 0o644).unwrap();

        let guard = take(&path, &["/bin/true".into()]).unwrap();

        assert_eq!(fs_err::read_to_string(&path).unwrap(), std::process::id().to_string());
        drop(guard);
        assert!(!path.exists());
    }
}
