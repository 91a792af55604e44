//! The files that tell a supervisor what to run, in the exact form that slapgrid writes and supervisord reads.
//!
//! Nothing here marks a program for a restart: a program whose process name ends in `-on-watch` is a service, and our
//! supervisor restarts it when it ends; supervisord, reading the same file, leaves it ended. See `super::lifecycle`.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use host::files;
use host::users::Account;

use super::layout::Layout;

/// What is appended to the process name of a service.
pub const SERVICE_MARK: &str = "-on-watch";

/// What the watchdog has to know, which the main file passes to it as its command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchdogArguments {
    /// The program `slapos-watchdog`; our supervisor never runs it, supervisord does.
    pub program: Utf8PathBuf,
    /// Address of the master.
    pub master_url: String,
    /// The computer's id.
    pub computer_id: String,
    /// Directory with the certificate and key of each partition.
    pub certificate_repository: Option<Utf8PathBuf>,
    /// Directory of the partitions; without it every exit bangs.
    pub instance_root: Option<Utf8PathBuf>,
}

/// Why a watchdog's command line makes no sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// An option that does not exist, or is the beginning of several.
    #[error("unknown watchdog option `{0}`")]
    Unknown(String),
    /// An option without value.
    #[error("watchdog option `{0}` has no value")]
    NoValue(String),
    /// A required option that is absent.
    #[error("watchdog option `{0}` is missing")]
    Missing(&'static str),
}

impl WatchdogArguments {
    /// The command as it stands in the main file.
    #[must_use]
    pub fn command_line(&self) -> String {
        // Compatibility: the reference leaves the place of an absent repository empty between two blanks.
        let repository = match &self.certificate_repository {
            Some(directory) => format!("--certificate-repository-path '{directory}'"),
            None => String::new(),
        };
        let root = self.instance_root.as_deref().map(Utf8Path::as_str).unwrap_or_default();
        format!(
            "{} --master-url '{}' {repository} --computer-id '{}' --instance-root '{root}'",
            self.program, self.master_url, self.computer_id
        )
    }

    /// Reads the words of a command line, the program first. Options may be abbreviated.
    ///
    /// # Errors
    /// Unknown or missing options.
    pub fn parse(words: &[String]) -> Result<Self, ArgumentError> {
        const OPTIONS: [&str; 4] =
            ["--master-url", "--computer-id", "--certificate-repository-path", "--instance-root-path"];
        let mut values: [Option<String>; 4] = [None, None, None, None];
        let mut words = words.iter();
        let program = Utf8PathBuf::from(words.next().map_or("slapos-watchdog", String::as_str));
        while let Some(word) = words.next() {
            let (name, attached) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            let mut candidates =
                (0..OPTIONS.len()).filter(|index| name.len() > 2 && OPTIONS[*index].starts_with(name));
            let (Some(index), None) = (candidates.next(), candidates.next()) else {
                return Err(ArgumentError::Unknown(word.clone()));
            };
            let value = attached.or_else(|| words.next().cloned());
            values[index] = Some(value.ok_or_else(|| ArgumentError::NoValue(word.clone()))?);
        }
        let [master_url, computer_id, repository, root] = values;
        let directory = |text: Option<String>| text.filter(|text| !text.is_empty()).map(Utf8PathBuf::from);
        Ok(Self {
            program,
            master_url: master_url.ok_or(ArgumentError::Missing("--master-url"))?,
            computer_id: computer_id.ok_or(ArgumentError::Missing("--computer-id"))?,
            certificate_repository: directory(repository),
            instance_root: directory(root),
        })
    }
}

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

/// Creates the directories of the supervisor and writes its main file when it differs; returns whether it did.
///
/// Without `watchdog` the present watchdog command is kept, and a new file gets an empty one.
///
/// # Errors
/// The instance root does not exist, or something in it cannot be written.
pub fn write_main(layout: &Layout, watchdog: Option<&WatchdogArguments>) -> io::Result<bool> {
    let root = layout.instance_root();
    if !root.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("instance root `{root}` does not exist"),
        ));
    }
    files::ensure_directory(&root.join("var"), 0o755)?;
    for private in ["etc", "etc/supervisord.conf.d", "var/log", "var/run"] {
        files::ensure_directory(&root.join(private), 0o700)?;
    }
    let present = files::read_text_if_present(&layout.configuration_file())?;
    let command = match watchdog {
        Some(watchdog) => watchdog.command_line(),
        None => present.as_deref().and_then(watchdog_command).unwrap_or_default().to_owned(),
    };
    files::replace_if_changed(&layout.configuration_file(), main_text(layout, &command), 0o600)
}

