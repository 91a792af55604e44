//! Whole formats against a scripted master.

use super::*;
use crate::trial::Trial;

fn trial(amount: usize) -> Trial {
    let mut trial = Trial::new("");
    let state = trial.directory.path().join("etc/slapos.xml");
    trial.configure(|configuration| {
        configuration.format.partition_amount = amount;
        configuration.format.computer_xml = state;
        configuration.format.alter_user = false;
        configuration.format.alter_network = false;
        configuration.format.create_tap = false;
    });
    trial
}

#[test]
fn partitions_are_made_and_the_master_is_told() {
    let trial = trial(2);

    let formatted = pass(&trial.node, &Options::default());

    assert_eq!(formatted.outcome.exit.code(), 0, "{:?}", formatted.outcome);
    let posted = trial.master.field("loadComputerConfigurationFromXML", "xml");
    let posted = slap::wire::configuration::read(&posted).unwrap();
    assert_eq!(posted.reference.as_str(), "COMP-1");
    let names: Vec<_> = posted.partitions.iter().map(|partition| partition.reference.as_str()).collect();
    assert_eq!(names, ["slappart0", "slappart1"]);
    assert_eq!(posted.partitions[0].addresses[0].0, "127.0.0.1");
    let mode = |name: &str| {
        fs_err::metadata(trial.directory.path().join(name)).unwrap().permissions().mode() & 0o7777
    };
    assert_eq!(mode("inst/slappart1"), 0o750);
    assert_eq!(mode("inst/slappart1/.slapos-resource"), 0o644);
    let kept = slap::wire::configuration::read(&trial.directory.read("etc/slapos.xml")).unwrap();
    assert_eq!(kept, posted);
}

#[test]
fn a_second_format_does_nothing_but_tell_the_master() {
    let trial = trial(2);
    let _ = pass(&trial.node, &Options::default());
    let _ = trial.master.told();

    let formatted = pass(&trial.node, &Options::default());

    assert_eq!(formatted.plan, Vec::<String>::new());
    assert_eq!(trial.master.told(), ["loadComputerConfigurationFromXML "]);
}

#[test]
fn a_dry_run_shows_the_plan_and_does_nothing() {
    let trial = trial(1);

    let formatted = pass(&trial.node, &Options { dry_run: true, ..Options::default() });

    let plan = formatted.plan.join("\n").replace(trial.directory.path().as_str(), "ROOT");
    insta::assert_snapshot!(plan, @r"
mkdir -p -m 0750 ROOT/inst/slappart0
write ROOT/inst/slappart0/.slapos-resource
write ROOT/etc/slapos.xml
");
    assert!(!trial.directory.exists("inst/slappart0"));
    assert_eq!(trial.master.told(), Vec::<String>::new());
}

#[test]
fn partitions_are_added_and_never_removed() {
    let mut trial = trial(1);
    let _ = pass(&trial.node, &Options::default());

    trial.configure(|configuration| configuration.format.partition_amount = 3);
    assert_eq!(pass(&trial.node, &Options::default()).outcome.exit.code(), 0);
    assert!(trial.directory.exists("inst/slappart2"));
    trial.configure(|configuration| configuration.format.partition_amount = 2);
    let refused = pass(&trial.node, &Options::default()).outcome;

    assert_eq!(refused.exit.code(), 1);
    assert_eq!(refused.problems[0].code.as_deref(), Some("E-format-shrink"));
    insta::assert_snapshot!(refused.problems[0].message, @"3 partitions exist, 2 are configured: partitions are never removed");
}

#[test]
fn a_master_that_cannot_be_told_is_exit_code_two() {
    let trial = trial(1);
    trial.master.answers("loadComputerConfigurationFromXML", 503);

    let formatted = pass(&trial.node, &Options::default());

    assert_eq!(formatted.outcome.exit.code(), 2);
    assert!(trial.directory.exists("inst/slappart0"));
}

#[test]
fn a_state_file_that_is_broken_is_named_with_the_remedy() {
    let trial = trial(1);
    trial.directory.write("etc/slapos.xml", "<marshal><dict", 0o644);

    let outcome = pass(&trial.node, &Options::default()).outcome;

    assert_eq!(outcome.exit.code(), 1);
    assert_eq!(outcome.problems[0].code.as_deref(), Some("E-format-state"));
    assert!(outcome.problems[0].hint.as_ref().unwrap().contains("slapos.xml.zip"));
}

#[test]
fn a_definition_decides_instead_of_discovery() {
    let mut trial = trial(0);
    let place = trial.directory.path().join("etc/out.cfg");
    trial.configure(|configuration| configuration.format.output_definition = Some(place));
    let definition = Definition {
        partitions: vec![DefinedPartition {
            name: "mine".to_owned(),
            user: "somebody".to_owned(),
            addresses: vec![("127.9.9.1".to_owned(), "255.255.255.255".to_owned())],
            ..DefinedPartition::default()
        }],
        ..Definition::default()
    };
    trial.directory.make("etc", 0o755);

    let formatted = pass(&trial.node, &Options { definition: Some(definition), dry_run: false });

    assert_eq!(formatted.outcome.exit.code(), 0, "{:?}", formatted.outcome);
    assert!(trial.directory.exists("inst/mine/.slapos-resource"));
    assert!(
        trial
            .directory
            .read("etc/out.cfg")
            .contains("address = 127.9.9.1/255.255.255.255\npathname = mine\n")
    );
}
