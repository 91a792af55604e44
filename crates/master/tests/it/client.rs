//! Our client and our master together: what the command line shows, and what a node does.

use std::collections::BTreeMap;

use slap::client::{Client, ClientError, Endpoint};
use slap::{InstanceRequest, Release, RequestedState, SoftwareState, Value};

use crate::harness::{RELEASE, TestMaster, computer, local, request};

#[test]
fn services_and_computers_are_listed_and_shown() {
    let master = TestMaster::start();
    let client = master.client();
    client.load_computer_configuration(&computer(2)).unwrap();
    let mut asked = request("a \"quoted\" title/é");
    asked.parameters.insert("greeting".to_owned(), Value::from("hello"));
    client.request(&asked).unwrap();
    let partition = "slappart0".parse().unwrap();
    client
        .set_connection(&local(), &partition, None, &[("url".to_owned(), "http://a/".into())].into())
        .unwrap();
    client.started(&local(), &partition).unwrap();
    client.request(&InstanceRequest { shared: true, ..request("front") }).unwrap();

    let services = client.services().unwrap();
    assert_eq!(
        services.iter().map(|s| s.title.as_str()).collect::<Vec<_>>(),
        ["a \"quoted\" title/é", "front"]
    );
    let info = client.service_info(&asked.title).unwrap();
    assert_eq!(info.release.unwrap().as_str(), RELEASE);
    assert_eq!(info.requested_state, "started");
    assert_eq!(info.parameters["greeting"], Value::from("hello"));
    assert_eq!(info.connection, BTreeMap::from([("url".to_owned(), "http://a/".to_owned())]));
    assert_eq!(info.news, Some(vec!["#access Instance correctly started".to_owned()]));
    assert!(client.service_info(&"front".parse().unwrap()).unwrap().shared);
    assert_eq!(client.computers().unwrap().len(), 1);
    assert_eq!(client.computer_info(&local()).unwrap().title, "local");
    assert!(matches!(client.service_info(&"x".parse().unwrap()), Err(ClientError::NotFound { .. })));
    assert!(matches!(client.computer_info(&"x".parse().unwrap()), Err(ClientError::NotFound { .. })));
}

#[test]
fn a_front_end_is_honoured_in_links() {
    let master = TestMaster::start();
    let headers = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Prefix", "/slap"), ("Host", "localhost")];

    let answer = master.send_with("GET", "/getHateoasUrl", None, &headers);

    assert_eq!(answer.body, "https://localhost/slap/hateoas/");
}

#[test]
fn an_instance_lives_from_format_to_destruction() {
    let master = TestMaster::start();
    let client = master.client();
    let (release, partition) = (RELEASE.parse().unwrap(), "slappart0".parse().unwrap());
    client.load_computer_configuration(&computer(1)).unwrap();
    client.supply(&release, &local(), SoftwareState::Available).unwrap();
    client.building_release(&local(), &release).unwrap();
    client.available_release(&local(), &release).unwrap();
    client.request(&request("a")).unwrap();
    client.started(&local(), &partition).unwrap();

    let machine = client.computer(&local()).unwrap();
    assert_eq!(machine.releases, [Release { url: release.clone(), state: SoftwareState::Available }]);
    assert_eq!(machine.partitions[0], client.register_partition(&local(), &partition).unwrap());
    assert_eq!(machine.partitions[0].addresses.len(), 2);
    assert_eq!(client.certificate(&local(), &partition).unwrap().key, "");
    client.related_instances(&local(), &partition, &["b".to_owned()]).unwrap();
    client.use_computer(&local(), "<journal/>").unwrap();

    client.request(&InstanceRequest { state: Some(RequestedState::Destroyed), ..request("a") }).unwrap();
    assert_eq!(client.computer(&local()).unwrap().partitions[0].requested_state, RequestedState::Destroyed);
    client.destroyed(&local(), &partition).unwrap();
    client.supply(&release, &local(), SoftwareState::Destroyed).unwrap();
    client.destroyed_release(&local(), &release).unwrap();
    let machine = client.computer(&local()).unwrap();
    assert!(!machine.partitions[0].is_busy());
    assert!(machine.releases.is_empty());
}

#[test]
fn what_is_not_known_is_not_found() {
    let master = TestMaster::start();
    let client = master.client();
    let (nowhere, partition) = ("nowhere".parse().unwrap(), "slappart0".parse().unwrap());

    assert!(matches!(client.computer(&nowhere), Err(ClientError::NotFound { .. })));
    assert!(matches!(client.register_partition(&nowhere, &partition), Err(ClientError::NotFound { .. })));
    assert!(matches!(client.bang_instance(&nowhere, &partition, ""), Err(ClientError::NotFound { .. })));
    assert!(client.computer(&local()).unwrap().partitions.is_empty());
    assert_eq!(client.run_id().unwrap().len(), 32);
}

#[test]
fn the_client_answers_for_a_master_behind_a_prefix() {
    let master = TestMaster::start();
    let client = Client::new(&Endpoint::new(format!("{}/prefix", master.url()))).unwrap();

    assert!(matches!(client.run_id(), Err(ClientError::NotFound { .. })));
    assert!(client.url().ends_with("/prefix/"));
}

#[test]
fn a_client_outlives_a_restart_of_its_master() {
    let directory = tempfile::tempdir().unwrap();
    let database = camino::Utf8PathBuf::try_from(directory.path().join("master.db")).unwrap();
    let first = TestMaster::on(&database);
    let (client, port) = (first.client(), first.address.port());
    client.load_computer_configuration(&computer(1)).unwrap();
    let answer = client.request(&request("a")).unwrap();
    first.stop();

    let _second = TestMaster::configured(&database, |configuration| configuration.port = port);

    // The connection that the client kept is gone; it must not be taken for an unreachable master.
    assert_eq!(client.request(&request("a")).unwrap(), answer);
}
