//! The ways to servers: proxies, redirections, certificates, FTP.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use host::process::Program;

use super::tests::{Server, content, limits, whole, write};
use super::*;

fn proxies(variables: &[(&str, &str)]) -> Proxies {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Proxies::from_environment(&variables.collect::<BTreeMap<_, _>>())
}

fn get(client: &Client, request: &Request<'_>) -> Result<(Received, Vec<u8>), TransferError> {
    let mut file = tempfile::tempfile().unwrap();
    let received = client.get(request, &mut file)?;
    let mut content = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut content).unwrap();
    Ok((received, content))
}

/// The address without path.
fn origin(server: &Server) -> &str {
    server.address.trim_end_matches("/file")
}

fn ok(stream: &mut TcpStream, body: &str) {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    write(stream, &head, body.as_bytes());
}

fn redirect(stream: &mut TcpStream, location: &str) {
    let head = format!(
        "HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    );
    write(stream, &head, b"");
}

#[test]
fn a_proxy_is_sent_the_whole_address_in_each_request() {
    let proxy = Server::new(|_, _, stream| {
        ok(stream, "first");
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        while reader.read_line(&mut line).unwrap() > 2 {}
        ok(stream, &line);
    });
    let address = origin(&proxy).replace("http://", "http://anna:p%40w@");
    let client = Client::new(limits(), proxies(&[("http_proxy", &address)]));

    let first = get(&client, &Request::new("http://nowhere.invalid:81/a%20b?c=d")).unwrap();
    let second = get(&client, &Request::new("http://bert:x@nowhere.invalid:81/e")).unwrap();

    assert_eq!((first.0.url.as_str(), first.1), ("http://nowhere.invalid:81/a%20b?c=d", b"first".to_vec()));
    let head = proxy.head(0);
    assert!(head.starts_with("get http://nowhere.invalid:81/a%20b?c=d http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nproxy-authorization: basic yw5uytpwqhc=\r\n"), "{head}");
    assert!(head.contains("\r\nhost: nowhere.invalid:81\r\n"), "{head}");
    // On the same connection.
    assert_eq!(proxy.requests(), 1);
    let head = String::from_utf8(second.1).unwrap();
    assert!(
        head.starts_with("GET http://nowhere.invalid:81/e HTTP/1.1\r\nProxy-Authorization: Basic "),
        "{head}"
    );
    assert!(head.to_lowercase().contains("\r\nauthorization: basic ymvyddp4\r\n"), "{head}");
}

#[test]
fn a_proxy_is_asked_for_a_tunnel_only_where_it_could_not_read_the_request() {
    let proxy = Server::new(|_, head, stream| match head.starts_with("connect ") {
        true => write(stream, "HTTP/1.1 403 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", b""),
        false => ok(stream, "listing"),
    });
    let variables = [("https_proxy", origin(&proxy)), ("FTP_PROXY", origin(&proxy))];
    let client = Client::new(Limits { attempts: 1, ..limits() }, proxies(&variables));

    let error = get(&client, &Request::new("https://nowhere.invalid/a")).unwrap_err();
    let file = get(&client, &Request::new("ftp://nowhere.invalid/pub/a")).unwrap();

    assert!(proxy.head(0).starts_with("connect nowhere.invalid:443 http/1.1\r\n"), "{}", proxy.head(0));
    assert!(matches!(error, TransferError::Network(_)), "{error}");
    assert!(proxy.head(1).starts_with("get ftp://nowhere.invalid/pub/a http/1.1\r\n"), "{}", proxy.head(1));
    assert_eq!((file.0.url.as_str(), file.1), ("ftp://nowhere.invalid/pub/a", b"listing".to_vec()));
}

#[test]
fn each_redirection_takes_its_own_way() {
    let server = Server::new(|_, _, stream| ok(stream, "direct"));
    let target = server.address.clone();
    let proxy = Server::new(move |_, _, stream| redirect(stream, &target));
    let variables = [("http_proxy", origin(&proxy)), ("no_proxy", "localhost, 127.0.0.1")];
    let client = Client::new(limits(), proxies(&variables));

    let received = get(&client, &Request::new("http://nowhere.invalid/")).unwrap();

    assert_eq!(received.1, b"direct");
    assert_eq!(received.0.url, server.address);
    assert!(server.head(0).starts_with("get /file http/1.1\r\n"));
}

#[test]
fn a_proxy_that_cannot_be_used_is_said_without_its_password() {
    let client = Client::new(limits(), proxies(&[("http_proxy", "socks5://anna:secret@one:1")]));

    let error = get(&client, &Request::new("http://nowhere.invalid/")).unwrap_err();

    assert_eq!(error.to_string(), "`socks5://one:1` is no address of a proxy that speaks HTTP");
}

#[test]
fn credentials_go_to_their_own_server_and_to_no_other() {
    let other = Server::new(|_, _, stream| ok(stream, "content"));
    let target = other.address.clone();
    let server = Server::new(move |number, _, stream| match number {
        0 => redirect(stream, "/again"),
        _ => redirect(stream, &target),
    });
    let own = server.address.replace("http://", "http://anna:p%40w@");
    let client = Client::new(limits(), Proxies::default());
    let given = Some(("anna".to_owned(), "p@w".to_owned()));

    for request in [Request { credentials: given, ..Request::new(&server.address) }, Request::new(&own)] {
        let before = server.requests();
        get(&client, &request).unwrap();

        let last = server.head(server.requests() - 1);
        assert!(last.contains("\r\nauthorization: basic yw5uytpwqhc=\r\n"), "{last}");
        assert!(before == 2 || server.head(1).starts_with("get /again "));
        let seen = other.head(other.requests() - 1);
        assert!(!seen.contains("authorization") && !seen.contains("anna"), "{seen}");
    }
}

/// A server whose certificate nobody signed but itself, and that would redirect to `location`.
fn secure_server(location: &str) -> (String, Identity) {
    let scratch = tempfile::tempdir().unwrap();
    let path = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (path("certificate"), path("key"));
    let made = Program::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        // A certificate of an authority is not taken for one of a server.
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-out", &certificate, "-keyout", &key])
        .capture(Duration::from_secs(60))
        .unwrap();
    assert!(made.success(), "{}", made.text());
    let pem = |path: &str| fs_err::read(path).unwrap();
    let certificates = [rustls::pki_types::pem::PemObject::from_pem_slice(&pem(&certificate)).unwrap()];
    let identity = Identity::load(Some(certificate.as_str().into()), None, None).unwrap();
    let key = rustls::pki_types::pem::PemObject::from_pem_slice(&pem(&key)).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let configuration = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates.into(), key)
        .unwrap();
    let configuration = Arc::new(configuration);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://localhost:{}/file", listener.local_addr().unwrap().port());
    let location = location.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let session = rustls::ServerConnection::new(Arc::clone(&configuration)).unwrap();
            let mut reader = BufReader::new(rustls::StreamOwned::new(session, stream));
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|count| count > 2) {}
            let head = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
            let _ = reader.get_mut().write_all(head.as_bytes());
        }
    });
    (address, identity)
}

