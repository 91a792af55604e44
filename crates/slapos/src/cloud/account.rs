//! The user that a cloud runs as when root starts it. Nothing is built or run as root.

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use host::process::Program;
use host::users::Account;

use crate::cloud::Cloud;
use crate::env::Environment;
use crate::failure::{Failure, Kind};

/// Name of the system user.
pub(crate) const NAME: &str = "slapos";

/// Home of the system user, and its cloud.
pub(crate) const HOME: &str = "/var/lib/slapos";

/// The comment in the password database by which `down --destroy` knows a user that `up` made.
const MADE_BY_UP: &str = "made by slapos up";

/// Finds the system user, or makes it.
pub(crate) fn find_or_make(environment: &Environment) -> Result<Account, Failure> {
    let failed = |message: &str| {
        Failure::new(Kind::Failed, message.to_owned())
            .hint(format!("make it yourself: useradd --system --user-group --home-dir {HOME} {NAME}"))
            .hint("or run slapos up as an ordinary user")
            .code("E-user")
    };
    let look = || {
        Account::by_name(NAME).map_err(|error| failed("cannot read the database of users").because_of(&error))
    };
    if let Some(account) = look()? {
        return Ok(account);
    }
    let shell = "/usr/sbin/nologin";
    run(
        environment,
        "useradd",
        &[
            "--system",
            "--user-group",
            "--no-create-home",
            "--home-dir",
            HOME,
            "--shell",
            shell,
            "--comment",
            MADE_BY_UP,
            NAME,
        ],
    )
    .map_err(|because| failed("cannot make the system user `slapos`").because(because))?;
    look()?.ok_or_else(|| failed("the system user `slapos` was made but is not there"))
}

/// What became of the system user when its cloud was removed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    /// `up` had made it; it is gone.
    Removed,
    /// `up` had not made it.
    NotOurs,
    /// It is still needed: by processes of another cloud, as far as the machine says why.
    StillUsed(String),
}

/// Removes the system user, if `up` made it and nothing of it runs.
pub(crate) fn remove_if_made(environment: &Environment) -> Removal {
    let database = fs_err::read_to_string("/etc/passwd").unwrap_or_default();
    let is_ours = database.lines().any(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        fields.first() == Some(&NAME) && fields.get(4) == Some(&MADE_BY_UP)
    });
    if !is_ours {
        return Removal::NotOurs;
    }
    match run(environment, "userdel", &[NAME]) {
        Ok(()) => Removal::Removed,
        Err(because) => Removal::StillUsed(because),
    }
}

fn run(environment: &Environment, program: &str, arguments: &[&str]) -> Result<(), String> {
    let path =
        find_program(environment, program).ok_or_else(|| format!("there is no program `{program}`"))?;
    let finished = Program::new(path)
        .args(arguments.iter().copied())
        .env("PATH", &environment.path)
        .run(Some(Duration::from_secs(60)), &mut |_| {})
        .map_err(|error| error.to_string())?;
    if finished.success() {
        Ok(())
    } else {
        Err(format!("{program}: {}: {}", finished.verdict(), finished.text().trim()))
    }
}

/// The administrator's programs are not on everybody's path.
fn find_program(environment: &Environment, name: &str) -> Option<Utf8PathBuf> {
    let on_path =
        std::env::split_paths(&environment.path).filter_map(|path| Utf8PathBuf::try_from(path).ok());
    on_path
        .chain(["/usr/sbin", "/sbin"].map(Utf8PathBuf::from))
        .map(|path| path.join(name))
        .find(|path| path.is_file())
}

/// The first directory on the way to `path`, or `path` itself, that `account` may not pass.
pub(crate) fn obstacle(account: &Account, path: &Utf8Path) -> Option<Utf8PathBuf> {
    let mut ancestors: Vec<&Utf8Path> = path.ancestors().collect();
    ancestors.reverse();
    ancestors
        .into_iter()
        .find(|step| {
            let Ok(metadata) = fs_err::metadata(step.as_std_path()) else { return false };
            // A directory must be searched, a file read.
            let wanted = if metadata.is_dir() { 0o1 } else { 0o4 };
            !account.may(metadata.uid(), metadata.gid(), metadata.mode(), wanted)
        })
        .map(Utf8Path::to_owned)
}

/// The failure for a profile that the cloud's user cannot reach.
pub(crate) fn unreachable(account: &Account, path: &Utf8Path, obstacle: &Utf8Path) -> Failure {
    Failure::new(
        Kind::Failed,
        format!("the user `{}`, as whom everything is built, cannot read {path}", account.name),
    )
    .because(format!("{obstacle} is closed to it"))
    .hint(format!("open the way: chmod o+x {obstacle}"))
    .hint("or put the profile somewhere else, for example below /srv, or run slapos up as an ordinary user")
    .code("E-profile-unreachable")
}

/// Gives the cloud's directory to `account`, making it if it is missing. Only the directory itself: what is inside
/// was made by the account.
pub(crate) fn give_root(cloud: &Cloud, account: &Account) -> std::io::Result<()> {
    let root = cloud.root();
    if let Some(parent) = root.parent() {
        host::files::ensure_directory(parent, 0o755)?;
    }
    match fs_err::create_dir(root) {
        Ok(()) => host::files::give(root, account),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let metadata = fs_err::symlink_metadata(root)?;
            let is_empty = metadata.is_dir() && fs_err::read_dir(root)?.next().is_none();
            if metadata.uid() != account.uid && is_empty { host::files::give(root, account) } else { Ok(()) }
        }
        Err(error) => Err(error),
    }
}
