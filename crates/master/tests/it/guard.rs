//! No page of somebody else drives the master, on any endpoint, and no input makes it fail.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::harness::TestMaster;

/// Every endpoint, with its method.
const ENDPOINTS: &[(&str, &str)] = &[
    ("POST", "/availableSoftwareRelease"),
    ("POST", "/buildingSoftwareRelease"),
    ("POST", "/computerBang"),
    ("POST", "/destroyedComputerPartition"),
    ("POST", "/destroyedSoftwareRelease"),
    ("GET", "/getComputerInformation"),
    ("GET", "/getComputerPartitionCertificate"),
    ("GET", "/getComputerPartitionStatus"),
    ("GET", "/getComputerStatus"),
    ("GET", "/getFullComputerInformation"),
    ("GET", "/getHateoasUrl"),
    ("GET", "/getHostingSubscriptionIpList"),
    ("GET", "/getRunId"),
    ("GET", "/getSoftwareInstallationStatus"),
    ("GET", "/getSoftwareReleaseListFromSoftwareProduct"),
    ("POST", "/loadComputerConfigurationFromXML"),
    ("GET", "/registerComputerPartition"),
    ("POST", "/requestComputerPartition"),
    ("POST", "/setComputerPartitionConnectionXml"),
    ("POST", "/softwareInstanceBang"),
    ("POST", "/softwareInstanceError"),
    ("POST", "/softwareInstanceRename"),
    ("POST", "/softwareReleaseError"),
    ("POST", "/startedComputerPartition"),
    ("POST", "/stoppedComputerPartition"),
    ("POST", "/supplySupply"),
    ("POST", "/updateComputerPartitionRelatedInstanceList"),
    ("POST", "/useComputer"),
    ("GET", "/watchComputer"),
    ("GET", "/hateoas"),
    ("GET", "/hateoas/"),
    ("GET", "/hateoas/partitions/x"),
    ("GET", "/hateoas/shared/x"),
    ("GET", "/hateoas/computers/x"),
];

#[test]
fn this_list_of_endpoints_is_complete() {
    let sources = [include_str!("../../src/api/classic.rs"), include_str!("../../src/api/hateoas.rs")];
    let routes: usize = sources.iter().map(|source| source.matches(".route(").count()).sum();

    assert_eq!(ENDPOINTS.len(), routes);
}

#[test]
fn pages_of_others_are_refused_on_every_endpoint() {
    let master = TestMaster::start();
    let hostile: &[(&str, &str)] = &[
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Host", "evil.example"),
    ];
    for (method, path) in ENDPOINTS.iter().chain(&[("GET", "/"), ("POST", "/noSuchMethod")]) {
        let form: Option<&[(&str, &str)]> = (*method == "POST").then_some(&[("computer_id", "local")]);
        for header in hostile {
            let answer = master.send_with(method, path, form, &[*header]);
            assert_eq!(answer.status, 403, "{method} {path} {header:?}: {}", answer.body);
        }
        assert_ne!(master.send(method, path, form).status, 403, "{method} {path}");
    }
}

#[test]
fn no_endpoint_fails_on_nonsense() {
    let master = TestMaster::start();
    let long = "x".repeat(100_000);
    let texts = [
        "",
        "None",
        "\0",
        "é\u{fffe}",
        "<marshal>",
        "<marshal><none/></marshal>",
        "../../etc",
        long.as_str(),
    ];
    let names = [
        "computer_id",
        "computer_partition_id",
        "computer_reference",
        "computer_partition_reference",
        "url",
        "state",
        "xml",
        "connection_xml",
        "partition_parameter_xml",
        "filter_xml",
        "shared_xml",
        "software_release",
        "software_type",
        "partition_reference",
        "new_name",
        "message",
        "error_log",
        "slave_reference",
        "use_string",
        "instance_reference_xml",
        "software_product_reference",
        "wait",
        "since",
        "mode",
        "query",
        "relative_url",
    ];
    for (method, path) in ENDPOINTS {
        for text in texts {
            let fields: Vec<(&str, &str)> = names.iter().map(|name| (*name, text)).collect();
            let answer = if *method == "POST" {
                master.send(method, path, Some(&fields))
            } else {
                let short: Vec<(&str, &str)> =
                    fields.iter().map(|(n, t)| (*n, t.get(..200).unwrap_or(t))).collect();
                let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(short).finish();
                master.send(method, &format!("{path}?{query}"), None)
            };
            assert!(answer.status < 500, "{method} {path} {text:.20}: {} {}", answer.status, answer.body);
        }
    }
}

#[test]
fn the_root_is_nothing_and_a_wrong_method_is_named() {
    let master = TestMaster::start();

    assert_eq!(master.send("GET", "/", None).status, 404);
    assert_eq!(master.send("GET", "/supplySupply", None).status, 405);
    assert_eq!(master.send("POST", "/getRunId", Some(&[])).status, 405);
}

#[test]
fn a_body_that_is_too_large_is_refused_and_the_master_stays() {
    let master = TestMaster::start();
    let body = "x".repeat(65 * 1024 * 1024);

    let mut stream = TcpStream::connect(master.address).unwrap();
    let head = format!(
        "POST /useComputer HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        master.address,
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The master may close before everything is sent.
    let _ = stream.write_all(body.as_bytes());
    let mut answer = [0; 12];
    if stream.read_exact(&mut answer).is_ok() {
        assert_eq!(&answer, b"HTTP/1.1 413");
    }

    assert_eq!(master.send("GET", "/getRunId", None).status, 200);
}

#[test]
fn what_is_not_http_harms_nobody() {
    let master = TestMaster::start();
    for bytes in [
        &b"\x16\x03\x01\x02\x00"[..],
        b"GET\r\n\r\n",
        b"\0\0\0\0",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST /supplySupply HTTP/1.1\r\nHost: ",
    ] {
        let mut stream = TcpStream::connect(master.address).unwrap();
        stream.write_all(bytes).unwrap();
        drop(stream);
    }

    assert_eq!(master.send("GET", "/getRunId", None).status, 200);
}
