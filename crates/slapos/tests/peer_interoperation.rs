//! The unmodified Python SlapOS with our parts: its client library and its node with our master, our node with its
//! master.
#![expect(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

use std::time::{Duration, Instant};

use host::process::{Finished, Program};
use testkit::peer::Peer;
use testkit::ports;
use testkit::scratch::Scratch;

const PROGRAM: &str = env!("CARGO_BIN_EXE_slapos");

/// A stand-alone master, ours or the peer's, that ends with this value.
struct Proxy {
    child: std::process::Child,
    url: String,
}

impl Proxy {
    /// Starts `program proxy start` with a database of its own in `directory`, and waits until it answers.
    fn start(program: &str, directory: &camino::Utf8Path) -> Self {
        let [port] = ports::free();
        fs_err::create_dir_all(directory).unwrap();
        let configuration = directory.join("slapos.cfg");
        let text = format!(
            "[slapos]\nsoftware_root = {directory}/soft\ninstance_root = {directory}/inst\ncomputer_id = local\n\
             master_url = http://127.0.0.1:{port}\n\
             [slapproxy]\nhost = 127.0.0.1\nport = {port}\ndatabase_uri = {directory}/proxy.db\n"
        );
        fs_err::write(&configuration, text).unwrap();
        let log = fs_err::File::create(directory.join("proxy.log")).unwrap();
        let child = Program::new(program)
            .args(["proxy", "start", "--cfg", configuration.as_str()])
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", directory.as_str())
            .env("LC_ALL", "C.UTF-8")
            .env("PYTHONWARNINGS", "ignore")
            .spawn(
                std::process::Stdio::null(),
                log.file().try_clone().unwrap().into(),
                log.file().try_clone().unwrap().into(),
            )
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(200);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = fs_err::read_to_string(directory.join("proxy.log")).unwrap();
            assert!(Instant::now() < deadline, "{program} proxy start does not answer:\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, url: format!("http://127.0.0.1:{port}") }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn succeeded(finished: &Finished) -> String {
    assert!(finished.success(), "{}:\n{}", finished.verdict(), finished.text());
    finished.text()
}

#[test]
fn python_client_library_sees_the_same_from_both_masters() {
    let peer = Peer::ready();
    let scratch = Scratch::new();
    let theirs = Proxy::start(peer.programs().join("slapos").as_str(), &scratch.path().join("theirs"));
    let ours = Proxy::start(PROGRAM, &scratch.path().join("ours"));

    let expected = succeeded(&peer.script("library.py", &[&theirs.url]));
    let seen = succeeded(&peer.script("library.py", &[&ours.url]));

    assert!(expected.lines().count() > 20, "{expected}");
    assert_eq!(seen, expected);
}

#[test]
fn python_node_deploys_a_release_from_our_master() {
    let peer = Peer::ready();
    let scratch = Scratch::new();
    let ours = scratch.install(PROGRAM, "slapos");
    let [port, service] = ports::free::<2>().map(|port| port.to_string());

    let finished = peer.deploy(
        &scratch.path().join("base"),
        &[("MASTER", ours.as_str()), ("PORT", &port), ("SERVICE_PORT", &service)],
    );

    assert!(succeeded(&finished).ends_with("answering\n"));
}

#[test]
fn our_node_deploys_a_release_from_the_python_master() {
    let peer = Peer::ready();
    let scratch = Scratch::new();
    let ours = scratch.install(PROGRAM, "slapos");
    let [port, service] = ports::free::<2>().map(|port| port.to_string());

    let finished = peer.deploy(
        &scratch.path().join("base"),
        &[("NODE", ours.as_str()), ("PORT", &port), ("SERVICE_PORT", &service)],
    );

    assert!(succeeded(&finished).ends_with("answering\n"));
}
