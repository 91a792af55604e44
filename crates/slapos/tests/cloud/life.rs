//! The life of an instance: deployed, changed, killed, broken, repaired, stopped, removed.

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use slap::client::{Client, Endpoint};
use testkit::cloud::{Cloud, wait_until, wait_until_within};
use testkit::{page, ports};

use crate::cloud;
use crate::release::{WEB, with_instance};

/// How long the agent may take to look again by itself.
const A_LOOK: Duration = Duration::from_secs(180);

/// A cloud with one running instance, and the address of its page.
fn deployed() -> (Cloud, Utf8PathBuf, String) {
    let cloud = cloud();
    let release = with_instance(&cloud, WEB);
    let [port] = ports::free();

    let run =
        cloud.up(&release, &["--parameters", "text=hello", &format!("port={port}"), "--json"]).success();

    let url = run.json()["connection-parameters"]["url"].as_str().unwrap().to_owned();
    assert_eq!(url, format!("http://127.0.0.1:{port}/"));
    (cloud, release, url)
}

fn partition(cloud: &Cloud) -> Utf8PathBuf {
    cloud.root().join("inst/slappart0")
}

/// The process number of a service, by the start of its name.
fn pid(cloud: &Cloud, service: &str) -> u32 {
    let status = cloud.here(&["status", "--json"]).json();
    let processes = status[0]["processes"].as_array().unwrap();
    let found =
        processes.iter().find(|process| process["name"].as_str().unwrap().starts_with(service)).unwrap();
    u32::try_from(found["pid"].as_u64().unwrap()).unwrap()
}

fn timestamp(cloud: &Cloud) -> String {
    let client = Client::new(&Endpoint::new(format!("http://127.0.0.1:{}/", cloud.port()))).unwrap();
    let computer = client.computer(&"local_computer".parse().unwrap()).unwrap();
    computer.partitions[0].timestamp.clone().unwrap()
}

fn inode(path: &Utf8Path) -> (u64, i64, i64) {
    let metadata = fs_err::metadata(path).unwrap();
    (metadata.ino(), metadata.mtime(), metadata.mtime_nsec())
}

#[test]
fn a_changed_parameter_renders_what_depends_on_it_and_restarts_what_uses_that() {
    let (cloud, release, url) = deployed();
    let port = url.trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    let bystander = inode(&partition(&cloud).join("srv/www/bystander.txt"));
    let (web, idle) = (pid(&cloud, "web"), pid(&cloud, "idle"));

    let _ = cloud.up(&release, &["--parameters", "text=changed", &format!("port={port}")]).success();

    assert_eq!(page::wait_for(&url, |text| text.contains("changed")).trim(), "changed");
    assert_eq!(inode(&partition(&cloud).join("srv/www/bystander.txt")), bystander);
    assert_ne!(pid(&cloud, "web"), web);
    assert_eq!(pid(&cloud, "idle"), idle);
}

#[test]
fn a_second_up_changes_nothing() {
    let (cloud, release, url) = deployed();
    let (web, stamp) = (pid(&cloud, "web"), timestamp(&cloud));

    let again = cloud.up(&release, &["--json"]).success();

    assert_eq!(again.json()["connection-parameters"]["url"], url);
    assert_eq!(again.json()["partition"], "slappart0");
    assert_eq!((pid(&cloud, "web"), timestamp(&cloud)), (web, stamp));
}

#[test]
fn a_killed_service_answers_again_and_the_master_hears_of_it_once() {
    let (cloud, _, url) = deployed();
    let before = timestamp(&cloud);
    let web = pid(&cloud, "web");
    let mut stamps = vec![before.clone()];

    host::process::kill(web);

    page::wait_for(&url, |text| text.contains("hello"));
    assert_ne!(pid(&cloud, "web"), web);
    wait_until("the node has processed the bang", || {
        let stamp = timestamp(&cloud);
        if stamps.last() != Some(&stamp) {
            stamps.push(stamp.clone());
        }
        let done = fs_err::read_to_string(partition(&cloud).join(".timestamp")).unwrap_or_default();
        stamp != before && done == stamp
    });
    assert_eq!(stamps.len(), 2, "{stamps:?}");
    assert_eq!(timestamp(&cloud), stamps[1]);
}

