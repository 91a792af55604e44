//! The long poll: it answers when something is asked of the computer, and not for what its node reports.

use std::time::Duration;

use slap::SoftwareState;
use slap::client::ClientError;

use crate::harness::{RELEASE, TestMaster, computer, local, request};

const LONG: Duration = Duration::from_secs(50);

#[test]
fn a_watcher_is_woken_by_a_request() {
    let master = TestMaster::start();
    let client = master.client();
    client.load_computer_configuration(&computer(2)).unwrap();
    let token = client.watch(&local(), None, LONG).unwrap().unwrap();

    let woken = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| master.client().watch(&local(), Some(&token), LONG).unwrap());
        client.request(&request("a")).unwrap();
        watcher.join().unwrap()
    });

    assert!(woken.is_some());
    assert_eq!(client.watch(&local(), woken.as_deref(), Duration::ZERO).unwrap(), None);
    // A token that is behind is answered at once.
    assert_eq!(client.watch(&local(), Some(&token), LONG).unwrap(), woken);
}

#[test]
fn reports_of_the_node_wake_nobody() {
    let master = TestMaster::start();
    let client = master.client();
    client.load_computer_configuration(&computer(2)).unwrap();
    client.request(&request("a")).unwrap();
    client.supply(&RELEASE.parse().unwrap(), &local(), SoftwareState::Available).unwrap();
    let token = client.watch(&local(), None, LONG).unwrap();
    let partition = "slappart0".parse().unwrap();

    client.available_release(&local(), &RELEASE.parse().unwrap()).unwrap();
    client.started(&local(), &partition).unwrap();
    client.instance_error(&local(), &partition, "promise fails").unwrap();
    client.set_connection(&local(), &partition, None, &[("u".to_owned(), "v".into())].into()).unwrap();
    client.load_computer_configuration(&computer(2)).unwrap();
    client.request(&request("a")).unwrap();

    assert_eq!(client.watch(&local(), token.as_deref(), Duration::from_millis(50)).unwrap(), None);
    let status = client.register_partition(&local(), &partition).unwrap().access_status;
    assert_eq!(status.as_deref(), Some("#error while instanciating: promise fails"));
}

#[test]
fn a_computer_that_is_not_known_cannot_be_watched() {
    let master = TestMaster::start();

    let outcome = master.client().watch(&"nowhere".parse().unwrap(), None, LONG);

    assert!(matches!(outcome, Err(ClientError::NotFound { .. })));
}

#[test]
fn a_master_that_stops_lets_its_watchers_go() {
    let master = TestMaster::start();
    let client = master.client();
    let token = client.watch(&local(), None, LONG).unwrap().unwrap();

    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| client.watch(&local(), Some(&token), LONG));
        std::thread::sleep(Duration::from_millis(200));
        master.stop();
        // On a very busy machine the watcher may not have arrived before the master went.
        let outcome = watcher.join().unwrap();
        assert!(matches!(outcome, Ok(None) | Err(ClientError::Unreachable { .. })), "{outcome:?}");
    });
}
