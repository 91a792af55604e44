//! The processes of all partitions: the files that describe them, the daemon that runs them, and who talks to it.
//!
//! A pass uses [`Supervisor`]: it makes sure that the daemon runs, and makes it start, stop or forget a partition.

pub mod client;
pub mod configuration;
mod daemon;
mod ini;
pub mod layout;
mod lifecycle;
mod settings;
pub mod xml_rpc;

use std::ffi::OsString;
use std::io;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use host::files;
use host::process::Program;

pub use client::{Client, ClientError, ProcessInfo, ProcessState};
pub use configuration::{PartitionGroup, PartitionProgram, WatchdogArguments};
pub use daemon::{DaemonError, DaemonSettings, run};
pub use ini::IniError;
pub use layout::Layout;
pub use settings::SettingsError;
use xml_rpc::code;

/// What a pass needs of the supervisor.
#[derive(Debug, Clone)]
pub struct Supervisor {
    layout: Layout,
    /// The command line that runs the daemon in the foreground; `None` when it must not be started.
    start: Option<Vec<OsString>>,
}

/// Why the supervisor could not do what a pass asked for.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// A configuration file could not be written or removed.
    #[error("failed to write the supervisor's configuration of {group}")]
    Configuration {
        /// The group, or `the main file`.
        group: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The daemon could not be run.
    #[error("failed to run the supervisor")]
    Start(#[source] io::Error),
    /// The daemon was run and does not answer.
    #[error("the supervisor was started and does not answer; it printed: {output}")]
    Silent {
        /// What it printed.
        output: String,
    },
    /// The daemon is ending, and takes too long.
    #[error("the supervisor on `{socket}` is shutting down")]
    ShuttingDown {
        /// Its socket.
        socket: Utf8PathBuf,
    },
    /// A call failed.
    #[error("failed to talk to the supervisor")]
    Client(#[from] ClientError),
}

/// How long a fresh daemon may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(20);

/// How long another daemon may take until it answers, when ours gave up.
const RIVAL_LIMIT: Duration = Duration::from_secs(2);

/// How long an ending daemon may take until another can be started: what it runs has a minute to end.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(70);

impl Supervisor {
    /// The supervisor of an instance root. `start` is the command line that runs the daemon in the foreground, program
    /// first; `None` when the configuration forbids to start it.
    #[must_use]
    pub fn new(layout: Layout, start: Option<Vec<OsString>>) -> Self {
        Self { layout, start }
    }

    /// Where its files are.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// A client of it, whether it runs or not.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(self.layout.socket())
    }

    /// Writes the main file, only when it differs; returns whether it did. Without `watchdog` the present one is kept.
    ///
    /// # Errors
    /// [`SupervisorError::Configuration`].
    pub fn write_configuration(&self, watchdog: Option<&WatchdogArguments>) -> Result<bool, SupervisorError> {
        self.retire_second()?;
        configuration::write_main(&self.layout, watchdog)
            .map_err(|source| SupervisorError::Configuration { group: "the main file".to_owned(), source })
    }

    /// Whether the daemon lives, by its process number: quick enough to be asked all the time. One that lives may still
    /// be starting or ending.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.noted_pid().is_some_and(host::process::is_alive)
    }

    fn noted_pid(&self) -> Option<u32> {
        let text = files::read_text_if_present(&self.layout.pid_file()).ok().flatten()?;
        text.trim().parse().ok()
    }

    /// Starts the daemon unless one answers, or it must not be started.
    ///
    /// # Errors
    /// The daemon cannot be run, or does not answer in time.
    pub fn ensure_running(&self) -> Result<Client, SupervisorError> {
        let client = self.client();
        let Some(command) = &self.start else { return Ok(client) };
        if self.wait_while_ending(&client)? {
            refresh_watchdog(&client)?;
        } else {
            // One that this process had started, and that was killed.
            self.noted_pid().into_iter().for_each(host::children::collect);
            let pid = self.launch(command)?;
            self.wait_for_answer(&client, pid)?;
        }
        Ok(client)
    }

    /// Makes the daemon run what a partition's wrappers say, and starts whatever of it does not run. A program whose
    /// name and command are as before is not restarted.
    ///
    /// # Errors
    /// The files cannot be written, or the daemon does not do as asked.
    pub fn start(&self, partition: &str, directory: &Utf8Path) -> Result<(), SupervisorError> {
        self.write_partition(partition, directory)?;
        let client = self.client();
        self.apply(&client, partition)?;
        client.start_group(partition)?;
        Ok(())
    }

    /// Stops a partition and waits until nothing of it runs. Groups of its managers go on.
    ///
    /// # Errors
    /// As [`Supervisor::start`].
    pub fn stop(&self, partition: &str) -> Result<(), SupervisorError> {
        self.remove_file(partition)?;
        self.apply(&self.client(), partition)
    }

    /// Stops a partition and everything that managers run for it, and forgets them.
    ///
    /// # Errors
    /// As [`Supervisor::start`].
    pub fn remove(&self, partition: &str) -> Result<(), SupervisorError> {
        let groups = configuration::groups_of(&self.layout, partition)
            .map_err(|source| SupervisorError::Configuration { group: partition.to_owned(), source })?;
        for group in &groups {
            self.remove_file(group)?;
        }
        self.apply(&self.client(), partition)
    }

    /// Ends a daemon on the usual socket when another has the historical one: an old version started it by mistake, and
    /// each partition can have its processes only once.
    fn retire_second(&self) -> Result<(), SupervisorError> {
        let usual = self.layout.usual_socket();
        if self.layout.socket() == usual || !usual.exists() {
            return Ok(());
        }
        let second = Client::new(&usual);
        if second.state().is_ok() {
            tracing::error!("two supervisors run: ending the one on `{usual}`");
            second.stop_all()?;
            second.shutdown()?;
        }
        Ok(())
    }

    fn write_partition(&self, partition: &str, directory: &Utf8Path) -> Result<(), SupervisorError> {
        let written = || match PartitionGroup::of_wrappers(partition, directory)? {
            Some(group) => configuration::write_group(&self.layout, &group).map(drop),
            None => {
                tracing::warn!(
                    partition.id = partition,
                    "partition {partition} has nothing in etc/run or etc/service"
                );
                configuration::remove_group(&self.layout, partition)
            }
        };
        written().map_err(|source| SupervisorError::Configuration { group: partition.to_owned(), source })
    }

    fn remove_file(&self, group: &str) -> Result<(), SupervisorError> {
        configuration::remove_group(&self.layout, group)
            .map_err(|source| SupervisorError::Configuration { group: group.to_owned(), source })
    }

    /// Makes the daemon's groups of a partition be what the files say. Groups of others are left alone, also when
    /// they differ: their own passes see to them.
    fn apply(&self, client: &Client, partition: &str) -> Result<(), SupervisorError> {
        let difference = client.reload_configuration()?;
        let of_suffix = format!("{partition}-");
        let concerned = |group: &&String| *group == partition || group.starts_with(&of_suffix);
        for group in difference.removed.iter().filter(concerned) {
            client.stop_group(group)?;
            forget(client, group)?;
        }
        for group in difference.changed.iter().filter(concerned) {
            if !client.update_group(group)? {
                // Compatibility: supervisord knows no finer step than the whole group.
                client.stop_group(group)?;
                forget(client, group)?;
                client.add_group(group)?;
            }
        }
        for group in difference.added.iter().filter(concerned) {
            match client.add_group(group) {
                // Another pass was quicker.
                Err(error) if error.fault_code() == Some(code::ALREADY_ADDED) => {}
                added => added?,
            }
        }
        Ok(())
    }

    /// Whether a daemon answers; waits for one that is ending.
    fn wait_while_ending(&self, client: &Client) -> Result<bool, SupervisorError> {
        let deadline = Instant::now() + SHUTDOWN_LIMIT;
        while Instant::now() < deadline {
            match client.state() {
                Ok(1) => return Ok(true),
                Ok(_) => {}
                Err(error) if error.fault_code() == Some(code::SHUTDOWN_STATE) => {}
                Err(_) => return Ok(false),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(SupervisorError::ShuttingDown { socket: client.socket().to_owned() })
    }

    fn launch(&self, command: &[OsString]) -> Result<u32, SupervisorError> {
        let [program, arguments @ ..] = command else {
            return Err(SupervisorError::Start(io::Error::new(
                io::ErrorKind::InvalidInput,
                "its command is empty",
            )));
        };
        let program = Utf8PathBuf::from(program.to_string_lossy().into_owned());
        files::remove_if_present(&self.layout.start_log()).map_err(SupervisorError::Start)?;
        // Its environment is that of everything it starts: it is empty, whoever starts it.
        let program = Program::new(program).args(arguments.iter().cloned()).directory("/");
        program.start_detached(&self.layout.start_log()).map_err(SupervisorError::Start)
    }

    fn wait_for_answer(&self, client: &Client, pid: u32) -> Result<(), SupervisorError> {
        let mut deadline = Instant::now() + START_LIMIT;
        let mut is_alive = true;
        while Instant::now() < deadline {
            if client.state().is_ok() {
                return Ok(());
            }
            if is_alive && !host::process::is_alive(pid) {
                // It gave up; perhaps because another one, started by somebody else at the same time, is about to answer.
                is_alive = false;
                deadline = deadline.min(Instant::now() + RIVAL_LIMIT);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let output = files::read_if_present(&self.layout.start_log()).ok().flatten().unwrap_or_default();
        Err(SupervisorError::Silent { output: String::from_utf8_lossy(&output).trim().to_owned() })
    }
}

/// Makes a daemon that runs already take the watchdog that the main file names: it may have been started without one,
/// or for another master.
fn refresh_watchdog(client: &Client) -> Result<(), SupervisorError> {
    const GROUP: &str = "watchdog";
    let difference = client.reload_configuration()?;
    let names = |groups: &[String]| groups.iter().any(|group| group == GROUP);
    if names(&difference.changed) || names(&difference.removed) {
        client.stop_group(GROUP)?;
        forget(client, GROUP)?;
    }
    if names(&difference.changed) || names(&difference.added) {
        client.add_group(GROUP)?;
    }
    Ok(())
}

/// Unloads a group that was stopped; what ends late gets the time for it.
fn forget(client: &Client, group: &str) -> Result<(), SupervisorError> {
    for _ in 0..10 {
        match client.remove_group(group) {
            Err(error) if error.fault_code() == Some(code::STILL_RUNNING) => {
                std::thread::sleep(Duration::from_secs(1));
            }
            // Another pass was quicker.
            Err(error) if error.fault_code() == Some(code::BAD_NAME) => return Ok(()),
            removed => return Ok(removed?),
        }
    }
    Ok(client.remove_group(group)?)
}