#[test]
fn a_failing_promise_is_seen_everywhere_and_its_repair_too() {
    let (cloud, _, _) = deployed();
    let configuration = cloud.root().join("etc/slapos.cfg");
    let broken = partition(&cloud).join("broken");
    fs_err::write(&broken, "").unwrap();

    let checked = cloud.run(&["node", "promise", "--cfg", configuration.as_str()]);
    let processed = cloud.run(&["node", "instance", "--force", "--cfg", configuration.as_str()]);
    let status = cloud.here(&["status"]);
    let client = Client::new(&Endpoint::new(format!("http://127.0.0.1:{}/", cloud.port()))).unwrap();
    let told =
        client.computer(&"local_computer".parse().unwrap()).unwrap().partitions[0].access_status.clone();

    assert_eq!(checked.code, 2, "{}", checked.text());
    assert_eq!(processed.code, 2, "{}", processed.text());
    assert!(processed.stderr.contains("somebody broke it"), "{}", processed.text());
    assert_eq!(status.code, 1);
    assert!(
        status.stdout.contains("Failing") && status.stdout.contains("somebody broke it"),
        "{}",
        status.text()
    );
    assert!(told.as_deref().unwrap_or_default().starts_with("#error"), "{told:?}");

    fs_err::remove_file(&broken).unwrap();
    wait_until_within(A_LOOK, "all is well again by itself", || cloud.here(&["status"]).code == 0);
    let told =
        client.computer(&"local_computer".parse().unwrap()).unwrap().partitions[0].access_status.clone();
    assert!(!told.as_deref().unwrap_or_default().starts_with("#error"), "{told:?}");
}

#[test]
fn down_leaves_no_process_and_destroy_no_file() {
    let (cloud, release, url) = deployed();

    let _ = cloud.here(&["down"]).success();
    assert_eq!(cloud.processes(), []);
    assert!(page::read(&url).is_err());
    let again = cloud.up(&release, &["--json"]).success();
    assert_eq!(again.json()["partition"], "slappart0");
    assert!(page::wait_for(&url, |_| true).contains("hello"));

    let _ = cloud.here(&["down", "--destroy"]).success();
    assert_eq!(cloud.processes(), []);
    assert!(!cloud.root().exists());
}

#[test]
fn the_classic_commands_find_the_cloud_by_its_configuration() {
    let (cloud, release, url) = deployed();
    let configuration = cloud.root().join("etc/slapos.cfg");
    let variables = [
        ("SLAPOS_CLIENT_CONFIGURATION", configuration.as_str()),
        ("SLAPOS_CONFIGURATION", configuration.as_str()),
    ];

    let list = cloud.run_with(&variables, &["service", "list"]).success().json();
    let info = cloud.run_with(&variables, &["service", "info", "release"]).success().json();
    let profile = release.join("software.cfg");
    let port = url.trim_end_matches('/').rsplit(':').next().unwrap();
    let words = [
        "request",
        "release",
        profile.as_str(),
        "--parameters",
        "text=hello",
        &format!("port={port}"),
        "--json",
    ];
    let request = cloud.run_with(&variables, &words).success();
    let processes = cloud.run_with(&variables, &["node", "status"]).success();

    assert_eq!(list["release"], profile.as_str());
    assert_eq!(info["connection-parameters"]["url"], url);
    assert_eq!(info["requested-state"], "started");
    assert_eq!(request.json()["connection-parameters"]["url"], url);
    assert!(request.stderr.contains("State is : started."), "{}", request.stderr);
    assert!(processes.stdout.contains("slappart0:idle-on-watch"), "{}", processes.stdout);
}

