//! A build with a network cache: asked before the address, told what was fetched, and never a reason to fail.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fs_err as fs;
use host::process::Program;
use testkit::scratch::Scratch;

const LIMIT: Duration = Duration::from_secs(200);

/// Content by path; what is sent to `/store` is kept under its hash, what is sent to `/dir` as a list of one entry.
type Files = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

fn server() -> (String, Files, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (files, requests) = (Files::default(), Arc::new(Mutex::new(Vec::new())));
    let (served, seen) = (Arc::clone(&files), Arc::clone(&requests));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap(), &served, &seen);
        }
    });
    (address, files, requests)
}

fn answer(mut stream: TcpStream, files: &Files, seen: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|count| count > 0) {}
    let mut words = head.split(' ').map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    seen.lock().unwrap().push(format!("{method} {path}"));
    let (status, body) = match method.as_str() {
        "GET" => match files.lock().unwrap().get(&path) {
            Some(content) => ("200 OK", content.clone()),
            None => ("404 Not Found", Vec::new()),
        },
        "POST" => {
            let hash = shacache::Hashes::of(&mut body.as_slice(), &[buildout::Algorithm::Sha512]).unwrap();
            let hash = hash.checksum(buildout::Algorithm::Sha512).unwrap().digits;
            files.lock().unwrap().insert(format!("{path}/{hash}"), body);
            ("201 Created", hash.into_bytes())
        }
        _ => {
            files.lock().unwrap().insert(path, [b"[", body.as_slice(), b"]"].concat());
            ("201 Created", Vec::new())
        }
    };
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&body);
}

/// Builds a release of that name; gives whether it worked, and what it printed.
fn build(scratch: &Scratch, name: &str, profile: &str) -> (bool, String) {
    let directory = scratch.path().join(name);
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("buildout.cfg"), profile).unwrap();
    let finished = Program::new(env!("CARGO_BIN_EXE_slapos"))
        .args(["buildout", "buildout:networkcache-section=networkcache"])
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", scratch.path().as_str())
        .directory(directory)
        .run(Some(LIMIT), &mut |_| {})
        .unwrap();
    (finished.success(), finished.text())
}

/// A section with a cache that takes what is signed by a key made for it.
fn section(scratch: &Scratch, address: &str) -> String {
    let (key, certificate) = (scratch.path().join("key.pem"), scratch.path().join("certificate.pem"));
    let made = Program::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-days", "1"])
        .args(["-keyout", key.as_str(), "-out", certificate.as_str()])
        .capture(LIMIT)
        .unwrap();
    assert!(made.success(), "{}", made.text());
    let pem = fs::read_to_string(&certificate).unwrap().replace('\n', "\n  ");
    format!(
        "[networkcache]\ndownload-cache-url = {address}/store\ndownload-dir-url = {address}/dir\n\
         upload-cache-url = {address}/store\nupload-dir-url = {address}/dir\n\
         signature-private-key-file = {key}\nsignature-certificate-list =\n  {pem}\n"
    )
}

#[test]
fn what_one_build_fetched_serves_the_next_although_its_address_is_gone() {
    let scratch = Scratch::new();
    let (address, files, requests) = server();
    let cache = section(&scratch, &address);
    let profile = format!(
        "[buildout]\nextends = {address}/base.cfg\n\
         [p]\nrecipe = slapos.recipe.build:download\nurl = {address}/file\n\
         md5sum = 5d41402abc4b2a76b9719d911017c592\n{cache}"
    );
    files.lock().unwrap().insert("/base.cfg".to_owned(), b"[buildout]\nparts = p\n".to_vec());
    files.lock().unwrap().insert("/file".to_owned(), b"hello".to_vec());

    let (worked, first) = build(&scratch, "one", &profile);
    assert!(worked, "{first}");
    assert!(first.contains("networkcache: Trying to upload file-urlmd5:"), "{first}");
    files.lock().unwrap().retain(|path, _| path.starts_with("/store") || path.starts_with("/dir"));
    requests.lock().unwrap().clear();
    let (worked, second) = build(&scratch, "two", &profile);

    assert!(worked, "{second}");
    assert_eq!(fs::read_to_string(scratch.path().join("two/parts/p/p")).unwrap(), "hello");
    assert!(!second.contains("Downloading"), "{second}");
    let requests = requests.lock().unwrap().clone();
    assert!(
        requests.iter().all(|request| request.contains(" /store/") || request.contains(" /dir/")),
        "{requests:?}"
    );
    // Without anybody whom we trust the same cache is of no use, and its content is not looked at.
    let stranger = profile.replace("signature-certificate-list", "nothing");
    let (worked, third) = build(&scratch, "three", &stranger);
    assert!(!worked && third.contains("answered 404"), "{third}");
}