#[test]
fn a_certificate_that_nobody_signed_is_refused_at_once() {
    let (address, _) = secure_server("/");
    let client = Client::new(limits(), Proxies::default());

    let error = get(&client, &Request::new(&address)).unwrap_err();

    assert_eq!(error.to_string(), "the certificate of localhost is not trusted");
    assert!(!error.is_passing());
}

#[test]
fn what_is_said_in_confidence_is_not_said_where_everybody_listens() {
    let server = Server::new(|_, _, stream| ok(stream, "content"));
    let (address, identity) = secure_server(&server.address);
    let client = Client::with_identity(limits(), Proxies::default(), identity);
    let credentials = Some(("anna".to_owned(), "secret".to_owned()));

    let received = get(&client, &Request { credentials, ..Request::new(&address) }).unwrap();

    assert_eq!(received.1, b"content");
    assert!(!server.head(0).contains("authorization"), "{}", server.head(0));
}

#[test]
fn who_looks_at_no_certificates_goes_nowhere_else() {
    let (address, _) = secure_server("http://nowhere.invalid/");
    let client = Client::trusting(limits(), Proxies::default());

    let error = get(&client, &Request::new(&address)).unwrap_err();

    assert_eq!(error.to_string(), "it is at http://nowhere.invalid/");
}

/// An FTP server for one file, `pub/file`, of 300,000 bytes. The first transfer breaks off after 100,000 of them.
fn ftp_server(knows_sizes: bool) -> (String, Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("ftp://127.0.0.1:{}/pub/file", listener.local_addr().unwrap().port());
    let commands = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&commands);
    let transfers = AtomicUsize::new(0);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            write(&mut stream, "220-Welcome\r\n 220 not yet\r\n220 ready\r\n", b"");
            let (mut data, mut start) = (None, 0);
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|count| count > 0) {
                let command = std::mem::take(&mut line).trim_end().to_owned();
                seen.lock().unwrap().push(command.clone());
                let (verb, rest) = command.split_once(' ').unwrap_or((&command, ""));
                let answer = match verb {
                    "USER" => "331 password?".to_owned(),
                    "PASS" if rest == "wrong" => "530 no".to_owned(),
                    "PASS" => "230 welcome".to_owned(),
                    "CWD" | "TYPE" => "250 yes".to_owned(),
                    "SIZE" if knows_sizes => "213 300000".to_owned(),
                    "PASV" => {
                        let passive = TcpListener::bind("127.0.0.1:0").unwrap();
                        let [high, low] = passive.local_addr().unwrap().port().to_be_bytes();
                        data = Some(passive);
                        // The address is a lie: only the port is taken from it.
                        format!("227 Entering Passive Mode (10,9,8,7,{high},{low}).")
                    }
                    "REST" => {
                        start = rest.parse().unwrap();
                        "350 go on".to_owned()
                    }
                    "RETR" if rest == "file" => {
                        write(&mut stream, "150 here it comes\r\n", b"");
                        let (mut to, _) = data.take().unwrap().accept().unwrap();
                        let end = match transfers.fetch_add(1, Ordering::SeqCst) {
                            0 => 100_000,
                            _ => 300_000,
                        };
                        to.write_all(&content()[start..end]).unwrap();
                        if end == 300_000 { "226 done".to_owned() } else { "426 broken".to_owned() }
                    }
                    "RETR" => "550 no such file".to_owned(),
                    _ => "502 what?".to_owned(),
                };
                write(&mut stream, &format!("{answer}\r\n"), b"");
            }
        }
    });
    (address, commands)
}