#[test]
fn an_attached_up_stops_everything_when_it_is_interrupted() {
    let cloud = cloud();
    let release = with_instance(&cloud, WEB);
    let [port] = ports::free();
    let (root, master) = (cloud.root(), cloud.port().to_string());
    let parameter = format!("port={port}");
    let words = [
        "up",
        release.as_str(),
        "--root",
        root.as_str(),
        "--port",
        &master,
        "--parameters",
        "text=hi",
        &parameter,
    ];
    let mut up = cloud.start(&words);
    wait_until("it is attached", || fs_err::read_to_string(&up.stderr).unwrap().contains("Attached"));
    assert!(page::wait_for(&format!("http://127.0.0.1:{port}/"), |_| true).contains("hi"));

    host::process::ask_to_end(up.process.id());

    assert!(up.process.wait().unwrap().success());
    assert_eq!(cloud.processes(), []);
    let status = cloud.here(&["status"]);
    assert_eq!(status.code, 3, "{}", status.text());
}

#[test]
fn what_services_and_builds_write_is_in_the_logs() {
    let (cloud, _, url) = deployed();
    page::read(&url).unwrap();

    let of_service = cloud.here(&["logs", "release"]).success().stdout;
    let of_cloud = cloud.here(&["logs"]).success().stdout;
    let of_nothing = cloud.here(&["logs", "releese"]);

    assert!(of_service.contains("GET / HTTP"), "{of_service}");
    assert!(of_service.contains("Installing page."), "{of_service}");
    assert!(of_cloud.contains("Running on http"), "{of_cloud}");
    assert_eq!(of_nothing.code, 2);
    assert!(of_nothing.stderr.contains("did you mean release?"), "{}", of_nothing.stderr);
}

#[test]
fn processes_are_stopped_started_restarted_and_shown_by_hand() {
    let (cloud, _, url) = deployed();
    let configuration = cloud.root().join("etc/slapos.cfg");
    let variables = [("SLAPOS_CONFIGURATION", configuration.as_str())];
    let node = |words: &[&str]| cloud.run_with(&variables, &[&["node"], words].concat());
    let idle = "slappart0:idle-on-watch";

    let stopped = node(&["stop", idle]).success();
    let status = node(&["status", idle]);
    let unknown = node(&["status", "slappart0:nothing"]);
    let started = node(&["start", idle]).success();
    let before = pid(&cloud, "idle");
    let _ = node(&["restart", idle]).success();
    page::read(&url).unwrap();
    let web = cloud.here(&["status", "--json"]).json();
    let web =
        web[0]["processes"].as_array().unwrap().iter().find(|one| one["name"] != "idle-on-watch").unwrap();
    let tail = node(&["tail", &format!("slappart0:{}", web["name"].as_str().unwrap())]).success();

    assert_eq!(stopped.stdout, format!("{idle}: stopped\n"));
    assert!(status.code == 3 && status.stdout.contains("STOPPED"), "{}", status.text());
    assert_eq!(unknown.code, 4, "{}", unknown.text());
    assert_eq!(started.stdout, format!("{idle}: started\n"));
    assert_ne!(pid(&cloud, "idle"), before);
    assert!(tail.stdout.contains("GET / HTTP"), "{}", tail.text());
}

#[test]
fn an_instance_and_its_release_are_removed_when_asked() {
    let (cloud, release, url) = deployed();
    let configuration = cloud.root().join("etc/slapos.cfg");
    let variables = [("SLAPOS_CLIENT_CONFIGURATION", configuration.as_str())];
    let profile = release.join("software.cfg");

    let request = ["request", "release", profile.as_str(), "--state", "destroyed"];
    let _ = cloud.run_with(&variables, &request).success();
    wait_until("the instance is gone", || {
        page::read(&url).is_err() && !partition(&cloud).join("srv").exists()
    });
    let _ = cloud.run_with(&variables, &["remove", profile.as_str(), "local_computer"]).success();

    wait_until("the release is gone", || {
        fs_err::read_dir(cloud.root().join("soft")).is_ok_and(|mut entries| entries.next().is_none())
    });
    let computers = cloud.run_with(&variables, &["computer", "list", "--json"]).success().json();
    assert_eq!(computers[0]["reference"], "local_computer");
    let computer = cloud.run_with(&variables, &["computer", "info", "local_computer"]).success();
    assert!(computer.stdout.starts_with("Computer Reference: local_computer\n"), "{}", computer.text());
    assert_eq!(cloud.run_with(&variables, &["computer", "info", "nothing"]).code, 2);
}
