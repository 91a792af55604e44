//! Requests: one instance for one title, one instance in one partition, whatever comes at the same time.

use std::collections::{BTreeMap, HashMap, HashSet};

use proptest::prelude::*;
use slap::client::ClientError;
use slap::{Computer, Instance, InstanceRequest, PartitionId, RequestedState, Value};

use crate::harness::{RELEASE, TestMaster, computer, local, request};

fn partition_of(instance: &Instance) -> String {
    instance.place.as_ref().unwrap().1.to_string()
}

/// The facts that hold whatever was asked: no title twice in a tree, and no partition with two instances, which the
/// document could not even express; so the titles are counted.
fn check(computer: &Computer) {
    let mut seen = HashSet::new();
    for partition in computer.partitions.iter().filter(|partition| partition.is_busy()) {
        let identity = (partition.root_title.clone(), partition.title.clone());
        assert!(seen.insert(identity.clone()), "{identity:?} is in two partitions");
    }
}

#[test]
fn identical_requests_at_the_same_time_give_one_instance() {
    let master = TestMaster::start();
    master.client().load_computer_configuration(&computer(8)).unwrap();

    let places: HashSet<String> = std::thread::scope(|scope| {
        let ask = || partition_of(&master.client().request(&request("same")).unwrap());
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });

    assert_eq!(places.len(), 1);
    let computer = master.client().computer(&local()).unwrap();
    assert_eq!(computer.partitions.iter().filter(|partition| partition.is_busy()).count(), 1);
}

#[test]
fn of_many_that_want_the_last_partition_one_gets_it() {
    let master = TestMaster::start();
    master.client().load_computer_configuration(&computer(1)).unwrap();

    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let master = &master;
        let ask = |index| move || master.client().request(&request(&format!("title {index}")));
        let threads: Vec<_> = (0..16).map(|index| scope.spawn(ask(index))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });

    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(outcomes.iter().all(|o| matches!(o, Ok(_) | Err(ClientError::NotFound { .. }))), "{outcomes:?}");
}

#[test]
fn an_instance_that_does_not_exist_is_not_made_to_be_destroyed() {
    let master = TestMaster::start();
    master.client().load_computer_configuration(&computer(1)).unwrap();
    let mut unwanted = request("never");
    unwanted.state = Some(RequestedState::Destroyed);

    assert!(matches!(master.client().request(&unwanted), Err(ClientError::NotReady)));
    assert!(!master.client().computer(&local()).unwrap().partitions[0].is_busy());
}

#[test]
fn an_instance_is_processed_again_only_when_something_changed() {
    let master = TestMaster::start();
    let client = master.client();
    client.load_computer_configuration(&computer(2)).unwrap();
    let timestamp = |request: &InstanceRequest| client.request(request).unwrap().timestamp.unwrap();
    let mut asked = request("a");
    asked.parameters.insert("n".to_owned(), Value::Int(1));
    let first = timestamp(&asked);

    assert_eq!(timestamp(&asked), first);
    asked.parameters.insert("n".to_owned(), Value::from("1"));
    assert_eq!(timestamp(&asked), first, "the text of a number is the same parameter");
    asked.filter.insert("retention_delay".to_owned(), "2".to_owned());
    assert_eq!(timestamp(&asked), first, "constraints place an instance but do not concern it");
    asked.parameters.insert("n".to_owned(), Value::Int(2));
    let second = timestamp(&asked);
    assert_ne!(second, first);
    client.bang_instance(&local(), &"slappart0".parse().unwrap(), "look").unwrap();
    assert_ne!(timestamp(&asked), second);
    let partition = client.register_partition(&local(), &"slappart0".parse().unwrap()).unwrap();
    assert_eq!(partition.filter["retention_delay"], "2");
    assert_eq!(partition.access_status.as_deref(), Some("#error bang called: look"));
}

#[test]
fn a_new_address_has_the_instance_processed_again() {
    let master = TestMaster::start();
    let client = master.client();
    let mut machine = computer(1);
    client.load_computer_configuration(&machine).unwrap();
    let before = client.request(&request("a")).unwrap();
    client.load_computer_configuration(&machine).unwrap();
    assert_eq!(client.request(&request("a")).unwrap(), before);

    machine.partitions[0].addresses[0].0 = "10.9.9.9".to_owned();
    client.load_computer_configuration(&machine).unwrap();
    let after = client.request(&request("a")).unwrap();

    assert_ne!(after.timestamp, before.timestamp);
    assert_eq!(after.addresses[0].1, "10.9.9.9");
}

