//! Shared parts built by real processes: two at once, and one that is killed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use camino::Utf8PathBuf;
use fs_err as fs;
use host::process::Program;
use testkit::scratch::Scratch;

const LIMIT: Duration = Duration::from_secs(200);

/// A server that gives `hello` to each request when it is told to; gives its address, what tells of requests, and what
/// lets one be answered.
fn server() -> (String, Receiver<()>, Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/file", listener.local_addr().unwrap());
    let ((asked, requests), (answer, go)) = (channel(), channel());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|count| count > 0) {}
            let _ = asked.send(());
            if go.recv().is_err() {
                return;
            }
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello");
        }
    });
    (address, requests, answer)
}

/// A release of that name whose part `p` is a shared download.
fn release(scratch: &Scratch, name: &str, address: &str) -> Program {
    let directory = scratch.path().join(name);
    fs::create_dir_all(&directory).unwrap();
    fs::create_dir_all(scratch.path().join("shared")).unwrap();
    let profile = format!(
        "[buildout]\nparts = p\nshared-part-list = {}/shared\n\
         [p]\nrecipe = slapos.recipe.build:download\nshared = true\nurl = {address}\n\
         md5sum = 5d41402abc4b2a76b9719d911017c592\n",
        scratch.path()
    );
    fs::write(directory.join("buildout.cfg"), profile).unwrap();
    Program::new(env!("CARGO_BIN_EXE_slapos"))
        .arg("buildout")
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", scratch.path().as_str())
        .directory(directory)
}

/// What is in the directory of the shared builds of `p`.
fn places(scratch: &Scratch) -> Vec<Utf8PathBuf> {
    let entries = scratch.path().join("shared/p").read_dir_utf8().unwrap();
    entries.map(|entry| entry.unwrap().into_path()).collect()
}

#[test]
fn a_second_process_waits_for_the_first_and_uses_what_it_has_built() {
    let scratch = Scratch::new();
    let (address, requests, answer) = server();

    std::thread::scope(|scope| {
        let first = release(&scratch, "one", &address);
        let first = scope.spawn(move || first.run(Some(LIMIT), &mut |_| {}).unwrap());
        requests.recv_timeout(LIMIT).unwrap();
        let second = release(&scratch, "two", &address);
        let second = second
            .run(Some(LIMIT), &mut |line| {
                if line.contains("waiting for process ") {
                    answer.send(()).unwrap();
                }
            })
            .unwrap();
        let first = first.join().unwrap();

        assert!(first.success() && second.success(), "{}{}", first.text(), second.text());
        assert!(second.text().contains("p: shared part is already installed"), "{}", second.text());
    });

    assert!(requests.try_recv().is_err(), "the file was fetched twice");
    let places = places(&scratch);
    assert_eq!(places.len(), 1, "{places:?}");
    assert_eq!(fs::read_to_string(places[0].join("p")).unwrap(), "hello");
}

#[test]
fn a_killed_builder_leaves_nothing_that_counts() {
    let scratch = Scratch::new();
    let (address, requests, answer) = server();
    let program = release(&scratch, "one", &address);
    let mut killed = program.spawn(Stdio::null(), Stdio::null(), Stdio::null()).unwrap();
    requests.recv_timeout(LIMIT).unwrap();

    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(places(&scratch).iter().all(|place| !place.join(".buildout-shared.json").exists()));
    // The one is for the request of the killed process, the other for that of the next.
    answer.send(()).unwrap();
    answer.send(()).unwrap();
    let next = program.run(Some(LIMIT), &mut |_| {}).unwrap();

    assert!(next.success(), "{}", next.text());
    let places = places(&scratch);
    assert_eq!(places.len(), 1, "{places:?}");
    assert_eq!(fs::read_to_string(places[0].join("p")).unwrap(), "hello");
    assert!(places[0].join(".buildout-shared.json").exists());
}
