//! The processes of the machine, as `/proc` tells: when they started, what group they are in, what they were given.

use std::io;

use fs_err as fs;

/// One process of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inhabitant {
    /// Its number.
    pub pid: u32,
    /// Its parent's number.
    pub parent: u32,
    /// The number of its process group.
    pub group: u32,
    /// The number of its session.
    pub session: u32,
    /// When it started, in clock ticks since the machine did; with the number, this names one process for good.
    pub started: u64,
    /// Its real user.
    pub uid: u32,
    /// Whether it ended and was not collected.
    pub is_zombie: bool,
}

impl Inhabitant {
    /// The process of that number; `None` when there is none.
    #[must_use]
    pub fn find(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The command name, in parentheses, may itself hold blanks and parentheses.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
        let small = |index: usize| number(index).and_then(|number| u32::try_from(number).ok());
        let metadata = fs::metadata(format!("/proc/{pid}")).ok()?;
        Some(Self {
            pid,
            parent: small(1)?,
            group: small(2)?,
            session: small(3)?,
            started: number(19)?,
            uid: std::os::unix::fs::MetadataExt::uid(&metadata),
            is_zombie: matches!(fields.first(), Some(&"Z" | &"X")),
        })
    }

    /// All processes that we can see.
    ///
    /// # Errors
    /// There is no `/proc`.
    pub fn all() -> io::Result<Vec<Self>> {
        let mut all = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let pid = name.to_str().and_then(|name| name.parse().ok());
            all.extend(pid.and_then(Self::find));
        }
        Ok(all)
    }

    /// The value of a variable in the environment that the process was started with; `None` when it is not there, or
    /// we may not look.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        let environment = fs::read(format!("/proc/{}/environ", self.pid)).ok()?;
        let wanted = format!("{name}=").into_bytes();
        let entry = environment.split(|byte| *byte == 0).find(|entry| entry.starts_with(&wanted))?;
        String::from_utf8(entry[wanted.len()..].to_vec()).ok()
    }
}

/// What changes each time the machine starts; empty when it does not say.
#[must_use]
pub fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_among_all() {
        let own = Inhabitant::find(std::process::id()).unwrap();

        assert!(Inhabitant::all().unwrap().contains(&own));
        assert!(!own.is_zombie);
        assert!(Inhabitant::find(own.parent).unwrap().started <= own.started);
    }

    #[test]
    fn a_variable_that_was_not_given_is_none() {
        let own = Inhabitant::find(std::process::id()).unwrap();

        assert_eq!(own.variable("NO_SUCH_VARIABLE_HERE"), None);
        assert!(own.variable("PATH").is_some());
    }
}
