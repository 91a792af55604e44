//! Bringing a cloud up: directories, configuration, master, partitions, agent. Whatever is already there is kept.

use std::time::Duration;

use host::clock::Clock;
use host::users::{Account, is_root};
use slap::client::{Client, ClientError, Endpoint};

use crate::cloud::daemon::Daemon;
use crate::cloud::{Cloud, account, deploy, processes, settings};
use crate::config::node::{NodeFlags, load};
use crate::context::Context;
use crate::env::Environment;
use crate::failure::{Failure, Kind};
use crate::node_pass;

/// How long a process may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(30);

/// The other names of this program, which the processes of a cloud are known by.
const NAMES: [&str; 4] = ["buildout", "slapos-watchdog", "supervisord", "supervisorctl"];

/// Becomes the user that the cloud runs as, for good: root's clouds belong to the system user, whom it makes.
pub(crate) fn become_user(context: &Context<'_>, cloud: &Cloud) -> Result<Account, Failure> {
    let environment = context.environment;
    let own = || {
        Account::current().map_err(|error| {
            Failure::new(Kind::Failed, "cannot find out who runs this").because_of(&error).code("E-user")
        })
    };
    if !is_root() {
        return own();
    }
    let user = account::find_or_make(environment)?;
    account::give_root(cloud, &user).map_err(|error| unwritable(cloud, &error))?;
    if let Some(obstacle) = account::obstacle(&user, cloud.root()) {
        return Err(Failure::new(
            Kind::Failed,
            format!("the user `{}`, as whom everything is built, cannot reach {}", user.name, cloud.root()),
        )
        .because(format!("{obstacle} is closed to it"))
        .hint(format!("open the way: chmod o+x {obstacle}"))
        .hint("or choose another directory: --root DIR")
        .code("E-directory-unreachable"));
    }
    // Opened while the program can be read: its directory may be closed to the user.
    let program = fs_err::File::open(&environment.program);
    let is_closed = account::obstacle(&user, &environment.program).is_some();
    user.become_it().map_err(|error| {
        Failure::new(Kind::Failed, format!("cannot become the user `{}`", user.name))
            .because_of(&error)
            .code("E-user")
    })?;
    if is_closed {
        program
            .and_then(|program| install_copy(cloud, program))
            .map_err(|error| unwritable(cloud, &error))?;
    }
    Ok(user)
}

/// Makes the directories, and the names by which the processes start this program.
pub(crate) fn prepare(context: &Context<'_>, cloud: &Cloud) -> Result<(), Failure> {
    cloud.make_directories().map_err(|error| unwritable(cloud, &error))?;
    link_program(context.environment, cloud).map_err(|error| unwritable(cloud, &error))
}

/// Starts what does not run, and returns a client of the master.
pub(crate) fn start(
    context: &Context<'_>,
    cloud: &Cloud,
    user: &Account,
    first_port: u16,
    told: &mut dyn FnMut(&str),
) -> Result<Client, Failure> {
    let environment = context.environment;
    let master = processes::master(cloud, environment);
    let agent = processes::agent(cloud, environment);
    let is_master_running = master.running()?.is_some();
    let port = match settings::remembered_port(cloud) {
        Some(port) if is_master_running => port,
        Some(port) => settings::free_port_or(port, first_port)?,
        None => settings::free_port(first_port)?,
    };
    let has_changed = settings::write(cloud, port, &user.name).map_err(|error| unwritable(cloud, &error))?;
    if has_changed {
        // They have read the file as it was.
        agent.stop(&context.clock)?;
        master.stop(&context.clock)?;
    }
    let url = settings::master_url(port);
    let client = Client::new(&Endpoint { timeout: Duration::from_secs(60), ..Endpoint::new(url.as_str()) })?;
    bring_up(context, &master, &mut || answers(&client)).map_err(|failure| master_failure(cloud, failure))?;
    told(&format!("master {url}"));
    let partitions = format_if_needed(context, cloud, &client, has_changed)?;
    told(&format!("node {}, {partitions} partitions", settings::COMPUTER));
    let lock = agent.lock.clone();
    bring_up(context, &agent, &mut || crate::cloud::daemon::holder(&lock).ok().flatten().is_some())?;
    Ok(client)
}

