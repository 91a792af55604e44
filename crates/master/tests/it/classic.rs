//! What production masters answer and the stand-alone Python master does not, so that no recording tells.

use slap::SoftwareState;
use slap::wire::Marshalled;

use crate::harness::{RELEASE, TestMaster, computer, local, request};

/// The text of an entry of a marshalled mapping.
fn entry(document: &str, name: &str) -> String {
    let Marshalled::Map(entries) = Marshalled::read(document).unwrap() else { panic!("{document}") };
    entries.iter().find(|(key, _)| *key == Marshalled::text(name)).unwrap().1.python_str()
}

fn master_with_an_instance() -> TestMaster {
    let master = TestMaster::start();
    let client = master.client();
    client.load_computer_configuration(&computer(2)).unwrap();
    client.supply(&RELEASE.parse().unwrap(), &local(), SoftwareState::Available).unwrap();
    client.request(&request("a")).unwrap();
    master
}

#[test]
fn the_last_status_of_everything_is_told() {
    let master = master_with_an_instance();
    let client = master.client();
    let read = |path: &str| master.send("GET", path, None).body;
    let instance = "/getComputerPartitionStatus?computer_id=local&computer_partition_id=slappart0";
    let release = format!("/getSoftwareInstallationStatus?computer_id=local&url={RELEASE}");

    let silent = read(instance);
    assert_eq!(entry(&silent, "text"), "#error no data found for local-slappart0");
    assert_eq!(entry(&silent, "no_data"), "1");
    assert_eq!(entry(&silent, "user"), "SlapOS Master");

    client.started(&local(), &"slappart0".parse().unwrap()).unwrap();
    client.release_error(&local(), &RELEASE.parse().unwrap(), "no such file").unwrap();
    client.bang_computer(&local(), "look").unwrap();

    let told = read(instance);
    assert_eq!(entry(&told, "text"), "#access Instance correctly started");
    assert_eq!(entry(&told, "state"), "started");
    assert_eq!(entry(&told, "no_data_since_5_minutes"), "0");
    assert_eq!(entry(&read(&release), "text"), "#error while installing: no such file");
    assert_eq!(entry(&read("/getComputerStatus?computer_id=local"), "text"), "#error bang: look");
    assert_eq!(master.send("GET", "/getComputerStatus?computer_id=nowhere", None).status, 404);
}

#[test]
fn a_bang_of_the_computer_has_its_instances_processed_again() {
    let master = master_with_an_instance();
    let client = master.client();
    let before = client.request(&request("a")).unwrap().timestamp;

    client.bang_computer(&local(), "look").unwrap();

    assert_ne!(client.request(&request("a")).unwrap().timestamp, before);
}

#[test]
fn the_addresses_of_a_tree_are_listed() {
    let master = master_with_an_instance();
    let mut child = request("child");
    child.requester = Some((local(), "slappart0".parse().unwrap()));
    master.client().request(&child).unwrap();

    let path = "/getHostingSubscriptionIpList?computer_id=local&computer_partition_id=slappart1";
    let Marshalled::List(addresses) = Marshalled::read(&master.send("GET", path, None).body).unwrap() else {
        panic!("it is no list");
    };

    let texts: Vec<_> = addresses.iter().map(Marshalled::python_str).collect();
    assert_eq!(
        texts,
        [
            "('slappart0', '10.0.0.2')",
            "('slappart0', '2001:db8::2')",
            "('slappart1', '10.0.0.3')",
            "('slappart1', '2001:db8::3')"
        ]
    );
}

#[test]
fn releases_of_a_product_are_found_by_its_name_or_by_one_of_them() {
    let master = TestMaster::start_with(|configuration| {
        let releases = vec!["/new.cfg".parse().unwrap(), "/old.cfg".parse().unwrap()];
        configuration.products.insert("kvm".to_owned(), releases);
    });
    let releases = master.client().product_releases("kvm").unwrap();
    assert_eq!(releases.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/new.cfg", "/old.cfg"]);
    assert!(master.client().product_releases("unknown").unwrap().is_empty());

    let path = "/getSoftwareReleaseListFromSoftwareProduct";
    let by_release = master.send("GET", &format!("{path}?software_release_url=/old.cfg"), None);
    assert_eq!(
        by_release.body,
        "<marshal><list id=\"i2\"><string>/new.cfg</string><string>/old.cfg</string></list></marshal>"
    );
    assert_eq!(master.send("GET", path, None).status, 400);
}

#[test]
fn a_request_from_another_program_may_say_none_in_any_case() {
    let master = TestMaster::start();
    master.client().load_computer_configuration(&computer(1)).unwrap();
    let form = [
        ("software_release", RELEASE),
        ("software_type", "None"),
        ("partition_reference", "a"),
        ("computer_id", "none"),
        ("computer_partition_id", "NONE"),
        ("state", "<marshal><none/></marshal>"),
    ];

    let answer = master.send("POST", "/requestComputerPartition", Some(&form));

    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("<string>slap_software_type</string><string>default</string>"));
}
