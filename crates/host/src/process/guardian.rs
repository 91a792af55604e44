//! A process that ends a group of processes when this one is killed.

use std::io::{self, PipeReader, PipeWriter};
use std::process::{Child, Stdio};

use super::{Program, end_group};

/// Waits until nobody holds the other end of its standard input, then ends the group whose number it was given.
const WAIT: &str = "read -r nothing; kill -s KILL -- \"-$0\"";

/// Ends a process group when this process ends without dropping it.
#[derive(Debug)]
pub struct Guardian {
    shell: Child,
    /// Nothing is ever written; the kernel closes it when we are gone.
    _life: PipeWriter,
}

impl Guardian {
    /// A guardian of the group that `child` leads. To be dropped before the child is waited for, or soon after: its number
    /// may then belong to somebody else.
    ///
    /// # Errors
    /// A process cannot be started.
    pub fn of(child: &Child) -> io::Result<Self> {
        let (reader, life) = io::pipe()?;
        Ok(Self { shell: shell(child.id(), reader)?, _life: life })
    }
}

/// The process that waits for the end of `reader`.
fn shell(group: u32, reader: PipeReader) -> io::Result<Child> {
    let shell = Program::new("/bin/sh").args(["-c", WAIT]).arg(group.to_string());
    let mut command = shell.command();
    command.stdin(reader).stdout(Stdio::null()).stderr(Stdio::null());
    shell.start_outliving(&mut command)
}

impl Drop for Guardian {
    fn drop(&mut self) {
        // Before its pipe is closed, or it would do its work.
        end_group(&self.shell);
        let _ = self.shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn a_group_ends_with_all_that_is_in_it_when_nobody_is_left() {
        let (mut output, theirs) = io::pipe().unwrap();
        let script = Program::new("/bin/sh").args(["-c", "sleep 600 & echo begun; sleep 600"]);
        let mut child = script.spawn(Stdio::null(), theirs.into(), Stdio::null()).unwrap();
        let (reader, life) = io::pipe().unwrap();
        let mut shell = shell(child.id(), reader).unwrap();
        let mut begun = [0; 6];
        output.read_exact(&mut begun).unwrap();

        // As the kernel does when we are killed.
        drop(life);

        assert_eq!(
            output.read_to_end(&mut Vec::new()).unwrap(),
            0,
            "the last process of the group has ended"
        );
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        assert!(shell.wait().unwrap().success());
    }

    #[test]
    fn a_guarded_program_that_ends_leaves_no_guardian() {
        let finished =
            Program::new("/bin/sh").args(["-c", "echo done"]).guarded().run(None, &mut |_| {}).unwrap();

        assert_eq!(finished.text(), "done\n");
        assert!(finished.success());
    }
}
