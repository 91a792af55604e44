//! The programs of a partition, and the file that tells them to a supervisor.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use host::users::Account;

use super::{SERVICE_MARK, names_in};

/// One program of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionProgram {
    /// The name of its wrapper; with the group's name before it, the name of its section and of its log file.
    pub id: String,
    /// The name of its process.
    pub process_name: String,
    /// What is run: the path of the wrapper.
    pub command: String,
    /// Whether it runs as root instead of the partition's owner.
    pub as_root: bool,
}

/// The programs that run together under one name in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionGroup {
    /// The partition's id, or `<id>-<suffix>`.
    pub name: String,
    /// The partition's directory.
    pub directory: Utf8PathBuf,
    /// What it runs, in order.
    pub programs: Vec<PartitionProgram>,
}

impl PartitionGroup {
    /// The group of a partition's wrappers: all of `etc/run`, then all of `etc/service`, each sorted by name; of a
    /// name in both the service counts. `None` when there is no wrapper.
    ///
    /// # Errors
    /// A directory that exists and cannot be read.
    pub fn of_wrappers(partition: &str, directory: &Utf8Path) -> io::Result<Option<Self>> {
        let mut programs: Vec<PartitionProgram> = Vec::new();
        for (folder, mark) in [("etc/run", ""), ("etc/service", SERVICE_MARK)] {
            for name in names_in(&directory.join(folder))? {
                let program = PartitionProgram {
                    process_name: format!("{name}{mark}"),
                    command: directory.join(folder).join(&name).into_string(),
                    id: name,
                    as_root: false,
                };
                match programs.iter_mut().find(|present| present.id == program.id) {
                    Some(present) => *present = program,
                    None => programs.push(program),
                }
            }
        }
        let group = Self { name: partition.to_owned(), directory: directory.to_owned(), programs };
        Ok(Some(group).filter(|group| !group.programs.is_empty()))
    }

    /// The content of the group's file.
    ///
    /// # Errors
    /// The owner of the partition's directory is not known.
    pub fn text(&self) -> io::Result<String> {
        let owner = Account::owner_of(&self.directory)?;
        let root = Account::by_uid(0)?;
        let sections: Vec<String> =
            self.programs.iter().map(|program| format!("{}_{}", self.name, program.id)).collect();
        let mut text = format!("[group:{}]\nprograms={}\n", self.name, sections.join(","));
        for (section, program) in sections.iter().zip(&self.programs) {
            let account = if program.as_root { root.as_ref().unwrap_or(&owner) } else { &owner };
            // The group is the directory's, which need not be the owner's first one.
            let gid = if program.as_root { 0 } else { group_of(&self.directory)? };
            text.push('\n');
            text.push_str(&program_section(section, program, &self.directory, account, gid));
        }
        // Compatibility: the reference ends the file without a line end, and rewrites it when it has one.
        text.truncate(text.trim_end().len());
        Ok(text)
    }
}

fn program_section(
    section: &str,
    program: &PartitionProgram,
    directory: &Utf8Path,
    account: &Account,
    gid: u32,
) -> String {
    let PartitionProgram { process_name, command, .. } = program;
    let Account { name, uid, home, .. } = account;
    format!(
        "[program:{section}]
directory={directory}
command={command}
process_name={process_name}
autostart=false
autorestart=false
startsecs=0
startretries=0
exitcodes=0
stopsignal=TERM
stopwaitsecs=60
stopasgroup=true
killasgroup=true
user={uid}
group={gid}
serverurl=AUTO
redirect_stderr=true
stdout_logfile={directory}/.{section}.log
stdout_logfile_maxbytes=100KB
stdout_logfile_backups=1
stderr_logfile={directory}/.{section}.log
stderr_logfile_maxbytes=100KB
stderr_logfile_backups=1
environment=USER=\"{name}\",LOGNAME=\"{name}\",HOME=\"{home}\"
"
    )
}

pub(super) fn group_of(path: &Utf8Path) -> io::Result<u32> {
    use std::os::unix::fs::MetadataExt;
    Ok(fs_err::symlink_metadata(path)?.gid())
}