#[test]
fn members_and_shared_instances_follow_a_renamed_root() {
    let master = TestMaster::start();
    let client = master.client();
    client.load_computer_configuration(&computer(3)).unwrap();
    client.request(&request("root")).unwrap();
    let requester = Some((local(), "slappart0".parse::<PartitionId>().unwrap()));
    let child = InstanceRequest { requester: requester.clone(), ..request("child") };
    let shared = InstanceRequest { shared: true, requester, ..request("front") };
    let place = client.request(&child).unwrap().place;
    client.request(&shared).unwrap();

    client.rename_instance(&local(), &"slappart0".parse().unwrap(), &"new".parse().unwrap()).unwrap();

    assert_eq!(client.request(&child).unwrap().place, place);
    client.request(&shared).unwrap();
    let machine = client.computer(&local()).unwrap();
    let shared: Vec<_> =
        machine.partitions.iter().flat_map(|partition| &partition.shared_instances).collect();
    assert_eq!(shared.iter().map(|shared| shared.reference.as_str()).collect::<Vec<_>>(), ["new_front"]);
    assert_eq!(machine.partitions[1].root_title.as_deref(), Some("new"));
    client.request(&request("other")).unwrap();
    let taken = client.rename_instance(&local(), &"slappart2".parse().unwrap(), &"new".parse().unwrap());
    assert!(matches!(taken, Err(ClientError::Status { status: 400, .. })), "{taken:?}");
}

/// What may happen to a master, in any order.
#[derive(Debug, Clone)]
enum Step {
    Request { title: u8, requester: Option<u8>, state: Option<RequestedState> },
    Destroyed { partition: u8 },
    Format { partitions: usize },
}

fn any_step() -> impl Strategy<Value = Step> {
    let state = prop_oneof![
        Just(None),
        Just(Some(RequestedState::Started)),
        Just(Some(RequestedState::Stopped)),
        Just(Some(RequestedState::Destroyed))
    ];
    prop_oneof![
        6 => (0..6u8, prop::option::of(0..5u8), state)
            .prop_map(|(title, requester, state)| Step::Request { title, requester, state }),
        2 => (0..5u8).prop_map(|partition| Step::Destroyed { partition }),
        1 => (2..6usize).prop_map(|partitions| Step::Format { partitions }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_partition_is_given_away_twice(steps in prop::collection::vec(any_step(), 1..30)) {
        let master = TestMaster::start();
        let client = master.client();
        client.load_computer_configuration(&computer(4)).unwrap();
        for step in steps {
            match step {
                Step::Request { title, requester, state } => {
                    let before: HashMap<_, _> = titles(&client.computer(&local()).unwrap());
                    // A free partition asks as a person does; it would ask as an instance once something is in it.
                    let requester = requester.map(|n| format!("slappart{n}")).filter(|id| before.contains_key(id));
                    let requester = requester.map(|id| (local(), id.parse().unwrap()));
                    // A root and a member of its tree may have the same title; the document could not tell them apart.
                    let title = if requester.is_some() { format!("member {title}") } else { format!("root {title}") };
                    let asked = InstanceRequest { state, requester, ..request(&title) };
                    if let Ok(instance) = client.request(&asked) {
                        let again = client.request(&asked).unwrap();
                        prop_assert_eq!(&again.place, &instance.place);
                        // Whoever was in a partition before is still there.
                        let after = titles(&client.computer(&local()).unwrap());
                        prop_assert!(before.iter().all(|(partition, title)| after.get(partition) == Some(title)));
                    }
                }
                Step::Destroyed { partition } => {
                    client.destroyed(&local(), &format!("slappart{partition}").parse().unwrap()).unwrap();
                }
                Step::Format { partitions } => client.load_computer_configuration(&computer(partitions)).unwrap(),
            }
            check(&client.computer(&local()).unwrap());
        }
    }
}

fn titles(computer: &Computer) -> HashMap<String, (Option<String>, Option<String>)> {
    let busy = computer.partitions.iter().filter(|partition| partition.is_busy());
    busy.map(|p| (p.id.to_string(), (p.root_title.clone(), p.title.clone()))).collect()
}

#[test]
fn a_shared_instance_is_hosted_and_gets_what_its_host_publishes() {
    let master = TestMaster::start();
    let client = master.client();
    client.load_computer_configuration(&computer(2)).unwrap();
    client.request(&request("host")).unwrap();
    let mut shared = InstanceRequest { shared: true, ..request("front") };
    shared.parameters.insert("port".to_owned(), Value::Int(80));
    assert!(client.request(&shared).unwrap().connection.is_empty());

    let partition: PartitionId = "slappart0".parse().unwrap();
    let published = [("url".to_owned(), Value::from("http://f"))].into();
    client.set_connection(&local(), &partition, Some("_front"), &published).unwrap();

    let url = BTreeMap::from([("url".to_owned(), "http://f".to_owned())]);
    assert_eq!(client.request(&shared).unwrap().connection, url);
    let host = client.register_partition(&local(), &partition).unwrap();
    assert_eq!(host.shared_instances[0].parameters["port"], Value::Int(80));
    assert_eq!(host.release.unwrap().as_str(), RELEASE);
    let unknown = client.set_connection(&local(), &partition, Some("_nobody"), &published);
    assert!(matches!(unknown, Err(ClientError::NotFound { .. })));
}
