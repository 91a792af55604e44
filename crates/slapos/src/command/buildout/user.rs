//! As whom a build runs that root has started.
//!
//! A profile is program text, so whoever may write into the directory of a build decides what is run: root builds as the
//! owner of the directory. Where that is root, as in most containers, root builds, and is told once how to do better.

use buildout::{CommandLine, Dialect};
use camino::{Utf8Path, Utf8PathBuf};
use host::users::{Account, is_root};

use crate::context::Context;
use crate::failure::{Failure, Kind};

/// Becomes the user that the build runs as, for good; gives that user if it is another one than before.
pub(super) fn settle(line: &CommandLine, context: &Context<'_>) -> Result<Option<Account>, Failure> {
    let directory = existing(&line.directory(&context.environment.working_directory));
    let account = match &line.user {
        Some(name) => named(name)?,
        None if is_root() => owner(&directory)?,
        None => return Ok(None),
    };
    let current = Account::current().ok();
    if current.is_some_and(|current| current.uid == account.uid) {
        if is_root() && line.changes() {
            warn(line, context);
        }
        return Ok(None);
    }
    if !is_root() {
        return Err(Failure::new(Kind::NotAllowed, format!("only root can build as `{}`", account.name))
            .hint("leave `--user` out, or start the build as root")
            .code("E-not-root"));
    }
    account.become_it().map_err(|error| {
        Failure::new(Kind::Failed, format!("cannot become the user `{}`", account.name))
            .because_of(&error)
            .code("E-user")
    })?;
    if line.changes() {
        // Asked of the kernel, which also knows of access lists and file systems that cannot be written.
        if !host::files::is_accessible(directory.as_std_path(), WRITE_AND_SEARCH) {
            return Err(closed(&account, &directory));
        }
        if line.user.is_none() && line.dialect == Dialect::Slapos {
            let name = &account.name;
            context.output.done(&format!("The build runs as {name}, the owner of {directory}."));
        }
    }
    Ok(Some(account))
}

const WRITE_AND_SEARCH: i64 = 0o3;

fn named(name: &str) -> Result<Account, Failure> {
    let failed = |because: String| {
        Failure::new(Kind::Failed, format!("there is no user `{name}` to build as"))
            .because(because)
            .hint("name one of this machine, or make it: useradd --system --create-home NAME")
            .code("E-user")
    };
    let found = Account::by_name(name).map_err(|error| failed(error.to_string()))?;
    found.ok_or_else(|| failed("the database of users does not have it".to_owned()))
}

fn owner(directory: &Utf8Path) -> Result<Account, Failure> {
    Account::owner_by_number(directory).map_err(|error| {
        Failure::new(Kind::Failed, format!("cannot find out whom {directory} belongs to"))
            .because_of(&error)
            .hint("name the user to build as: --user NAME")
            .code("E-user")
    })
}

fn closed(account: &Account, directory: &Utf8Path) -> Failure {
    let name = &account.name;
    Failure::new(
        Kind::Failed,
        format!("the user `{name}`, as whom the build runs, cannot write in {directory}"),
    )
    .hint(format!("give it the directory: chown {name} {directory}"))
    .hint("or name another user: --user NAME")
    .code("E-directory-unreachable")
}

/// Programs compare what zc.buildout prints, so its dialect says nothing more.
fn warn(line: &CommandLine, context: &Context<'_>) {
    if line.allow_root || context.environment.allow_root || line.dialect == Dialect::Upstream {
        return;
    }
    context.output.say(
        "warning: the build runs as root, and so does every command of its profiles\n\
         hint: build as another user, who owns the directory: --user NAME\n\
         hint: where root is all there is, as in a container: --allow-root, or SLAPOS_ALLOW_ROOT=1\n\
         W-root",
    );
}

/// The directory, or the nearest above it that exists.
fn existing(directory: &Utf8Path) -> Utf8PathBuf {
    directory.ancestors().find(|path| path.is_dir()).unwrap_or(directory).to_owned()
}
