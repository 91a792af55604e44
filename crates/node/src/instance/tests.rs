//! Whole instance passes against a scripted master, supervisor and engine.

use std::os::unix::fs::PermissionsExt;

use slap::RequestedState;

use super::*;
use crate::progress::Event;
use crate::trial::Trial;

/// Leaves a service and what it was run with.
const ENGINE: &str = r#"mkdir -p etc/service
echo '#!/bin/sh' > etc/service/web; chmod +x etc/service/web
{ echo "$@"; pwd; umask; env | sort; id -u; } > built
echo "Installing web."
touch .slapos-request-transaction-"$(basename "$PWD")""#;

fn exit(trial: &Trial) -> u8 {
    pass(&trial.node, &Options::default()).exit.code()
}

#[test]
fn a_started_partition_is_built_started_checked_and_reported() {
    let trial = Trial::new(ENGINE);
    let url = trial.release("web");
    trial.wants_partitions(vec![trial.partition("slappart0", RequestedState::Started, &url)]);

    assert_eq!(exit(&trial), 0);

    assert_eq!(
        trial.master.told(),
        ["startedComputerPartition slappart0", "updateComputerPartitionRelatedInstanceList slappart0"]
    );
    assert_eq!(trial.supervisor.asked(), ["startProcessGroup slappart0"]);
    assert_eq!(trial.promises.checks(), ["slappart0 Test forced"]);
    let directory = trial.node.configuration.partition_directory(&"slappart0".parse().unwrap());
    let mode = |name: &str| fs_err::metadata(directory.join(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("buildout.cfg"), 0o640);
    assert_eq!(mode(".timestamp"), 0o644);
    assert_eq!(mode(".slapgrid"), 0o755);
    assert_eq!(mode(".slapgrid/log"), 0o700);
    assert_eq!(trial.directory.read("inst/slappart0/.timestamp"), "10.5");
    assert_eq!(trial.directory.read("inst/slappart0/.slapos-retention-lock-delay"), "0.0");
    let link = fs_err::read_link(directory.join("software_release")).unwrap();
    assert_eq!(link, trial.node.configuration.release_directory(&url));
    assert!(
        trial
            .directory
            .read("inst/slappart0/.slapgrid/log/instance.log")
            .contains("slapos Installing web.\n")
    );
    let profile = trial.directory.read("inst/slappart0/buildout.cfg");
    assert!(profile.starts_with("[buildout]\nparts =\n\n# This is beginning of"), "{profile}");
}

#[test]
fn a_build_gets_a_clean_environment_and_the_arguments_of_the_reference() {
    let trial = Trial::new(ENGINE);
    let url = trial.release("web");
    trial.wants_partitions(vec![trial.partition("slappart0", RequestedState::Started, &url)]);

    assert_eq!(exit(&trial), 0);

    let root = trial.directory.path();
    let text = trial.directory.read("inst/slappart0/built").replace(root.as_str(), "ROOT");
    // The shell's own variables, and the mark of the build, which holds the number of this process.
    let is_other = |line: &&str| ["_=", "OLDPWD=", "SLAPOS_BUILD="].iter().any(|name| line.starts_with(name));
    let lines: Vec<&str> = text.lines().filter(|line| !is_other(line)).collect();
    assert!(text.contains(&format!("\nSLAPOS_BUILD={} ", std::process::id())), "{text}");
    let (uid, lines) = lines.split_last().unwrap();
    assert_ne!(*uid, "0");
    insta::assert_snapshot!(lines.join("\n"), @r"
-U
ROOT/inst/slappart0
0027
HOME=ROOT/inst/slappart0
PATH=/usr/bin:/bin
PIP_INDEX_URL=x
PWD=ROOT/inst/slappart0
PYTHONNOUSERSITE=true
SLAPGRID_INSTANCE_ROOT=ROOT/inst
");
}

#[test]
fn an_unchanged_partition_costs_a_look_at_its_promises_only() {
    let trial = Trial::new(ENGINE);
    let url = trial.release("web");
    trial.wants_partitions(vec![trial.partition("slappart0", RequestedState::Started, &url)]);
    assert_eq!(exit(&trial), 0);
    let _ = (trial.master.told(), trial.supervisor.asked(), trial.promises.checks(), trial.events.take());
    fs_err::remove_file(trial.directory.path().join("inst/slappart0/built")).unwrap();

    assert_eq!(exit(&trial), 0);

    assert_eq!(trial.master.told(), Vec::<String>::new());
    assert_eq!(trial.supervisor.asked(), Vec::<String>::new());
    assert_eq!(trial.promises.checks(), ["slappart0 Anomaly"]);
    assert_eq!(trial.events.take(), []);
    assert!(!trial.directory.exists("inst/slappart0/built"));
}

#[test]
fn a_period_that_ended_makes_a_partition_be_processed_again() {
    let trial = Trial::new(ENGINE);
    let url = trial.release("web");
    trial.directory.write(&format!("soft/{}/periodicity", url.md5()), "3600\n", 0o644);
    trial.wants_partitions(vec![trial.partition("slappart0", RequestedState::Started, &url)]);
    assert_eq!(exit(&trial), 0);
    let _ = trial.promises.checks();

    trial.clock.advance(std::time::Duration::from_secs(3500));
    assert_eq!(exit(&trial), 0);
    assert_eq!(trial.promises.checks(), ["slappart0 Anomaly"]);
    trial.clock.advance(std::time::Duration::from_secs(200));
    assert_eq!(exit(&trial), 0);
    assert_eq!(trial.promises.checks(), ["slappart0 Test forced"]);
}

#[test]
fn a_failed_build_is_reported_whole_and_does_not_stop_the_others() {
    let trial = Trial::new(&format!("case $PWD in *0) echo one; echo two >&2; exit 3;; esac\n{ENGINE}"));
    let url = trial.release("web");
    trial.wants_partitions(vec![
        trial.partition("slappart0", RequestedState::Started, &url),
        trial.partition("slappart1", RequestedState::Started, &url),
    ]);

    let outcome = pass(&trial.node, &Options::default());

    assert_eq!(outcome.exit.code(), 1);
    assert_eq!(outcome.problems.len(), 1);
    assert_eq!(outcome.problems[0].subject, "slappart0");
    let log = trial.master.field("softwareInstanceError", "error_log");
    assert!(log.contains("Failed to run buildout profile in directory"), "{log}");
    assert!(log.ends_with("exit code 3:\none\ntwo\n\n"), "{log}");
    assert_eq!(trial.directory.read("inst/slappart0/.slapgrid-slappart0-error.log"), log);
    assert!(!trial.directory.exists("inst/slappart0/.timestamp"));
    assert_eq!(trial.directory.read("inst/slappart1/.timestamp"), "10.5");
    let mut told = trial.master.told();
    told.sort();
    assert_eq!(
        told,
        [
            "softwareInstanceError slappart0",
            "startedComputerPartition slappart1",
            "updateComputerPartitionRelatedInstanceList slappart1"
        ]
    );
    let tail = trial.events.take().into_iter().find_map(|event| match event {
        Event::PartitionFailed { tail, .. } => Some(tail),
        _ => None,
    });
    assert_eq!(tail.unwrap(), ["one", "two"]);
}

#[test]
fn a_failing_promise_is_exit_code_two_and_is_tried_again() {
    let trial = Trial::new(ENGINE);
    let url = trial.release("web");
    trial.wants_partitions(vec![trial.partition("slappart0", RequestedState::Started, &url)]);
    trial.promises.fail("slappart0", "no answer");

    assert_eq!(exit(&trial), 2);
    assert_eq!(
        trial.master.field("softwareInstanceError", "error_log"),
        "Promise 'check.py' failed with output: no answer"
    );
    assert_eq!(trial.master.told(), ["softwareInstanceError slappart0"]);
    assert!(!trial.directory.exists("inst/slappart0/.timestamp"));
    assert!(!trial.directory.exists("inst/slappart0/.slapgrid-slappart0-error.log"));
    trial.promises.pass("slappart0");
    assert_eq!(exit(&trial), 0);

    assert_eq!(trial.directory.read("inst/slappart0/.timestamp"), "10.5");
}

#[test]
fn what_the_master_believes_of_an_unchanged_partition_is_corrected() {
    let trial = Trial::new(ENGINE);
    let url = trial.release("web");
    let mut partition = trial.partition("slappart0", RequestedState::Started, &url);
    trial.wants_partitions(vec![partition.clone()]);
    assert_eq!(exit(&trial), 0);
    let _ = trial.master.told();

    trial.promises.fail("slappart0", "no answer");
    assert_eq!(exit(&trial), 0);
    assert_eq!(trial.master.told(), ["softwareInstanceError slappart0"]);
    partition.access_status = Some("#error it fails".to_owned());
    trial.wants_partitions(vec![partition.clone()]);
    assert_eq!(exit(&trial), 0);
    assert_eq!(trial.master.told(), Vec::<String>::new());
    trial.promises.pass("slappart0");
    assert_eq!(exit(&trial), 0);
    assert_eq!(trial.master.told(), ["startedComputerPartition slappart0"]);
    partition.access_status = None;
    trial.wants_partitions(vec![partition]);
    assert_eq!(exit(&trial), 0);

    assert_eq!(trial.master.told(), ["startedComputerPartition slappart0"]);
}

#[test]
fn a_stopped_partition_is_built_and_stopped_also_when_its_build_fails() {
    for engine in [ENGINE, "exit 1"] {
        let trial = Trial::new(engine);
        let url = trial.release("web");
        trial.wants_partitions(vec![trial.partition("slappart0", RequestedState::Stopped, &url)]);
        trial.directory.write("inst/etc/supervisord.conf.d/slappart0.conf", "", 0o600);

        let _ = exit(&trial);

        assert!(!trial.directory.exists("inst/etc/supervisord.conf.d/slappart0.conf"));
        assert_eq!(trial.directory.exists("inst/slappart0/.timestamp"), engine == ENGINE);
    }
}

#[test]
fn a_destroyed_partition_is_stopped_and_nothing_of_it_is_deleted() {
    let trial = Trial::new("exit 1");
    let url = trial.release("web");
    trial.wants_partitions(vec![trial.partition("slappart0", RequestedState::Destroyed, &url)]);
    trial.directory.write("inst/slappart0/data", "precious", 0o600);

    assert_eq!(exit(&trial), 0);

    assert_eq!(trial.master.told(), ["stoppedComputerPartition slappart0"]);
    assert_eq!(trial.directory.read("inst/slappart0/data"), "precious");
}

#[test]
fn a_free_partition_loses_what_the_node_left_in_it() {
    let trial = Trial::new("exit 1");
    trial.directory.make("inst/slappart0", 0o750);
    trial.directory.write("inst/slappart0/.timestamp", "1", 0o644);
    trial.directory.write("inst/slappart0/.slapgrid/log/instance.log", "x", 0o644);
    trial.directory.write("inst/slappart0/.slapos-resource", "{}", 0o644);
    trial.wants_partitions(vec![Partition::free("COMP-1".parse().unwrap(), "slappart0".parse().unwrap())]);

    assert_eq!(exit(&trial), 0);

    let left: Vec<String> = fs_err::read_dir(trial.directory.path().join("inst/slappart0"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left, [".slapos-resource"]);
    assert_eq!(trial.master.told(), Vec::<String>::new());
}

#[test]
fn a_directory_that_is_missing_or_open_to_others_is_named_with_the_remedy() {
    let trial = Trial::new(ENGINE);
    let url = trial.release("web");
    let open = trial.partition("slappart0", RequestedState::Started, &url);
    trial.directory.make("inst/slappart0", 0o755);
    let missing = trial.partition("slappart1", RequestedState::Started, &url);
    fs_err::remove_dir(trial.directory.path().join("inst/slappart1")).unwrap();
    trial.wants_partitions(vec![open, missing]);

    let outcome = pass(&trial.node, &Options::default());

    assert_eq!(outcome.exit.code(), 1);
    let text: Vec<String> = outcome
        .problems
        .iter()
        .map(|problem| {
            format!(
                "{} {}\nhint: {}",
                problem.code.as_ref().unwrap(),
                problem.message,
                problem.hint.as_ref().unwrap()
            )
        })
        .collect();
    insta::assert_snapshot!(text.join("\n").replace(trial.directory.path().as_str(), "ROOT"), @r"
E-partition-mode Wrong permissions in ROOT/inst/slappart0: actual permissions are: 0755, wanted are 0750
hint: correct it: chmod 750 ROOT/inst/slappart0, or slapos node format --now
E-partition-missing Please create partition directory ROOT/inst/slappart1
hint: make it: slapos node format --now
");
}

#[test]
fn a_release_that_is_missing_is_an_error_unless_it_is_waited_for() {
    let trial = Trial::new(ENGINE);
    let url = "http://release/absent".parse().unwrap();
    trial.wants_partitions(vec![trial.partition("slappart0", RequestedState::Started, &url)]);

    let waits = pass(&trial.node, &Options { wait_for_releases: true, ..Options::default() });
    let fails = pass(&trial.node, &Options::default());

    assert_eq!(waits.exit.code(), 0);
    assert_eq!(fails.exit.code(), 1);
    assert!(fails.problems[0].message.contains("is not present on system."), "{:?}", fails.problems);
}

#[test]
fn a_build_that_is_out_of_time_fails_with_the_output_so_far() {
    let mut trial = Trial::new("echo begun; sleep 600");
    let mut log = String::new();
    // A busy machine may not even begin within the first of these times.
    for seconds in [1, 10, 60] {
        trial.configure(|configuration| {
            configuration.partition_timeout = Some(std::time::Duration::from_secs(seconds));
        });
        let url = trial.release("web");
        trial.wants_partitions(vec![trial.partition("slappart0", RequestedState::Started, &url)]);
        assert_eq!(exit(&trial), 1);
        log = trial.master.field("softwareInstanceError", "error_log");
        if log.contains("begun") {
            break;
        }
    }

    assert!(log.ends_with("out of time:\nbegun\n\n"), "{log}");
}

#[test]
fn a_release_may_bring_its_own_engine() {
    let trial = Trial::new("exit 1");
    let url = trial.release("web");
    let own = "#!/bin/sh\nmkdir -p sbin\nprintf '#!/bin/sh\\necho \"$@\" > own\\n' > sbin/buildout\nchmod +x sbin/buildout\n";
    trial.directory.write(&format!("soft/{}/bin/bootstrap2.7", url.md5()), own, 0o755);
    trial.wants_partitions(vec![trial.partition("slappart0", RequestedState::Started, &url)]);

    assert_eq!(exit(&trial), 0);

    assert_eq!(trial.directory.read("inst/slappart0/own"), "-U\n");
}

#[test]
fn certificates_are_kept_as_the_master_gives_them() {
    let mut trial = Trial::new(ENGINE);
    let place = trial.directory.make("pki", 0o700);
    trial.configure(|configuration| configuration.credentials.partition_directory = Some(place));
    let url = trial.release("web");
    trial.wants_partitions(vec![trial.partition("slappart0", RequestedState::Started, &url)]);

    assert_eq!(exit(&trial), 0);

    assert_eq!(trial.directory.read("pki/slappart0.crt"), "C");
    assert_eq!(trial.directory.read("pki/slappart0.key"), "K");
    let key = fs_err::metadata(trial.directory.path().join("pki/slappart0.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o7777, 0o400);
    assert_eq!(
        trial.master.told()[..2],
        ["getComputerPartitionCertificate slappart0", "startedComputerPartition slappart0"]
    );
}

#[test]
fn force_stop_builds_and_stops_without_promise_report_or_note() {
    let trial = Trial::new(ENGINE);
    let url = trial.release("web");
    trial.wants_partitions(vec![trial.partition("slappart0", RequestedState::Started, &url)]);

    let outcome = pass(&trial.node, &Options { force_stop: true, ..Options::default() });

    assert_eq!(outcome.exit.code(), 0);
    assert!(trial.directory.exists("inst/slappart0/built"));
    assert_eq!(trial.master.told(), ["updateComputerPartitionRelatedInstanceList slappart0"]);
    assert_eq!(trial.promises.checks(), Vec::<String>::new());
    assert!(!trial.directory.exists("inst/slappart0/.timestamp"));
}

#[test]
fn a_master_that_is_away_leaves_what_runs_and_is_exit_code_three() {
    let trial = Trial::new(ENGINE);
    let url = trial.release("web");
    trial.wants_partitions(vec![trial.partition("slappart0", RequestedState::Started, &url)]);
    trial.master.answers("getFullComputerInformation", 503);

    assert_eq!(exit(&trial), 3);
    trial.master.answers("getFullComputerInformation", 200);
    trial.master.answers("startedComputerPartition", 502);
    assert_eq!(exit(&trial), 3);
    assert!(!trial.directory.exists("inst/slappart0/.timestamp"));
    trial.master.answers("getFullComputerInformation", 403);
    trial.master.answers("startedComputerPartition", 200);
    assert_eq!(exit(&trial), 1);
    trial.master.answers("getFullComputerInformation", 200);

    assert_eq!(exit(&trial), 0);
}

#[test]
fn the_retention_of_a_request_is_written_once() {
    let trial = Trial::new(ENGINE);
    let url = trial.release("web");
    let mut partition = trial.partition("slappart0", RequestedState::Started, &url);
    partition.filter.insert("retention_delay".to_owned(), "3".to_owned());
    // The stand-alone wire does not carry the filter, so the pass is given the document itself.
    let computer = |partition: Partition| Computer {
        id: "COMP-1".parse().unwrap(),
        releases: Vec::new(),
        partitions: vec![partition],
    };

    let _ = process(&trial.node, &computer(partition.clone()), &Options::default());
    partition.filter.clear();
    let _ = process(&trial.node, &computer(partition), &Options { force: true, ..Options::default() });

    assert_eq!(trial.directory.read("inst/slappart0/.slapos-retention-lock-delay"), "3.0");
}

#[test]
fn an_instance_root_that_is_missing_is_named() {
    let mut trial = Trial::new(ENGINE);
    trial.configure(|configuration| configuration.instance_root = "/no/such/root".into());

    let outcome = pass(&trial.node, &Options::default());

    assert_eq!(outcome.exit.code(), 1);
    assert_eq!(outcome.problems[0].code.as_deref(), Some("E-directory-missing"));
}

#[test]
fn a_build_that_is_out_of_time_leaves_nothing_running() {
    let mut trial = Trial::new("sleep 61 & setsid sleep 62 & wait");
    trial.configure(|configuration| {
        configuration.partition_timeout = Some(std::time::Duration::from_millis(300));
    });
    let url = trial.release("web");
    trial.wants_partitions(vec![trial.partition("slappart0", RequestedState::Started, &url)]);

    assert_eq!(exit(&trial), 1);

    let directory = trial.directory.path().join("inst/slappart0");
    let left = || {
        host::inhabitants::Inhabitant::all()
            .unwrap()
            .into_iter()
            .filter(|inhabitant| !inhabitant.is_zombie)
            .filter(|inhabitant| {
                inhabitant.variable("SLAPOS_BUILD").is_some_and(|mark| mark.ends_with(directory.as_str()))
            })
            .collect::<Vec<_>>()
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(120);
    // What made a session of its own was meant to stay.
    while left().len() > 1 {
        assert!(std::time::Instant::now() < deadline, "{:?}", left());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    for daemon in left() {
        assert_eq!(daemon.session, daemon.pid);
        host::process::kill(daemon.pid);
    }
}
