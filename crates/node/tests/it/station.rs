//! A supervisor in a process of its own, over partitions in a directory of its own.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use host::children::{signal_process, signals};
use host::inhabitants::Inhabitant;
use host::users::{Account, is_root};
use node::supervisor::{Client, Layout, ProcessInfo, ProcessState, Supervisor, WatchdogArguments};

/// How long anything may take that is waited for. A machine that runs all tests at once is slow.
const PATIENCE: Duration = Duration::from_secs(120);

/// An instance root with its supervisor, which is ended with everything that it runs.
pub(crate) struct Station {
    _guard: tempfile::TempDir,
    pub(crate) supervisor: Supervisor,
}

impl Station {
    pub(crate) fn new() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let guard = tempfile::tempdir().unwrap();
        fs_err::set_permissions(guard.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let layout = Layout::new(Utf8PathBuf::try_from(guard.path().to_owned()).unwrap());
        let command: [OsString; 2] = [program().into(), layout.configuration_file().into()];
        let supervisor = Supervisor::new(layout, Some(command.to_vec()));
        supervisor.write_configuration(None).unwrap();
        Self { _guard: guard, supervisor }
    }

    pub(crate) fn root(&self) -> &Utf8Path {
        self.supervisor.layout().instance_root()
    }

    /// Runs it, telling bangs to `master`.
    pub(crate) fn run(&self, master: Option<&str>) -> Client {
        let watchdog = master.map(|url| WatchdogArguments {
            program: "/opt/slapos/bin/slapos-watchdog".into(),
            master_url: url.to_owned(),
            computer_id: "local".to_owned(),
            certificate_repository: None,
            instance_root: Some(self.root().to_owned()),
        });
        self.supervisor.write_configuration(watchdog.as_ref()).unwrap();
        self.supervisor.ensure_running().unwrap()
    }

    /// The directory of a partition, which belongs to an ordinary user.
    pub(crate) fn partition(&self, id: &str) -> Utf8PathBuf {
        let directory = self.root().join(id);
        for folder in ["etc/run", "etc/service"] {
            fs_err::create_dir_all(directory.join(folder)).unwrap();
        }
        if is_root() {
            let nobody = Account::by_name("nobody").unwrap().unwrap();
            std::os::unix::fs::chown(&directory, Some(nobody.uid), Some(nobody.gid)).unwrap();
        }
        directory
    }

    /// Puts a wrapper into a partition.
    pub(crate) fn wrapper(&self, path: &str, script: &str) {
        host::files::replace(&self.root().join(path), format!("#!/bin/sh\n{script}\n"), 0o755).unwrap();
    }

    /// Declares programs by hand, as in a file of an administrator.
    pub(crate) fn declare(&self, name: &str, text: &str) {
        host::files::replace(&self.supervisor.layout().group_file(name), text, 0o600).unwrap();
    }

    pub(crate) fn start(&self, partition: &str) {
        self.supervisor.start(partition, &self.root().join(partition)).unwrap();
    }

    pub(crate) fn process(&self, name: &str) -> ProcessInfo {
        self.supervisor.client().process(name).unwrap()
    }

    /// Waits until a process is as `wanted` says, and returns it.
    pub(crate) fn wait(&self, name: &str, wanted: impl Fn(&ProcessInfo) -> bool) -> ProcessInfo {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let process = self.process(name);
            if wanted(&process) {
                return process;
            }
            assert!(Instant::now() < deadline, "{process:?}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn wait_running(&self, name: &str) -> ProcessInfo {
        self.wait(name, |process| process.state == ProcessState::Running)
    }

    /// The supervisor's own log.
    pub(crate) fn log(&self) -> String {
        fs_err::read_to_string(self.supervisor.layout().log()).unwrap_or_default()
    }

    /// Kills the supervisor as a crash would, and returns when it is gone.
    pub(crate) fn kill(&self) {
        let pid = self.supervisor.client().pid().unwrap();
        signal_process(pid, signals::KILL).unwrap();
        wait_until("the supervisor is gone", || !host::process::is_alive(pid));
    }

    /// Everything that a supervisor of this root has started, whoever runs it today.
    pub(crate) fn inhabitants(&self) -> Vec<u32> {
        let address = format!("unix://{}", self.root().join("sv.sock"));
        let all = Inhabitant::all().unwrap().into_iter().filter(|process| !process.is_zombie);
        all.filter(|process| process.variable("SUPERVISOR_SERVER_URL").as_deref() == Some(&*address))
            .map(|process| process.pid)
            .collect()
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        let client = self.supervisor.client();
        if let Ok(pid) = client.pid() {
            let _ = signal_process(pid, signals::KILL);
        }
        for pid in self.inhabitants() {
            let _ = signal_process(pid, signals::KILL);
        }
    }
}

/// Waits for a fact that must come true.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The example of this crate that runs a supervisor.
fn program() -> Utf8PathBuf {
    let own = Utf8PathBuf::try_from(std::env::current_exe().unwrap()).unwrap();
    own.parent().unwrap().parent().unwrap().join("examples/supervisord")
}
