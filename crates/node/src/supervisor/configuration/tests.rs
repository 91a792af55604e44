//! The files have the form that slapgrid gives them.

use camino::Utf8PathBuf;
use host::users::Account;

use super::group::group_of;
use super::*;

struct Scratch {
    _guard: tempfile::TempDir,
    layout: Layout,
    partition: Utf8PathBuf,
}

fn scratch() -> Scratch {
    let guard = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::try_from(guard.path().to_owned()).unwrap();
    let partition = root.join("part1");
    for folder in ["etc/run", "etc/service"] {
        fs_err::create_dir_all(partition.join(folder)).unwrap();
    }
    Scratch { layout: Layout::new(root), partition, _guard: guard }
}

fn wrapper(scratch: &Scratch, path: &str) {
    files::replace(&scratch.partition.join(path), "#!/bin/sh\n", 0o755).unwrap();
}

#[test]
fn run_comes_before_service_and_service_wins_a_name() {
    let scratch = scratch();
    for path in ["etc/service/b", "etc/service/a", "etc/run/z", "etc/run/b"] {
        wrapper(&scratch, path);
    }

    let group = PartitionGroup::of_wrappers("part1", &scratch.partition).unwrap().unwrap();

    let names: Vec<_> = group.programs.iter().map(|program| program.process_name.as_str()).collect();
    assert_eq!(names, ["b-on-watch", "z", "a-on-watch"]);
}

#[test]
fn no_wrapper_is_no_group() {
    let scratch = scratch();

    assert_eq!(PartitionGroup::of_wrappers("part1", &scratch.partition).unwrap(), None);
}

#[test]
fn a_group_file_has_the_form_of_the_reference() {
    let scratch = scratch();
    wrapper(&scratch, "etc/service/httpd");
    let group = PartitionGroup::of_wrappers("part1", &scratch.partition).unwrap().unwrap();
    let owner = Account::current().unwrap();

    let text = group.text().unwrap();

    let text = text
        .replace(scratch.layout.instance_root().as_str(), "ROOT")
        .replace(&format!("user={}", owner.uid), "user=UID")
        .replace(&format!("group={}", group_of(&scratch.partition).unwrap()), "group=GID")
        .replace(&format!("\"{}\"", owner.name), "\"NAME\"")
        .replace(&format!("\"{}\"", owner.home), "\"HOME\"");
    insta::assert_snapshot!(text, @r#"
    [group:part1]
    programs=part1_httpd

    [program:part1_httpd]
    directory=ROOT/part1
    command=ROOT/part1/etc/service/httpd
    process_name=httpd-on-watch
    autostart=false
    autorestart=false
    startsecs=0
    startretries=0
    exitcodes=0
    stopsignal=TERM
    stopwaitsecs=60
    stopasgroup=true
    killasgroup=true
    user=UID
    group=GID
    serverurl=AUTO
    redirect_stderr=true
    stdout_logfile=ROOT/part1/.part1_httpd.log
    stdout_logfile_maxbytes=100KB
    stdout_logfile_backups=1
    stderr_logfile=ROOT/part1/.part1_httpd.log
    stderr_logfile_maxbytes=100KB
    stderr_logfile_backups=1
    environment=USER="NAME",LOGNAME="NAME",HOME="HOME"
    "#);
}

#[test]
fn a_partition_does_not_own_the_files_of_its_namesakes() {
    let scratch = scratch();
    write_main(&scratch.layout, None).unwrap();
    for name in ["part1", "part1-socat", "part1a", "part10"] {
        files::replace(&scratch.layout.group_file(name), "", 0o600).unwrap();
    }

    assert_eq!(groups_of(&scratch.layout, "part1").unwrap(), ["part1-socat", "part1"]);
}

#[test]
fn the_main_file_is_written_once_and_keeps_its_watchdog() {
    let scratch = scratch();
    let watchdog = WatchdogArguments {
        program: "/opt/slapos/bin/slapos-watchdog".into(),
        master_url: "http://127.0.0.1:5000".into(),
        computer_id: "local".into(),
        certificate_repository: None,
        instance_root: Some(scratch.layout.instance_root().to_owned()),
    };

    assert!(write_main(&scratch.layout, Some(&watchdog)).unwrap());
    assert!(!write_main(&scratch.layout, Some(&watchdog)).unwrap());
    assert!(!write_main(&scratch.layout, None).unwrap());

    let text = fs_err::read_to_string(scratch.layout.configuration_file()).unwrap();
    let root = scratch.layout.instance_root();
    assert!(text.contains(&format!(
        "\ncommand=/opt/slapos/bin/slapos-watchdog --master-url 'http://127.0.0.1:5000'  --computer-id 'local' --instance-root '{root}'\n"
    )));
}

#[test]
fn watchdog_options_may_be_abbreviated() {
    let words = [
        "slapos-watchdog",
        "--master",
        "http://m",
        "--computer-id=c",
        "--instance-root",
        "/srv",
        "--cert",
        "",
    ];
    let words: Vec<String> = words.map(str::to_owned).to_vec();

    let arguments = WatchdogArguments::parse(&words).unwrap();

    assert_eq!(arguments.computer_id, "c");
    assert_eq!(arguments.instance_root.as_deref(), Some(Utf8Path::new("/srv")));
    assert_eq!(arguments.certificate_repository, None);
    assert_eq!(WatchdogArguments::parse(&words[..3]), Err(ArgumentError::Missing("--computer-id")));
    assert!(matches!(WatchdogArguments::parse(&["w".into(), "--".into()]), Err(ArgumentError::Unknown(_))));
}
