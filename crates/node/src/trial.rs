//! What the tests of passes stand on: a directory that an ordinary user owns, a master and a supervisor that note what
//! they are asked, and a build engine that is a shell script.

mod directory;
mod master;
mod supervisor;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use fs_err as fs;
use host::clock::ManualClock;
use slap::client::{Client, Endpoint};
use slap::{Computer, Partition, RequestedState};

use crate::configuration::Configuration;
use crate::environment::Environment;
use crate::progress::{Event, Progress};
use crate::promise::{Check, PromiseFailure, Report};
use crate::{Node, Promises};

pub(crate) use directory::{TrialDirectory, directory};
use master::FakeMaster;
use supervisor::FakeSupervisor;

/// Promises whose results are set by the test.
#[derive(Default)]
pub(crate) struct FakePromises {
    failures: Mutex<BTreeMap<String, String>>,
    checks: Mutex<Vec<String>>,
}

impl FakePromises {
    pub(crate) fn fail(&self, partition: &str, message: &str) {
        self.failures.lock().unwrap().insert(partition.to_owned(), message.to_owned());
    }

    pub(crate) fn pass(&self, partition: &str) {
        self.failures.lock().unwrap().remove(partition);
    }

    pub(crate) fn checks(&self) -> Vec<String> {
        std::mem::take(&mut self.checks.lock().unwrap())
    }
}

impl Promises for FakePromises {
    fn check(&self, check: &Check<'_>) -> std::io::Result<Report> {
        let force = if check.force { " forced" } else { "" };
        self.checks.lock().unwrap().push(format!("{} {:?}{force}", check.partition, check.mode));
        let failure = self
            .failures
            .lock()
            .unwrap()
            .get(check.partition)
            .map(|message| PromiseFailure { name: "check.py".to_owned(), message: message.clone() });
        Ok(Report { failures: failure.into_iter().collect(), ..Report::default() })
    }
}

/// Keeps events.
#[derive(Default)]
pub(crate) struct Kept(Mutex<VecDeque<Event>>);

impl Kept {
    pub(crate) fn take(&self) -> Vec<Event> {
        self.0.lock().unwrap().drain(..).collect()
    }
}

impl Progress for Kept {
    fn event(&self, event: Event) {
        self.0.lock().unwrap().push_back(event);
    }
}

/// A whole node in a directory of its own.
pub(crate) struct Trial {
    pub(crate) directory: TrialDirectory,
    pub(crate) master: FakeMaster,
    pub(crate) supervisor: FakeSupervisor,
    pub(crate) promises: Arc<FakePromises>,
    pub(crate) events: Arc<Kept>,
    pub(crate) clock: ManualClock,
    pub(crate) node: Node,
}

impl Trial {
    /// A node whose engine is the shell script `engine`, run as `engine ARGUMENTS`.
    pub(crate) fn new(engine: &str) -> Self {
        let directory = directory();
        for name in ["soft", "inst", "inst/etc", "inst/var/run", "inst/var/log", "run"] {
            directory.make(name, 0o755);
        }
        let engine = directory.write("engine", &format!("#!/bin/sh\nset -e\n{engine}\n"), 0o755);
        let supervisor = FakeSupervisor::start(&directory.path().join("inst/sv.sock"));
        let master = FakeMaster::start();
        let path = |name: &str| directory.path().join(name);
        let mut configuration = Configuration::new(
            "COMP-1".parse().unwrap(),
            &master.url,
            path("soft"),
            path("inst"),
            &[engine.as_os_str().to_owned()],
        );
        configuration.engine = vec![engine.into_string().into()];
        configuration.software_minimum_space = 0;
        configuration.instance_minimum_space = 0;
        configuration.pid_files.software = path("run/software.pid");
        configuration.pid_files.instance = path("run/instance.pid");
        configuration.pid_files.report = path("run/report.pid");
        let promises = Arc::new(FakePromises::default());
        let events = Arc::new(Kept::default());
        let clock = ManualClock::new(
            jiff::Timestamp::try_from(fs::metadata(path("run")).unwrap().modified().unwrap()).unwrap(),
        );
        let node = Node {
            configuration: Arc::new(configuration),
            client: Client::new(&Endpoint::new(&master.url)).unwrap(),
            clock: Arc::new(clock.clone()),
            progress: Arc::<Kept>::clone(&events),
            environment: Arc::new(
                Environment::default().with("PATH", "/usr/bin:/bin").with("PIP_INDEX_URL", "x"),
            ),
            promises: Arc::<FakePromises>::clone(&promises),
        };
        Self { directory, master, supervisor, promises, events, clock, node }
    }

    /// Changes the configuration.
    pub(crate) fn configure(&mut self, change: impl FnOnce(&mut Configuration)) {
        let mut configuration = (*self.node.configuration).clone();
        change(&mut configuration);
        self.node.configuration = Arc::new(configuration);
    }

    /// Makes the machine's own clock that of the node, for tests of threads that wait.
    pub(crate) fn use_real_time(&mut self) {
        self.node.clock = Arc::new(host::clock::SystemClock);
    }

    /// Puts a complete release in place, and gives its address.
    pub(crate) fn release(&self, name: &str) -> slap::SoftwareUrl {
        let url: slap::SoftwareUrl = format!("http://release/{name}").parse().unwrap();
        let md5 = url.md5();
        self.directory.write(&format!("soft/{md5}/instance.cfg"), "[buildout]\nparts =", 0o644);
        self.directory.write(&format!("soft/{md5}/.completed"), "x", 0o644);
        url
    }

    /// Makes the directory of a partition, and gives what the master wants of it.
    pub(crate) fn partition(&self, id: &str, state: RequestedState, url: &slap::SoftwareUrl) -> Partition {
        self.directory.make(&format!("inst/{id}"), 0o750);
        Partition {
            requested_state: state,
            release: Some(url.clone()),
            software_type: Some("default".parse().unwrap()),
            timestamp: Some("10.5".to_owned()),
            access_status: Some("#access all right".to_owned()),
            ..Partition::free("COMP-1".parse().unwrap(), id.parse().unwrap())
        }
    }

    pub(crate) fn wants_partitions(&self, partitions: Vec<Partition>) {
        let id = "COMP-1".parse().unwrap();
        self.master.wants(Computer { id, releases: Vec::new(), partitions });
    }
}
