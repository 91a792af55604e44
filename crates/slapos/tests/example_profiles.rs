//! The examples, run as a newcomer runs them: one command, and what it publishes answers.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use host::process::Program;
use serde_json::Value;
use testkit::cloud::Cloud;
use testkit::peer::top;
use testkit::scratch::Scratch;
use testkit::{page, ports};

const PROGRAM: &str = env!("CARGO_BIN_EXE_slapos");

/// The classic commands fetch and unpack distributions, on a machine that runs other tests too.
const LIMIT: Duration = Duration::from_secs(300);

/// Copies an example to where every user reaches it: as root, the program runs as another one.
fn copy_of(cloud: &Cloud, example: &str) -> Utf8PathBuf {
    let target = cloud.directory().join(Utf8Path::new(example).file_name().expect("an example has a name"));
    copy_tree(&top().join("examples").join(example), &target);
    target
}

fn copy_tree(from: &Utf8Path, to: &Utf8Path) {
    fs_err::create_dir_all(to).expect("the directory of the test is ours");
    for entry in from.read_dir_utf8().expect("the example exists") {
        let entry = entry.expect("the example can be read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(entry.path(), &target);
        } else {
            fs_err::copy(entry.path(), target).expect("the example can be copied");
        }
    }
}

/// What `slapos status` says of the only service.
fn status(cloud: &Cloud) -> Value {
    cloud.here(&["status", "--output", "json"]).success().json()[0].clone()
}

fn published(cloud: &Cloud, name: &str) -> String {
    let status = status(cloud);
    let value = status["connection-parameters"][name].as_str();
    value.unwrap_or_else(|| panic!("{name} is not published: {status:#}")).to_owned()
}

#[test]
fn flask_example_greets_as_requested_and_leaves_nothing_behind() {
    let cloud = Cloud::new(PROGRAM).with_packages();
    let profile = copy_of(&cloud, "flask");

    let up = cloud.up(&profile, &["--parameters", "greeting=Grüße & <more>"]).success();

    let url = published(&cloud, "url");
    assert!(up.stdout.contains(&url), "{}", up.stdout);
    page::wait_for(&url, |text| text.contains("<h1>Grüße &amp; &lt;more&gt;</h1>"));
    let promises = status(&cloud)["promises"].clone();
    let passing = |name: &str| {
        promises.as_array().unwrap().iter().any(|one| one["name"] == name && one["failed"] == false)
    };
    assert!(passing("port_opens.py") && passing("page_greets.py"), "{promises:#}");

    cloud.up(&profile, &["--parameters", "greeting=Another"]).success();

    assert_eq!(published(&cloud, "url"), url, "the port is kept");
    page::wait_for(&url, |text| text.contains("<h1>Another</h1>"));

    cloud.here(&["down", "--destroy"]).success();

    assert!(page::read(&url).is_err(), "the service still answers");
    assert!(cloud.processes().is_empty(), "processes are left over: {:?}", cloud.processes());
    assert!(!cloud.root().exists(), "files are left over");
}

#[test]
fn two_services_example_works_through_its_queue_and_rotates_its_log() {
    let cloud = Cloud::new(PROGRAM);
    let profile = copy_of(&cloud, "two-services");

    cloud.up(&profile, &["--parameters", "log-size=300", "log-count=2"]).success();

    let done = format!("{}done.txt", published(&cloud, "url"));
    page::wait_for(&done, |text| text.trim().parse::<u32>().is_ok_and(|count| count >= 1));
    let queue = Utf8PathBuf::from(published(&cloud, "queue"));
    for number in 0..20 {
        let (hidden, job) = (queue.join(format!(".{number:02}")), queue.join(format!("{number:02}.job")));
        fs_err::write(&hidden, "water the flowers").unwrap();
        fs_err::rename(hidden, job).unwrap();
    }
    page::wait_for(&done, |text| text.trim().parse::<u32>().is_ok_and(|count| count >= 21));
    let logs = queue.ancestors().nth(2).unwrap().join("var/log");
    assert!(
        logs.join("worker.log.1").exists() && logs.join("worker.log.2").exists(),
        "the log is not rotated"
    );
    assert!(!logs.join("worker.log.3").exists(), "more old logs are kept than asked for");
}

#[test]
fn corrected_tutorial_runs_and_answers() {
    let cloud = Cloud::new(PROGRAM).with_packages();
    let profile = copy_of(&cloud, "tutorial");
    let [port] = ports::free();

    cloud.up(&profile, &["--parameters", &format!("port={port}")]).success();

    let url = published(&cloud, "url");
    assert_eq!(url, format!("http://127.0.0.1:{port}/"));
    page::wait_for(&url, |text| text == "Hello, SlapOS!");
}

#[test]
fn classic_commands_make_two_instances_of_one_release() {
    let scratch = Scratch::new();
    let programs = scratch.install(PROGRAM, "slapos");
    let [port] = ports::free();

    let finished = Program::new("/bin/sh")
        .args([top().join("examples/classic.sh").as_str(), scratch.path().join("classic").as_str()])
        .inherit_env()
        .env("SLAPOS", programs.join("slapos").as_str())
        .env("PORT", port.to_string())
        .run(Some(LIMIT), &mut |_| {})
        .unwrap();

    let text = finished.text();
    assert!(finished.success(), "{}:\n{text}", finished.verdict());
    assert!(text.contains("the second instance installed nothing"), "{text}");
}