/// Writes a group's file when it differs; returns whether it did.
///
/// # Errors
/// The partition's owner is unknown, or the file cannot be written.
pub fn write_group(layout: &Layout, group: &PartitionGroup) -> io::Result<bool> {
    files::replace_if_changed(&layout.group_file(&group.name), group.text()?, 0o600)
}

/// The names of the groups of a partition that have a file: the partition's own, and those called `<id>-<suffix>`.
///
/// # Errors
/// The directory of the files exists and cannot be read.
pub fn groups_of(layout: &Layout, partition: &str) -> io::Result<Vec<String>> {
    let of_suffix = format!("{partition}-");
    let names = names_in(&layout.configuration_directory())?;
    let stems = names.iter().filter_map(|name| name.strip_suffix(".conf"));
    Ok(stems.filter(|stem| *stem == partition || stem.starts_with(&of_suffix)).map(str::to_owned).collect())
}

/// Removes a group's file; a missing one is no error.
///
/// # Errors
/// The file cannot be removed.
pub fn remove_group(layout: &Layout, group: &str) -> io::Result<()> {
    files::remove_if_present(&layout.group_file(group))
}

fn watchdog_command(main_text: &str) -> Option<&str> {
    let (_, section) = main_text.split_once("[eventlistener:watchdog]\n")?;
    section.lines().find_map(|line| line.strip_prefix("command="))
}