#[test]
fn a_cache_that_is_not_there_is_no_reason_to_fail() {
    let scratch = Scratch::new();
    let (address, files, _) = server();
    files.lock().unwrap().insert("/file".to_owned(), b"hello".to_vec());
    let [port] = testkit::ports::free();
    let profile = format!(
        "[buildout]\nparts = p\n[p]\nrecipe = slapos.recipe.build:download\nurl = {address}/file\n\
         [networkcache]\ndownload-cache-url = http://127.0.0.1:{port}/store\n\
         download-dir-url = http://127.0.0.1:{port}/dir\n"
    );

    let (worked, text) = build(&scratch, "one", &profile);

    assert!(worked, "{text}");
    assert!(text.contains("Connection refused"), "{text}");
    assert!(text.contains("Downloading"), "{text}");
}

/// Makes a wheel of a module without anything in it.
const WHEEL: &str = "
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr('one.py', '')
    wheel.writestr('one-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: one\\nVersion: 1.0\\n')
    wheel.writestr('one-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\n')
    wheel.writestr('one-1.0.dist-info/RECORD', ''.join(name + ',,\\n' for name in wheel.namelist()))
";

#[test]
fn a_pinned_egg_that_one_build_fetched_serves_the_next_without_an_index() {
    let scratch = Scratch::new();
    let (address, files, requests) = server();
    let wheel = scratch.path().join("one-1.0-py3-none-any.whl");
    let made = Program::new("/usr/bin/python3").args(["-c", WHEEL, wheel.as_str()]).capture(LIMIT).unwrap();
    assert!(made.success(), "{}", made.text());
    let page = b"<a href='/one-1.0-py3-none-any.whl'>one</a>".to_vec();
    files.lock().unwrap().insert("/simple/one/".to_owned(), page);
    files.lock().unwrap().insert("/one-1.0-py3-none-any.whl".to_owned(), fs::read(&wheel).unwrap());
    let profile = format!(
        "[buildout]\nparts = p\nindex = {address}/simple\n[p]\nrecipe = zc.recipe.egg\neggs = One\n\
         [versions]\none = 1.0\n{}",
        section(&scratch, &address)
    );

    let (worked, first) = build(&scratch, "one", &profile);
    assert!(worked, "{first}");
    assert!(first.contains("networkcache: Trying to upload pypi:one=1.0 to"), "{first}");
    files.lock().unwrap().retain(|path, _| path.starts_with("/store") || path.starts_with("/dir"));
    requests.lock().unwrap().clear();
    let (worked, second) = build(&scratch, "two", &profile);

    assert!(worked, "{second}");
    let requests = requests.lock().unwrap().clone();
    assert_eq!(requests.len(), 2, "{requests:?}");
    assert!(requests[0] == "GET /dir/pypi:one=1.0" && requests[1].starts_with("GET /store/"), "{requests:?}");
    // What nobody whom we trust has signed is not used.
    let (worked, third) = build(&scratch, "three", &profile.replace("signature-certificate-list", "nothing"));
    assert!(!worked && third.contains("Couldn't find a distribution for 'One==1.0'"), "{third}");
    // What is not what its hash says is not used either.
    for (path, content) in &mut *files.lock().unwrap() {
        if path.starts_with("/store") {
            content.push(b'x');
        }
    }
    let (worked, fourth) = build(&scratch, "four", &profile);
    assert!(!worked && fourth.contains("the cache gave content with the SHA-512"), "{fourth}");
    assert!(
        !scratch.path().join("four/eggs").read_dir_utf8().unwrap().any(|entry| entry.is_ok()),
        "{fourth}"
    );
}
