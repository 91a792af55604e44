//! The threads of an agent against a scripted master, in real time.

use slap::{Computer, Partition, Release, RequestedState, SoftwareState, SoftwareUrl};

use super::*;
use crate::trial::Trial;

/// The threads of an agent; they are told to end when this is dropped.
struct Running {
    board: Arc<Board>,
}

impl Running {
    fn start(trial: &Trial) -> Self {
        let board = Arc::new(Board::new(Arc::clone(&trial.node.clock), &trial.node.configuration.agent));
        socket::serve(&trial.node, &board).unwrap();
        spawn("watcher", &trial.node, &board, watcher::run);
        spawn("builder", &trial.node, &board, builder::run);
        spawn("keeper", &trial.node, &board, keeper::run);
        Self { board }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.board.stop();
    }
}

fn trial(engine: &str) -> Trial {
    let mut trial = Trial::new(engine);
    trial.use_real_time();
    trial.configure(|configuration| {
        configuration.agent.poll = Duration::from_millis(50);
        configuration.agent.first_retry = Duration::from_secs(3600);
        configuration.agent.longest_retry = Duration::from_secs(3600);
    });
    trial
}

fn computer(releases: &[&SoftwareUrl], partitions: Vec<Partition>) -> Computer {
    let release = |url: &&SoftwareUrl| Release { url: (*url).clone(), state: SoftwareState::Available };
    Computer { id: "COMP-1".parse().unwrap(), releases: releases.iter().map(release).collect(), partitions }
}

#[test]
fn an_instance_follows_its_release_at_once() {
    // The release takes as long as nobody waits for it; its instance is built without that.
    let engine = "case $PWD in *soft*) while test ! -e ../../go; do sleep 0.01; done; echo '[buildout]' > instance.cfg;; esac";
    let trial = trial(engine);
    let url: SoftwareUrl = "http://release/new".parse().unwrap();
    let partition = trial.partition("slappart0", RequestedState::Started, &url);
    trial.master.wants(computer(&[&url], vec![partition]));

    let _agent = Running::start(&trial);
    let waits = Event::PartitionWaiting { partition: "slappart0".to_owned(), url: url.to_string() };
    let deadline = Instant::now() + Duration::from_secs(120);
    while !trial.events.take().contains(&waits) {
        assert!(Instant::now() < deadline, "nobody waits");
        std::thread::sleep(Duration::from_millis(5));
    }
    trial.directory.write("go", "", 0o644);

    let told = trial.master.wait_until_told("startedComputerPartition slappart0");
    assert_eq!(
        told,
        [
            "buildingSoftwareRelease http://release/new",
            "availableSoftwareRelease http://release/new",
            "startedComputerPartition slappart0"
        ]
    );
}

#[test]
fn a_change_is_noticed_and_an_instance_destroyed_when_asked() {
    let trial = trial("exit 0");
    let url = trial.release("web");
    let partition = trial.partition("slappart0", RequestedState::Started, &url);
    trial.master.wants(computer(&[&url], vec![partition.clone()]));
    let _agent = Running::start(&trial);
    trial.master.wait_until_told("startedComputerPartition slappart0");

    let changed = |state, timestamp: &str| Partition {
        requested_state: state,
        timestamp: Some(timestamp.to_owned()),
        ..partition.clone()
    };
    trial.master.wants(computer(&[&url], vec![changed(RequestedState::Stopped, "11")]));
    trial.master.wait_until_told("stoppedComputerPartition slappart0");
    trial.master.wants(computer(&[&url], vec![changed(RequestedState::Destroyed, "12")]));
    trial.master.wait_until_told("destroyedComputerPartition slappart0");

    assert!(!trial.directory.exists("inst/slappart0/buildout.cfg"));
}

#[test]
fn what_failed_waits_until_somebody_pokes_or_asks_for_something_else() {
    let trial = trial("test -e \"$PWD.good\"");
    let url = trial.release("web");
    let mut partition = trial.partition("slappart0", RequestedState::Started, &url);
    trial.master.wants(computer(&[&url], vec![partition.clone()]));
    let _agent = Running::start(&trial);
    trial.master.wait_until_told("softwareInstanceError slappart0");
    let configuration = &trial.node.configuration;
    let failures = || status(configuration).unwrap().failed_partitions;
    let wait_for = |count: usize| {
        let deadline = Instant::now() + Duration::from_secs(120);
        while failures().len() != count {
            assert!(Instant::now() < deadline, "{:?}", failures());
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    wait_for(1);
    assert_eq!((failures()[0].subject.as_str(), failures()[0].failures), ("slappart0", 1));

    poke(configuration).unwrap();
    trial.master.wait_until_told("softwareInstanceError slappart0");
    partition.timestamp = Some("11".to_owned());
    trial.directory.write("inst/slappart0.good", "", 0o644);
    trial.master.wants(computer(&[&url], vec![partition]));

    trial.master.wait_until_told("startedComputerPartition slappart0");
    wait_for(0);
}

#[test]
fn a_master_that_comes_back_is_noticed() {
    let trial = trial("exit 0");
    let url = trial.release("web");
    trial.master.wants(computer(&[&url], vec![trial.partition("slappart0", RequestedState::Started, &url)]));
    trial.master.answers("getFullComputerInformation", 503);
    let _agent = Running::start(&trial);
    let deadline = Instant::now() + Duration::from_secs(120);
    while status(&trial.node.configuration).unwrap().master.since.is_none() {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(5));
    }

    trial.master.answers("getFullComputerInformation", 200);

    trial.master.wait_until_told("startedComputerPartition slappart0");
    assert!(status(&trial.node.configuration).unwrap().master.answers);
    let events = trial.events.take();
    assert!(events.contains(&Event::MasterFound), "{events:?}");
}

#[test]
fn a_partition_that_vanished_asks_for_a_format() {
    let trial = trial("exit 0");
    let url = trial.release("web");
    let partition = trial.partition("slappart0", RequestedState::Started, &url);
    fs_err::remove_dir(trial.directory.path().join("inst/slappart0")).unwrap();
    trial.master.wants(computer(&[&url], vec![partition]));
    let agent = Running::start(&trial);

    let deadline = Instant::now() + Duration::from_secs(120);
    while !agent.board.take_format_wanted() {
        assert!(Instant::now() < deadline, "no format is wanted");
        std::thread::sleep(Duration::from_millis(5));
    }
    trial.directory.make("inst/slappart0", 0o750);
    agent.board.poke();
    let told = trial.master.wait_until_told("startedComputerPartition slappart0");
    assert_eq!(told, ["startedComputerPartition slappart0"]);
}

#[test]
fn an_agent_that_is_absent_says_where_it_would_answer() {
    let trial = trial("exit 0");

    let error = poke(&trial.node.configuration).unwrap_err().to_string();

    assert!(error.ends_with("/inst/var/run/slapos-agent.sock"), "{error}");
}