/// Starts a process unless it runs; either way it is ready afterwards.
fn bring_up(
    context: &Context<'_>,
    daemon: &Daemon,
    is_ready: &mut dyn FnMut() -> bool,
) -> Result<(), Failure> {
    if daemon.running()?.is_none() {
        return daemon.start(&context.clock, START_LIMIT, is_ready);
    }
    let deadline = context.clock.now() + START_LIMIT;
    while !is_ready() {
        if context.clock.now() > deadline {
            return Err(daemon.failed("does not answer", 0));
        }
        context.clock.sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// The failure of a master that does not start, with what can be done about it in a cloud.
fn master_failure(cloud: &Cloud, failure: Failure) -> Failure {
    let database = cloud.database();
    match failure.stable_code() {
        Some("E-database" | "E-database-damaged") => failure.without_hints().hint(format!(
            "move it away: mv {database} {database}.damaged; the next slapos up makes a new one"
        )),
        _ => failure,
    }
}

/// Whether something that speaks HTTP is there; what it answers does not matter.
fn answers(client: &Client) -> bool {
    !matches!(client.run_id(), Err(ClientError::Unreachable { .. }))
}

/// Formats the node unless the master knows its partitions and nothing changed; returns how many it has.
fn format_if_needed(
    context: &Context<'_>,
    cloud: &Cloud,
    client: &Client,
    has_changed: bool,
) -> Result<usize, Failure> {
    let computer = deploy::computer();
    if !has_changed && cloud.computer_xml().exists() {
        match client.computer(&computer) {
            Ok(known) if !known.partitions.is_empty() => return Ok(known.partitions.len()),
            Ok(_) | Err(ClientError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let settings = load(context, &NodeFlags::of_choice(Some(cloud.configuration().to_string())))?;
    let node = node_pass::connect(context, settings.configuration)?;
    node_pass::format(&node).map_err(|failure| match failure.stable_code() {
        Some("E-disk-full") => failure.without_hints().hint(free_space(cloud)),
        _ => failure,
    })?;
    Ok(client.computer(&computer)?.partitions.len())
}

/// The processes find this program in the cloud: a link to it, or the copy made for a user who cannot reach it.
fn link_program(environment: &Environment, cloud: &Cloud) -> std::io::Result<()> {
    let program = cloud.program();
    let is_reachable = fs_err::File::open(&environment.program).is_ok();
    let points_elsewhere =
        || fs_err::read_link(&program).map_or(true, |target| target != environment.program.as_std_path());
    if is_reachable && environment.program != program && points_elsewhere() {
        replace_link(&program, environment.program.as_str())?;
    }
    for name in NAMES {
        let link = program.with_file_name(name);
        if fs_err::read_link(&link).map_or(true, |target| target.as_os_str() != "slapos") {
            replace_link(&link, "slapos")?;
        }
    }
    Ok(())
}

fn replace_link(link: &camino::Utf8Path, target: &str) -> std::io::Result<()> {
    if let Some(directory) = link.parent() {
        host::files::ensure_directory(directory, 0o755)?;
    }
    host::files::remove_if_present(link)?;
    fs_err::os::unix::fs::symlink(target, link)
}

/// Copies the program into the cloud, unless the copy there is the same.
fn install_copy(cloud: &Cloud, mut program: fs_err::File) -> std::io::Result<()> {
    let path = cloud.program();
    let mut content = Vec::new();
    std::io::Read::read_to_end(&mut program, &mut content)?;
    if let Some(directory) = path.parent() {
        host::files::ensure_directory(directory, 0o755)?;
    }
    host::files::replace_if_changed(&path, content, 0o755).map(drop)
}

fn free_space(cloud: &Cloud) -> String {
    format!("free some space, then run it again: df -h {}", cloud.root())
}

/// The failure for a directory in which nothing can be written.
pub(crate) fn unwritable(cloud: &Cloud, error: &std::io::Error) -> Failure {
    let failure =
        Failure::new(Kind::Failed, format!("cannot keep a cloud in {}", cloud.root())).because_of(error);
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => failure
            .hint(free_space(cloud))
            .hint("or choose another directory: --root DIR")
            .code("E-disk-full"),
        std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => failure
            .hint("make it writable, or choose another directory: --root DIR")
            .code("E-directory-unwritable"),
        _ => failure.hint("choose another directory: --root DIR").code("E-directory"),
    }
}
