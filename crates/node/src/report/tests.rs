//! Whole report passes against a scripted master and supervisor.

use slap::SoftwareUrl;

use super::*;
use crate::trial::Trial;

const USAGE: &str = "<consumption><movement><resource>CPU</resource><quantity>1.5</quantity><price>0.0</price>\
                     <VAT>None</VAT></movement></consumption>";

fn trial(state: RequestedState) -> Trial {
    let trial = Trial::new("");
    let url: SoftwareUrl = trial.release("web");
    trial.wants_partitions(vec![trial.partition("slappart0", state, &url)]);
    trial.directory.write("inst/slappart0/data/deep/file", "precious", 0o400);
    trial.directory.make("inst/slappart0/data/deep", 0o500);
    trial.directory.write("inst/slappart0/.slapos-resource", "{}", 0o644);
    trial
}

fn left(trial: &Trial) -> Vec<String> {
    let mut names: Vec<String> = fs_err::read_dir(trial.directory.path().join("inst/slappart0"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_destroyed_instance_goes_and_its_place_stays() {
    let trial = trial(RequestedState::Destroyed);

    assert_eq!(pass(&trial.node).exit.code(), 0);

    assert_eq!(left(&trial), [".slapos-resource"]);
    assert_eq!(
        trial.master.told(),
        ["stoppedComputerPartition slappart0", "destroyedComputerPartition slappart0"]
    );
    assert_eq!(trial.events.take(), [Event::PartitionDestroyed { partition: "slappart0".to_owned() }]);
}

#[test]
fn what_is_not_to_be_destroyed_is_left_alone() {
    for state in [RequestedState::Started, RequestedState::Stopped] {
        let trial = trial(state);

        assert_eq!(pass(&trial.node).exit.code(), 0);

        assert_eq!(left(&trial), [".slapos-resource", "data"]);
        assert_eq!(trial.master.told(), Vec::<String>::new());
    }
}

#[test]
fn retention_keeps_an_instance_for_its_days_from_the_first_attempt() {
    let trial = trial(RequestedState::Destroyed);
    trial.directory.write("inst/slappart0/.slapos-retention-lock-delay", "2.0", 0o644);

    assert_eq!(pass(&trial.node).exit.code(), 0);
    assert!(trial.directory.exists("inst/slappart0/data"));
    trial.directory.write("inst/slappart0/.slapos-retention-lock-delay", "0.0", 0o644);
    trial.clock.advance(std::time::Duration::from_secs(86_400));
    assert_eq!(pass(&trial.node).exit.code(), 0);
    assert!(trial.directory.exists("inst/slappart0/data"));
    trial.clock.advance(std::time::Duration::from_secs(86_401));
    assert_eq!(pass(&trial.node).exit.code(), 0);

    assert_eq!(left(&trial), [".slapos-resource"]);
}

#[test]
fn the_hook_of_the_instance_runs_first_and_its_failure_keeps_everything() {
    let trial = trial(RequestedState::Destroyed);
    trial.directory.write("inst/slappart0/sbin/destroy", "#!/bin/sh\necho cannot; exit 4\n", 0o755);

    let outcome = pass(&trial.node);

    assert_eq!(outcome.exit.code(), 1);
    assert!(trial.directory.exists("inst/slappart0/data"));
    assert!(!trial.master.told().contains(&"destroyedComputerPartition slappart0".to_owned()));
    trial.directory.write("inst/slappart0/sbin/destroy", "#!/bin/sh\nexit 0\n", 0o755);
    assert_eq!(pass(&trial.node).exit.code(), 0);
    assert_eq!(left(&trial), [".slapos-resource"]);
}

#[test]
fn a_master_that_forgot_the_instance_does_not_keep_it_here() {
    for status in [404, 503] {
        let trial = trial(RequestedState::Destroyed);
        trial.master.answers("destroyedComputerPartition", status);

        assert_eq!(pass(&trial.node).exit.code(), 0);

        assert_eq!(left(&trial), [".slapos-resource"]);
    }
}

#[test]
fn report_scripts_leave_usage_that_is_sent_under_the_partitions_name() {
    let trial = trial(RequestedState::Started);
    trial.directory.make("inst/slappart0/var/xml_report", 0o750);
    let script = format!("#!/bin/sh\necho '{USAGE}' > \"$1\"\n");
    trial.directory.write("inst/slappart0/etc/report/usage", &script, 0o755);

    assert_eq!(pass(&trial.node).exit.code(), 0);

    let sent = trial.master.field("useComputer", "use_string");
    assert!(
        sent.contains("<resource>CPU</resource><reference>slappart0</reference><quantity>1.5</quantity>"),
        "{sent}"
    );
    assert_eq!(
        fs_err::read_dir(trial.directory.path().join("inst/slappart0/var/xml_report")).unwrap().count(),
        0
    );
}

#[test]
fn usage_that_cannot_be_sent_keeps_the_instance() {
    let trial = trial(RequestedState::Destroyed);
    trial.directory.write("inst/slappart0/var/xml_report/usage.xml", USAGE, 0o644);
    trial.master.answers("useComputer", 500);

    assert_eq!(pass(&trial.node).exit.code(), 1);
    assert!(trial.directory.exists("inst/slappart0/var/xml_report/usage.xml"));
    trial.master.answers("useComputer", 200);
    assert_eq!(pass(&trial.node).exit.code(), 0);

    assert_eq!(left(&trial), [".slapos-resource"]);
}

#[test]
fn a_failing_script_is_reported_and_a_meaningless_report_left_there() {
    let trial = trial(RequestedState::Started);
    trial.directory.write("inst/slappart0/etc/report/usage", "#!/bin/sh\nexit 1\n", 0o755);
    trial.directory.write("inst/slappart0/var/xml_report/usage.xml", "<consumption/>", 0o644);

    let outcome = pass(&trial.node);

    assert_eq!(outcome.exit.code(), 1);
    assert_eq!(trial.master.field("softwareInstanceError", "error_log"), "Script 'usage' failed.");
    assert!(trial.directory.exists("inst/slappart0/var/xml_report/usage.xml"));
}