fn main_text(layout: &Layout, watchdog_command: &str) -> String {
    let (directory, socket) = (layout.configuration_directory(), layout.socket());
    let (log, pid_file) = (layout.log(), layout.pid_file());
    format!(
        "[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[include]
files = {directory}/*.conf

[supervisorctl]
serverurl = unix://{socket}

[supervisord]
loglevel = info
logfile = {log}
logfile_maxbytes = 50MB
nodaemon = false
pidfile = {pid_file}
logfile-backups = 10
# Do not set minfds. select() does not support file descriptors
# greater than 1023.
# minfds = 

[unix_http_server]
file={socket}
chmod=0700

[eventlistener:watchdog]
command={watchdog_command}
events=PROCESS_STATE_EXITED, PROCESS_STATE_FATAL
"
    )
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

fn group_of(path: &Utf8Path) -> io::Result<u32> {
    use std::os::unix::fs::MetadataExt;
    Ok(fs_err::symlink_metadata(path)?.gid())
}

/// The sorted names in a directory; none when it is absent.
fn names_in(directory: &Utf8Path) -> io::Result<Vec<String>> {
    let entries = match fs_err::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        match entry?.file_name().into_string() {
            Ok(name) => names.push(name),
            Err(name) => {
                tracing::warn!("`{directory}` holds the name {name:?}, which is not UTF-8: left out");
            }
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scratch {
        _guard: tempfile::TempDir,
        layout: Layout,
        partition: Utf8PathBuf,
    }

    fn scratch() -> Scratch {
        let guard = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(guard.path().to_owned()).unwrap();
        let partition = root.join("part1");
        for folder in ["etc/run", "etc/service"] {
            fs_err::create_dir_all(partition.join(folder)).unwrap();
        }
        Scratch { layout: Layout::new(root), partition, _guard: guard }
    }

    fn wrapper(scratch: &Scratch, path: &str) {
        files::replace(&scratch.partition.join(path), "#!/bin/sh\n", 0o755).unwrap();
    }

    #[test]
    fn run_comes_before_service_and_service_wins_a_name() {
        let scratch = scratch();
        for path in ["etc/service/b", "etc/service/a", "etc/run/z", "etc/run/b"] {
            wrapper(&scratch, path);
        }

        let group = PartitionGroup::of_wrappers("part1", &scratch.partition).unwrap().unwrap();

        let names: Vec<_> = group.programs.iter().map(|program| program.process_name.as_str()).collect();
        assert_eq!(names, ["b-on-watch", "z", "a-on-watch"]);
    }

    #[test]
    fn no_wrapper_is_no_group() {
        let scratch = scratch();

        assert_eq!(PartitionGroup::of_wrappers("part1", &scratch.partition).unwrap(), None);
    }

    #[test]
    fn a_group_file_has_the_form_of_the_reference() {
        let scratch = scratch();
        wrapper(&scratch, "etc/service/httpd");
        let group = PartitionGroup::of_wrappers("part1", &scratch.partition).unwrap().unwrap();
        let owner = Account::current().unwrap();

        let text = group.text().unwrap();

        let text = text
            .replace(scratch.layout.instance_root().as_str(), "ROOT")
            .replace(&format!("user={}", owner.uid), "user=UID")
            .replace(&format!("group={}", group_of(&scratch.partition).unwrap()), "group=GID")
            .replace(&format!("\"{}\"", owner.name), "\"NAME\"")
            .replace(&format!("\"{}\"", owner.home), "\"HOME\"");
        insta::assert_snapshot!(text, @r#"
        [group:part1]
        programs=part1_httpd

        [program:part1_httpd]
        directory=ROOT/part1
        command=ROOT/part1/etc/service/httpd
        process_name=httpd-on-watch
        autostart=false
        autorestart=false
        startsecs=0
        startretries=0
        exitcodes=0
        stopsignal=TERM
        stopwaitsecs=60
        stopasgroup=true
        killasgroup=true
        user=UID
        group=GID
        serverurl=AUTO
        redirect_stderr=true
        stdout_logfile=ROOT/part1/.part1_httpd.log
        stdout_logfile_maxbytes=100KB
        stdout_logfile_backups=1
        stderr_logfile=ROOT/part1/.part1_httpd.log
        stderr_logfile_maxbytes=100KB
        stderr_logfile_backups=1
        environment=USER="NAME",LOGNAME="NAME",HOME="HOME"
        "#);
    }

    #[test]
    fn a_partition_does_not_own_the_files_of_its_namesakes() {
        let scratch = scratch();
        write_main(&scratch.layout, None).unwrap();
        for name in ["part1", "part1-socat", "part1a", "part10"] {
            files::replace(&scratch.layout.group_file(name), "", 0o600).unwrap();
        }

        assert_eq!(groups_of(&scratch.layout, "part1").unwrap(), ["part1-socat", "part1"]);
    }

    #[test]
    fn the_main_file_is_written_once_and_keeps_its_watchdog() {
        let scratch = scratch();
        let watchdog = WatchdogArguments {
            program: "/opt/slapos/bin/slapos-watchdog".into(),
            master_url: "http://127.0.0.1:5000".into(),
            computer_id: "local".into(),
            certificate_repository: None,
            instance_root: Some(scratch.layout.instance_root().to_owned()),
        };

        assert!(write_main(&scratch.layout, Some(&watchdog)).unwrap());
        assert!(!write_main(&scratch.layout, Some(&watchdog)).unwrap());
        assert!(!write_main(&scratch.layout, None).unwrap());

        let text = fs_err::read_to_string(scratch.layout.configuration_file()).unwrap();
        let root = scratch.layout.instance_root();
        assert!(text.contains(&format!(
            "\ncommand=/opt/slapos/bin/slapos-watchdog --master-url 'http://127.0.0.1:5000'  --computer-id 'local' --instance-root '{root}'\n"
        )));
    }

    #[test]
    fn watchdog_options_may_be_abbreviated() {
        let words = [
            "slapos-watchdog",
            "--master",
            "http://m",
            "--computer-id=c",
            "--instance-root",
            "/srv",
            "--cert",
            "",
        ];
        let words: Vec<String> = words.map(str::to_owned).to_vec();

        let arguments = WatchdogArguments::parse(&words).unwrap();

        assert_eq!(arguments.computer_id, "c");
        assert_eq!(arguments.instance_root.as_deref(), Some(Utf8Path::new("/srv")));
        assert_eq!(arguments.certificate_repository, None);
        assert_eq!(WatchdogArguments::parse(&words[..3]), Err(ArgumentError::Missing("--computer-id")));
        assert!(matches!(
            WatchdogArguments::parse(&["w".into(), "--".into()]),
            Err(ArgumentError::Unknown(_))
        ));
    }
}
