//! Masters that ask masters, and frontends that are made up.

use master::Forwarding;
use slap::client::ClientError;
use slap::{InstanceRequest, RequestedState, Value};

use crate::harness::{TestMaster, computer, local, request};

/// A master with one partition, and one that forwards to it: what names it, and everything of one release.
fn pair() -> (TestMaster, TestMaster) {
    let far = TestMaster::start();
    far.client().load_computer_configuration(&computer(2)).unwrap();
    let mut forwarding = Forwarding::new(far.url());
    forwarding.releases = vec!["/far.cfg".parse().unwrap()];
    let near = TestMaster::start_with(|configuration| configuration.forwarding.push(forwarding));
    near.client().load_computer_configuration(&computer(2)).unwrap();
    (near, far)
}

fn of_release(title: &str, release: &str) -> InstanceRequest {
    InstanceRequest::new(release.parse().unwrap(), title.parse().unwrap())
}

fn naming(title: &str, master: &str) -> InstanceRequest {
    let mut request = request(title);
    request.filter.insert("master_url".to_owned(), master.to_owned());
    request
}

fn titles(master: &TestMaster) -> Vec<String> {
    let computer = master.client().computer(&local()).unwrap();
    computer.partitions.into_iter().filter_map(|partition| partition.title).collect()
}

#[test]
fn requests_for_another_master_are_fulfilled_there() {
    let (near, far) = pair();

    near.client().request(&of_release("a", "/far.cfg")).unwrap();
    near.client().request(&naming("b", &far.url())).unwrap();
    near.client().request(&of_release("a", "/far.cfg")).unwrap();

    assert_eq!(titles(&far), ["user_a", "user_b"]);
    assert!(titles(&near).is_empty());
    let partition = "slappart0".parse().unwrap();
    far.client().set_connection(&local(), &partition, None, &[("u".to_owned(), "v".into())].into()).unwrap();
    assert_eq!(near.client().request(&of_release("a", "/far.cfg")).unwrap().connection["u"], "v");
    let gone = InstanceRequest { state: Some(RequestedState::Destroyed), ..of_release("a", "/far.cfg") };
    near.client().request(&gone).unwrap();
    let partition = far.client().register_partition(&local(), &partition).unwrap();
    assert_eq!(partition.requested_state, RequestedState::Destroyed);
}

#[test]
fn an_instance_that_is_here_is_not_looked_for_elsewhere() {
    let (near, far) = pair();
    near.client().request(&request("a")).unwrap();

    near.client().request(&of_release("a", "/far.cfg")).unwrap();

    assert!(titles(&far).is_empty());
    assert_eq!(titles(&near), ["a"]);
}

#[test]
fn a_master_recognises_itself_under_any_address() {
    let (near, _far) = pair();

    near.client().request(&naming("a", &near.url())).unwrap();
    near.client().request(&naming("b", &format!("http://localhost:{}/", near.address.port()))).unwrap();

    assert_eq!(titles(&near), ["a", "b"]);
}

#[test]
fn what_cannot_be_forwarded_is_refused() {
    let (near, far) = pair();
    let refusal = |request: &InstanceRequest| near.client().request(request).unwrap_err();

    assert!(matches!(refusal(&naming("a", "http://127.0.0.1:9/")), ClientError::NotFound { .. }));
    for title in ["x", "y"] {
        near.client().request(&of_release(title, "/far.cfg")).unwrap();
    }
    assert!(matches!(refusal(&of_release("z", "/far.cfg")), ClientError::NotFound { .. }));
    far.stop();
    assert!(matches!(refusal(&of_release("z", "/far.cfg")), ClientError::Status { status: 502, .. }));
}

#[test]
fn a_frontend_is_made_up() {
    let (near, _far) = pair();
    let release =
        "http://git.erp5.org/gitweb/slapos.git/blob_plain/HEAD:/software/apache-frontend/software.cfg";
    let mut asked = InstanceRequest { shared: true, ..of_release("front", release) };
    asked.parameters.insert("url".to_owned(), Value::from("http://10.0.0.2:8080/x"));

    let answer = near.client().request(&asked).unwrap();

    assert_eq!(answer.place, None);
    assert_eq!(answer.connection["secure_access"], "http://10.0.0.2:8080/x");
    assert_eq!(answer.connection["domain"], "10.0.0.2:8080");
    assert!(titles(&near).is_empty());
}
