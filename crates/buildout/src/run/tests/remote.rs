//! Profiles that come from a server.

use super::*;
use crate::download::tests::{Server, ok};

const RECIPE: &str = "recipe = test:file\npath = out\n";

#[test]
fn a_profile_and_what_it_extends_come_from_a_server_each_once() {
    let root = format!(
        "[buildout]\nextends = ../stack/one.cfg ../stack/two.cfg\nparts = a\n[a]\n{RECIPE}text = ${{b:x}}\n"
    );
    let server = Server::new(&[
        ("/software/app.cfg", &ok(&root)),
        ("/stack/one.cfg", &ok("[buildout]\nextends = base.cfg\n")),
        ("/stack/two.cfg", &ok("[buildout]\nextends = ./base.cfg\n[b]\nx = ${:_profile_base_location_}/f\n")),
        ("/stack/base.cfg", &ok("[b]\nx = base\n")),
    ]);
    let bench = Bench::new();

    bench.succeed(&format!("-c {}", server.url("/software/app.cfg")));

    assert_eq!(bench.read("out"), server.url("/stack/f"));
    let mut requests = server.requests();
    requests.sort();
    assert_eq!(requests, ["/software/app.cfg", "/stack/base.cfg", "/stack/one.cfg", "/stack/two.cfg"]);
}

#[test]
fn profiles_that_one_extends_are_fetched_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let both = Arc::new(std::sync::Barrier::new(2));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, both) = (stream.unwrap(), Arc::clone(&both));
            std::thread::spawn(move || {
                use std::io::{Read, Write};
                let _ = stream.read(&mut [0; 4096]);
                // Neither is answered before the other is asked for.
                both.wait();
                let _ = stream.write_all(ok("[buildout]\nparts =\n").as_bytes());
            });
        }
    });
    let bench =
        Bench::with(&format!("[buildout]\nextends = http://{address}/a.cfg http://{address}/b.cfg\n"));

    bench.succeed("-t 5");
}

#[test]
fn the_cache_of_profiles_serves_offline() {
    let bench;
    let local;
    {
        let server = Server::new(&[("/base.cfg", &ok("[b]\nx = remote\n"))]);
        local = format!(
            "[buildout]\nextends = {}\nextends-cache = cache\nparts = a\n[a]\n{RECIPE}text = ${{b:x}}\n",
            server.url("/base.cfg")
        );
        bench = Bench::with(&local);
        bench.succeed("");
        assert_eq!(server.requests().len(), 1);
        bench.succeed("-N");
        assert_eq!(server.requests().len(), 1, "without looking for newer ones the cache is enough");
        bench.succeed("");
        assert_eq!(server.requests().len(), 2);
    }

    bench.succeed("-o");

    assert_eq!(bench.read("out"), "remote");
    let other = Bench::with(&local.replace("extends-cache = cache\n", ""));
    assert_eq!(other.run("-o").result.unwrap_err().code(), "E-profile-extends-missing");
}

#[test]
fn a_profile_that_the_server_does_not_have_is_named_with_the_way_there() {
    let server = Server::new(&[("/app.cfg", &ok("[buildout]\nextends =\n  sub/missing.cfg\n"))]);
    let bench = Bench::new();

    let message =
        bench.fail(&format!("-c {}", server.url("/app.cfg"))).replace(&server.url(""), "http://server");

    insta::assert_snapshot!(message, @r"
    While:
      Initializing.
    Error: Error downloading extends for URL http://server/sub/missing.cfg: HTTP Error 404: Not Found
    error: cannot read the profile http://server/sub/missing.cfg
      because: http://server/sub/missing.cfg answered 404
      ╭▸ http://server/app.cfg:3:3
      │
    3 │   sub/missing.cfg
      ╰╴  ━━━━━━━━━━━━━━━ extended here
    hint: paths in `extends` start from the directory of the profile that has it
    E-profile-extends-missing
    ");
}

#[test]
fn a_relative_cache_in_a_remote_profile_is_refused() {
    let server = Server::new(&[("/app.cfg", &ok("[buildout]\nparts =\ndownload-cache = cache\n"))]);
    let bench = Bench::new();

    let message =
        bench.fail(&format!("-c {}", server.url("/app.cfg"))).replace(&server.url(""), "http://server");

    insta::assert_snapshot!(message, @r#"
    While:
      Initializing.
    Error: Setting "download-cache" to a non absolute location ("cache") within a
    remote configuration file ("http://server/app.cfg") is ambiguous.
    error: `download-cache = cache` in http://server/app.cfg is relative to a remote profile
      ╭▸ http://server/app.cfg:3:1
      │
    3 │ download-cache = cache
      ╰╴━━━━━━━━━━━━━━━━━━━━━━
    hint: write an absolute path, or set it on the command line
    E-profile-value
    "#);
}
