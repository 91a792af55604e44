//! Users and groups of the machine, and becoming one of them for good.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use nix::unistd::{Gid, Group, Uid, User};

/// A user of the machine, with everything that a process needs to become it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Login name.
    pub name: String,
    /// Numeric user id.
    pub uid: u32,
    /// Numeric id of its primary group.
    pub gid: u32,
    /// Home directory in the password database.
    pub home: Utf8PathBuf,
    groups: Vec<u32>,
}

impl Account {
    /// Looks a user up by name.
    ///
    /// # Errors
    /// The password database could not be read.
    pub fn by_name(name: &str) -> io::Result<Option<Self>> {
        User::from_name(name)?.map(Self::from_user).transpose()
    }

    /// Looks a user up by number.
    ///
    /// # Errors
    /// The password database could not be read.
    pub fn by_uid(uid: u32) -> io::Result<Option<Self>> {
        User::from_uid(Uid::from_raw(uid))?.map(Self::from_user).transpose()
    }

    /// The owner of a file, not following links.
    ///
    /// # Errors
    /// The file could not be examined, or its owner is not in the password database.
    pub fn owner_of(path: &Utf8Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        let uid = fs_err::symlink_metadata(path)?.uid();
        Self::by_uid(uid)?.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("user {uid}, owner of {path}, is not in the password database"),
            )
        })
    }

    /// As [`Account::owner_of`], following links; an owner whom the password database does not know is his number, with
    /// the group of the file. Directories that a container gets from outside have such owners.
    ///
    /// # Errors
    /// The file could not be examined, or the password database not be read.
    pub fn owner_by_number(path: &Utf8Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        let metadata = fs_err::metadata(path)?;
        let (uid, gid) = (metadata.uid(), metadata.gid());
        if let Some(account) = Self::by_uid(uid)? {
            return Ok(account);
        }
        Ok(Self { name: uid.to_string(), uid, gid, home: Utf8PathBuf::from("/"), groups: vec![gid] })
    }

    /// The user that this process runs as.
    ///
    /// # Errors
    /// The password database could not be read, or does not know the user.
    pub fn current() -> io::Result<Self> {
        let uid = nix::unistd::geteuid().as_raw();
        Self::by_uid(uid)?.ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, format!("user {uid} is not in the password database"))
        })
    }

    /// Makes this process run as the user, for good: groups, gid and uid are set and verified, and going back must
    /// fail. Nothing happens when the process already is that user. Safe between fork and exec.
    ///
    /// # Errors
    /// The kernel refuses, or the process could still go back; the caller must then not go on.
    pub fn become_it(&self) -> io::Result<()> {
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        if nix::unistd::getuid() == uid && nix::unistd::geteuid() == uid {
            return Ok(());
        }
        // SAFETY: the list is valid for the length given; this is the call that nix wraps, without its allocation.
        #[expect(unsafe_code, reason = "called between fork and exec, where nothing may be allocated")]
        let result = unsafe { nix::libc::setgroups(self.groups.len(), self.groups.as_ptr()) };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        nix::unistd::setresgid(gid, gid, gid)?;
        nix::unistd::setresuid(uid, uid, uid)?;
        let back_is_closed = uid.is_root() || nix::unistd::setuid(Uid::from_raw(0)).is_err();
        if nix::unistd::geteuid() == uid && nix::unistd::getegid() == gid && back_is_closed {
            Ok(())
        } else {
            Err(io::Error::from(io::ErrorKind::PermissionDenied))
        }
    }

    /// Whether a file of that owner, group and mode lets the user do what `wanted` says: any of 4 (read), 2 (write),
    /// 1 (execute, or search a directory). Access lists are not looked at.
    #[must_use]
    pub fn may(&self, owner: u32, group: u32, mode: u32, wanted: u32) -> bool {
        let granted = match () {
            () if self.uid == 0 => return true,
            () if owner == self.uid => mode >> 6,
            () if group == self.gid || self.groups.contains(&group) => mode >> 3,
            () => mode,
        };
        granted & wanted == wanted
    }

    fn from_user(user: User) -> io::Result<Self> {
        let name = std::ffi::CString::new(user.name.as_str())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let groups = nix::unistd::getgrouplist(&name, user.gid)?.into_iter().map(Gid::as_raw).collect();
        let home = Utf8PathBuf::try_from(user.dir)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(Self { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw(), home, groups })
    }
}

/// Whether this process runs as root.
#[must_use]
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The number of a group, by name.
///
/// # Errors
/// The group database could not be read.
pub fn group_id(name: &str) -> io::Result<Option<u32>> {
    Ok(Group::from_name(name)?.map(|group| group.gid.as_raw()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_account_is_found_by_its_name_and_number() {
        let current = Account::current().unwrap();

        assert_eq!(Account::by_name(&current.name).unwrap(), Some(current.clone()));
        assert_eq!(Account::by_uid(current.uid).unwrap(), Some(current));
    }

    #[test]
    fn the_first_class_that_fits_decides() {
        let account = Account {
            name: "a".to_owned(),
            uid: 7,
            gid: 8,
            home: Utf8PathBuf::from("/"),
            groups: vec![8, 9],
        };

        assert!(account.may(7, 1, 0o700, 4));
        assert!(!account.may(7, 9, 0o077, 4));
        assert!(account.may(1, 9, 0o010, 1));
        assert!(!account.may(1, 9, 0o707, 1));
        assert!(account.may(1, 1, 0o005, 5));
        assert!(!account.may(1, 1, 0o004, 1));
    }

    #[test]
    fn an_unknown_name_is_none() {
        assert_eq!(Account::by_name("no-such-user-here").unwrap(), None);
    }
}
