//! Profiles from servers that do wrong, and profiles of every size.

use super::*;

#[test]
fn an_option_of_a_gigabyte_is_refused_wherever_it_comes_from() {
    let trial = Trial::new();
    let endless = server(|_, stream| {
        reply(stream, "200 OK", "[buildout]\nparts = ");
        let piece = [b'x'; 1 << 16];
        for _ in 0..(1 << 30) / piece.len() {
            if stream.write_all(&piece).is_err() {
                return;
            }
        }
    });
    let file = fs::File::create(trial.path("large.cfg")).unwrap();
    file.set_len(1 << 30).unwrap();

    insta::assert_snapshot!(trial.refusal("[buildout]\nextends = large.cfg\n"), @"
    While:
      Initializing.
    Error: cannot read the profile DIRECTORY/large.cfg: it is larger than the 64 MiB that a profile may have
    error: cannot read the profile DIRECTORY/large.cfg
      because: it is larger than the 64 MiB that a profile may have
      ╭▸ DIRECTORY/buildout.cfg:2:11
      │
    2 │ extends = large.cfg
      ╰╴          ━━━━━━━━━ extended here
    hint: check that it is the file you mean; no profile is so large
    E-profile-too-large
    ");
    insta::assert_snapshot!(trial.refusal(extends(&endless)), @"
    While:
      Initializing.
    Error: Error downloading extends for URL http://SERVER: http://SERVER has more than 64 MiB
    error: cannot read the profile http://SERVER
      because: http://SERVER has more than 64 MiB
      ╭▸ DIRECTORY/buildout.cfg:2:11
      │
    2 │ extends = http://SERVER
      ╰╴          ━━━━━━━━━━━━━━━━━━━━━━ extended here
    hint: check that it is the file you mean
    E-profile-too-large
    ");
    insta::assert_snapshot!(trial.refusal("[buildout]\nextends = /dev/zero\n"), @"
    While:
      Initializing.
    Error: cannot read the profile /dev/zero: it is a pipe or a device, not a file
    error: cannot read the profile /dev/zero
      because: it is a pipe or a device, not a file
      ╭▸ DIRECTORY/buildout.cfg:2:11
      │
    2 │ extends = /dev/zero
      ╰╴          ━━━━━━━━━ extended here
    hint: paths in `extends` start from the directory of the profile that has it
    E-profile-extends-missing
    ");
}

#[test]
fn a_profile_server_that_does_wrong_is_named_soon() {
    let trial = Trial::new();
    let address = server(|path, stream| match path {
        "/open/hangs.cfg" => {}
        "/truncates.cfg" => reply(stream, "200 OK\r\nContent-Length: 1000", "[buildout]\nparts ="),
        "/lies.cfg" => reply(stream, "200 OK\r\nContent-Length: 14", "[buildout]\npar and more"),
        "/redirects.cfg" => reply(stream, "302 Found\r\nContent-Length: 0\r\nLocation: /redirects.cfg", ""),
        _ => reply(stream, "404 Not Found\r\nContent-Length: 0", ""),
    });
    let told_within = |patience: &str, path: &str| {
        trial.refusal_with(extends(&format!("{address}/{path}")), &["-t", patience])
    };
    // Only one of them says nothing; the others get the time that they need on a busy machine.
    let told = |path: &str| told_within("60", path);

    insta::assert_snapshot!(told_within("1", "open/hangs.cfg"), @"
    While:
      Initializing.
    Error: Error downloading extends for URL http://SERVER/open/hangs.cfg: the server said nothing for 1s
    error: cannot read the profile http://SERVER/open/hangs.cfg
      because: http://SERVER/open/hangs.cfg could not be fetched
      because: the server said nothing for 1s
      ╭▸ DIRECTORY/buildout.cfg:2:11
      │
    2 │ extends = http://SERVER/open/hangs.cfg
      ╰╴          ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ extended here
    hint: check the network, then run the same command again: it goes on where it stopped
    E-profile-extends-missing
    ");
    insta::assert_snapshot!(told("truncates.cfg"), @"
    While:
      Initializing.
    Error: Error downloading extends for URL http://SERVER/truncates.cfg: the server broke off after 18 of 1000 bytes
    error: cannot read the profile http://SERVER/truncates.cfg
      because: http://SERVER/truncates.cfg could not be fetched
      because: the server broke off after 18 of 1000 bytes
      ╭▸ DIRECTORY/buildout.cfg:2:11
      │
    2 │ extends = http://SERVER/truncates.cfg
      ╰╴          ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ extended here
    hint: check the network, then run the same command again: it goes on where it stopped
    E-profile-extends-missing
    ");
    insta::assert_snapshot!(told("lies.cfg"), @r"
    While:
      Initializing.
    Error: File contains parsing errors: http://SERVER/lies.cfg
    	[line  2]: 'par\n'
    error: this line is neither an option, a section nor a continuation
      ╭▸ http://SERVER/lies.cfg:2:1
      │
    2 │ par
      ╰╴━━━
    hint: a value that goes on must be indented: put at least one blank before “par”
    E-profile-syntax
    ");
    insta::assert_snapshot!(told("redirects.cfg"), @"
    While:
      Initializing.
    Error: Error downloading extends for URL http://SERVER/redirects.cfg: the server redirects without end
    error: cannot read the profile http://SERVER/redirects.cfg
      because: http://SERVER/redirects.cfg could not be fetched
      because: the server redirects without end
      ╭▸ DIRECTORY/buildout.cfg:2:11
      │
    2 │ extends = http://SERVER/redirects.cfg
      ╰╴          ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ extended here
    hint: check the network, then run the same command again: it goes on where it stopped
    E-profile-extends-missing
    ");
    insta::assert_snapshot!(told("missing.cfg"), @"
    While:
      Initializing.
    Error: Error downloading extends for URL http://SERVER/missing.cfg: HTTP Error 404: Not Found
    error: cannot read the profile http://SERVER/missing.cfg
      because: http://SERVER/missing.cfg answered 404
      ╭▸ DIRECTORY/buildout.cfg:2:11
      │
    2 │ extends = http://SERVER/missing.cfg
      ╰╴          ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ extended here
    hint: open the address in a browser, and correct it
    E-profile-extends-missing
    ");
}

#[test]
fn a_profile_with_another_checksum_is_not_read() {
    let trial = Trial::new();
    let address = server(|_, stream| reply(stream, "200 OK\r\nContent-Length: 11", "[buildout]\n"));

    insta::assert_snapshot!(trial.refusal(extends(&format!("{address}/a.cfg#sha256={}", "0".repeat(64)))), @"
    While:
      Initializing.
    Error: SHA256 checksum mismatch downloading 'http://SERVER/a.cfg'
    error: cannot read the profile http://SERVER/a.cfg#sha256=0000000000000000000000000000000000000000000000000000000000000000
      because: sha256 of http://SERVER/a.cfg is eec0ac0d646312ce86729c59aed6c71c400c2ac11b05bb45fb8735ae90f9655e, the profile says 0000000000000000000000000000000000000000000000000000000000000000
      because: the downloaded file is not the one the profile expects
      ╭▸ DIRECTORY/buildout.cfg:2:11
      │
    2 │ extends = http://SERVER/a.cfg#sha256=0000000000000000000000000000000000000000000000000000000000000000
      ╰╴          ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ extended here
    hint: if the profile changed on purpose, write `#sha256=eec0ac0d646312ce86729c59aed6c71c400c2ac11b05bb45fb8735ae90f9655e` behind its address
    E-download-checksum
    ");
}

#[test]
fn a_file_is_kept_as_it_is_published_whatever_encoding_its_server_claims() {
    let trial = Trial::new();
    let address = server(|_, stream| {
        reply(stream, "200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9", "published");
    });
    trial.write("buildout.cfg", format!("{}md5sum = 8f888fedf6bd5ff7c93c6d76bb8dc21c\n", cached(&address)));

    let (code, text) = trial.run(&[]);

    assert_eq!(code, Some(0), "{text}");
}