#[test]
fn a_file_of_an_ftp_server_is_taken_up_where_it_broke() {
    let (address, commands) = ftp_server(true);
    let address = address.replace("ftp://", "ftp://anna:p%40w@");
    let client = Client::new(limits(), Proxies::default());

    let (received, got) = get(&client, &Request { is_checked: true, ..Request::new(&address) }).unwrap();

    assert_eq!(got, content());
    assert!(received.is_resumed);
    let commands = commands.lock().unwrap();
    assert!(commands.starts_with(&["USER anna", "PASS p@w", "CWD pub", "TYPE I"].map(str::to_owned)));
    assert!(commands.contains(&"REST 100000".to_owned()));
}

#[test]
fn without_size_only_the_word_of_the_server_ends_a_file() {
    let (address, commands) = ftp_server(false);
    let client = Client::new(limits(), Proxies::default());

    let (received, got) = get(&client, &Request { is_checked: true, ..Request::new(&address) }).unwrap();

    assert_eq!(got, content());
    assert!(!received.is_resumed);
    assert!(
        commands.lock().unwrap().starts_with(&["USER anonymous".to_owned(), "PASS anonymous@".to_owned()])
    );
}

#[test]
fn what_an_ftp_server_refuses_is_not_asked_again() {
    let (address, commands) = ftp_server(true);
    let client = Client::new(limits(), Proxies::default());
    let error = |address: &str| get(&client, &Request::new(address)).unwrap_err().to_string();

    assert_eq!(error(&address.replace("/file", "/other")), "the server answered 550 no such file");
    assert_eq!(error(&address.replace("ftp://", "ftp://anna:wrong@")), "the server answered 530 no");
    assert_eq!(commands.lock().unwrap().iter().filter(|command| command.starts_with("USER")).count(), 2);
}

#[test]
fn limits_of_size_and_patience_hold_for_ftp() {
    let (address, _) = ftp_server(true);
    let small = Client::new(Limits { largest: 1000, ..limits() }, Proxies::default());
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_address = format!("ftp://{}/file", silent.local_addr().unwrap());
    let hasty = Limits { attempts: 1, patience: Duration::from_millis(300), ..limits() };
    let client = Client::new(hasty, Proxies::default());

    assert_eq!(get(&small, &Request::new(&address)).unwrap_err().to_string(), "it has more than 1000 bytes");
    assert_eq!(
        get(&client, &Request::new(&silent_address)).unwrap_err().to_string(),
        "the server said nothing for 300ms"
    );
}

#[test]
fn a_redirection_to_ftp_is_followed() {
    let (address, _) = ftp_server(true);
    let server = Server::new(move |_, _, stream| redirect(stream, &address));
    let client = Client::new(limits(), Proxies::default());
    let request = Request { is_checked: true, ..Request::new(&server.address) };

    assert_eq!(get(&client, &request).unwrap().1, content());
}

#[test]
fn a_broken_transfer_through_a_proxy_goes_on_where_it_broke() {
    let proxy = Server::new(|number, head, stream| match number {
        0 => whole(stream, "ETag: \"one\"\r\n", 100_000),
        _ => {
            assert!(head.contains("range: bytes=100000-\r\n"), "{head}");
            let body = &content()[100_000..];
            let head = format!(
                "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\n\
                 Content-Range: bytes 100000-299999/300000\r\n\r\n",
                body.len()
            );
            write(stream, &head, body);
        }
    });
    let client = Client::new(limits(), proxies(&[("http_proxy", origin(&proxy))]));

    let (received, got) = get(&client, &Request::new("http://nowhere.invalid/file")).unwrap();

    assert_eq!(got, content());
    assert!(received.is_resumed);
}
