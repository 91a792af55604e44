//! What a supervisor does with processes, seen from outside.

use std::net::TcpListener;

use host::children::{signal_process, signals};
use host::process::is_alive;
use node::supervisor::ProcessState;

use crate::master::take_request;
use crate::station::{Station, wait_until};

const SLEEP: &str = "exec sleep 600";

#[test]
fn a_killed_service_is_restarted_and_a_program_that_ended_is_not() {
    let station = Station::new();
    station.partition("part0");
    station.wrapper("part0/etc/service/web", SLEEP);
    station.wrapper("part0/etc/run/once", "exit 0");
    station.run(None);
    station.start("part0");
    let first = station.wait_running("part0:web-on-watch");
    let once = station.wait("part0:once", |process| process.state == ProcessState::Exited);

    signal_process(first.pid, signals::KILL).unwrap();

    let second = station.wait("part0:web-on-watch", |process| {
        process.state == ProcessState::Running && process.pid != first.pid
    });
    assert!(is_alive(second.pid));
    assert_eq!(station.process("part0:once").start, once.start);
    assert!(station.log().contains("exited: web-on-watch (terminated by SIGKILL; not expected)"));
}

#[test]
fn processing_again_runs_what_ended_and_leaves_what_runs() {
    let station = Station::new();
    let directory = station.partition("part0");
    station.wrapper("part0/etc/service/web", SLEEP);
    station.wrapper("part0/etc/run/once", "echo again");
    station.run(None);
    station.start("part0");
    let web = station.wait_running("part0:web-on-watch");
    let count =
        || fs_err::read_to_string(directory.join(".part0_once.log")).unwrap_or_default().lines().count();
    wait_until("it ran once", || count() == 1);
    station.wait("part0:once", |process| process.state == ProcessState::Exited);

    station.start("part0");

    wait_until("it ran twice", || count() == 2);
    assert_eq!(station.process("part0:web-on-watch").pid, web.pid);
}

#[test]
fn a_new_wrapper_restarts_no_other_and_a_removed_one_ends() {
    let station = Station::new();
    station.partition("part0");
    station.partition("part00");
    station.wrapper("part0/etc/service/a", SLEEP);
    station.wrapper("part0/etc/service/b", SLEEP);
    station.wrapper("part00/etc/service/a", SLEEP);
    station.run(None);
    station.start("part0");
    station.start("part00");
    let (a, b) = (station.wait_running("part0:a-on-watch"), station.wait_running("part0:b-on-watch"));
    let namesake = station.wait_running("part00:a-on-watch");

    station.wrapper("part0/etc/service/c", SLEEP);
    fs_err::remove_file(station.root().join("part0/etc/service/b")).unwrap();
    station.start("part0");

    station.wait_running("part0:c-on-watch");
    assert_eq!(station.process("part0:a-on-watch").pid, a.pid);
    assert!(!is_alive(b.pid));
    station.supervisor.stop("part0").unwrap();
    let names: Vec<_> = station.supervisor.client().processes().unwrap();
    assert_eq!(
        names.iter().map(|process| process.full_name()).collect::<Vec<_>>(),
        ["part00:a-on-watch", "watchdog"]
    );
    assert_eq!(station.process("part00:a-on-watch").pid, namesake.pid);
    assert!(!is_alive(a.pid));
}

#[test]
fn stopping_ends_the_whole_group_and_what_left_it() {
    let station = Station::new();
    station.partition("part0");
    station.wrapper("part0/etc/service/tree", "sleep 600 & setsid sleep 600 & wait");
    station.wrapper("part0/etc/run/daemon", "setsid sleep 600 &");
    station.run(None);
    station.start("part0");
    station.wait_running("part0:tree-on-watch");
    wait_until("all of it runs", || station.inhabitants().len() == 4);

    station.supervisor.stop("part0").unwrap();

    assert_eq!(station.inhabitants(), Vec::<u32>::new());
}

#[test]
fn one_that_does_not_want_to_end_is_killed() {
    let station = Station::new();
    station.declare(
        "stubborn",
        "[program:stubborn]\ncommand=/bin/sh -c \"trap '' TERM; while true; do sleep 600; done\"\n\
         autostart=true\nautorestart=false\nstartsecs=0\nstopwaitsecs=1\nstopasgroup=true\n",
    );
    let client = station.run(None);
    let process = station.wait_running("stubborn");

    client.stop_group("stubborn").unwrap();

    assert!(!is_alive(process.pid));
    assert_eq!(station.inhabitants(), Vec::<u32>::new());
    assert!(station.log().contains("killing 'stubborn' with SIGKILL"));
}

#[test]
fn a_killed_supervisor_leaves_nothing_over_and_its_successor_starts_what_ought_to_run() {
    let station = Station::new();
    station.partition("part0");
    station.wrapper("part0/etc/service/tree", "setsid sleep 600 & exec sleep 600");
    station.wrapper("part0/etc/service/off", SLEEP);
    station.wrapper("part0/etc/run/once", "exit 0");
    let client = station.run(None);
    station.start("part0");
    let before = station.wait_running("part0:tree-on-watch");
    station.wait("part0:once", |process| process.state == ProcessState::Exited);
    wait_until("all of it runs", || station.inhabitants().len() == 3);
    let left = station.inhabitants();
    client.call("supervisor.stopProcess", &["part0:off-on-watch".into()]).unwrap();

    station.kill();
    wait_until("its children are gone", || !is_alive(before.pid));
    station.run(None);

    let after = station.wait_running("part0:tree-on-watch");
    assert_ne!(after.pid, before.pid);
    assert!(left.iter().all(|pid| !is_alive(*pid)), "{left:?}");
    assert_eq!(station.process("part0:off-on-watch").state, ProcessState::Stopped);
    assert_eq!(station.process("part0:once").start, 0);
}

#[test]
fn a_second_supervisor_of_the_same_files_gives_way() {
    let station = Station::new();
    let client = station.run(None);
    let pid = client.pid().unwrap();

    assert_eq!(station.run(None).pid().unwrap(), pid);
}

#[test]
fn of_two_supervisors_the_one_without_the_historical_socket_ends() {
    let station = Station::new();
    station.partition("part0");
    station.wrapper("part0/etc/service/web", SLEEP);
    let client = station.run(None);
    station.start("part0");
    let web = station.wait_running("part0:web-on-watch");
    host::files::replace(&station.root().join("supervisord.socket"), "", 0o700).unwrap();

    station.supervisor.write_configuration(None).unwrap();

    wait_until("nobody answers", || client.state().is_err());
    assert!(!is_alive(web.pid));
    let configuration = fs_err::read_to_string(station.supervisor.layout().configuration_file()).unwrap();
    assert!(configuration.contains("/supervisord.socket\n"), "{configuration}");
}

#[test]
fn shutdown_ends_everything_and_forgets_nothing() {
    let station = Station::new();
    station.partition("part0");
    station.wrapper("part0/etc/service/web", SLEEP);
    let client = station.run(None);
    station.start("part0");
    let web = station.wait_running("part0:web-on-watch");

    client.shutdown().unwrap();

    wait_until("nobody answers", || client.state().is_err() && !station.root().join("sv.sock").exists());
    assert!(!is_alive(web.pid));
    station.run(None);
    station.wait_running("part0:web-on-watch");
}

#[test]
fn what_a_finished_program_left_running_ends_and_comes_back_with_the_supervisor() {
    let station = Station::new();
    station.partition("part0");
    station.wrapper("part0/etc/run/daemon", "setsid sleep 600 &");
    let client = station.run(None);
    station.start("part0");
    let runs = |station: &Station| {
        station.wait("part0:daemon", |process| process.state == ProcessState::Exited && process.start > 0);
        wait_until("it runs", || station.inhabitants().len() == 1);
        station.inhabitants()[0]
    };
    let first = runs(&station);

    client.shutdown().unwrap();
    wait_until("nobody answers", || !station.root().join("sv.sock").exists());
    assert!(!is_alive(first));
    station.run(None);
    let second = runs(&station);
    station.kill();
    station.run(None);

    assert_ne!(runs(&station), second);
    assert!(!is_alive(second));
}

#[test]
fn a_wrapper_that_cannot_be_executed_is_not_started_and_is_not_a_failure_of_the_pass() {
    let station = Station::new();
    station.partition("part0");
    host::files::replace(&station.root().join("part0/etc/service/web"), "#!/bin/sh\n", 0o644).unwrap();
    station.run(None);

    station.start("part0");

    assert_eq!(station.process("part0:web-on-watch").state, ProcessState::Stopped);
    let wrapper = station.root().join("part0/etc/service/web");
    let told = format!("not starting web-on-watch: command at '{wrapper}' is not executable");
    assert!(station.log().contains(&told), "{}", station.log());
}

#[test]
fn root_runs_nothing_that_a_partition_could_have_written() {
    if !host::users::is_root() {
        return;
    }
    let station = Station::new();
    let directory = station.partition("part0");
    station.wrapper("part0/etc/service/web", SLEEP);
    let nobody = host::users::Account::by_name("nobody").unwrap().unwrap();
    let wrapper = directory.join("etc/service/web");
    std::os::unix::fs::chown(&wrapper, Some(nobody.uid), None).unwrap();
    station.declare("evil", &format!("[program:evil]\ncommand={wrapper}\nuser=0\nstartretries=0\n"));

    station.run(None);

    let process = station.process("evil");
    assert_eq!(process.state, ProcessState::Fatal);
    assert!(process.spawn_error.starts_with("refused to run "), "{}", process.spawn_error);
}

#[test]
fn a_full_log_is_rotated() {
    let station = Station::new();
    let directory = station.partition("part0");
    station.wrapper(
        "part0/etc/run/talk",
        "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do head -c 10240 /dev/zero | tr '\\0' x; echo; done",
    );
    station.run(None);
    station.start("part0");
    station.wait("part0:talk", |process| process.state == ProcessState::Exited);

    wait_until("the first log is full", || directory.join(".part0_talk.log.1").exists());
    wait_until("all of it is in the logs", || {
        let size = |suffix: &str| {
            fs_err::metadata(format!("{directory}/.part0_talk.log{suffix}")).map_or(0, |log| log.len())
        };
        size("") + size(".1") == 12 * 10_241
    });
}

#[test]
fn the_end_of_a_service_bangs_the_master_and_is_noted() {
    let station = Station::new();
    let directory = station.partition("part0");
    station.wrapper("part0/etc/service/web", SLEEP);
    host::files::replace(&directory.join(".timestamp"), "1795210292.0512962", 0o644).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let master = format!("http://{}", listener.local_addr().unwrap());
    station.run(Some(&master));
    station.start("part0");
    let first = station.wait_running("part0:web-on-watch");

    signal_process(first.pid, signals::KILL).unwrap();

    let bang = take_request(&listener);
    assert!(bang.starts_with("POST /softwareInstanceBang "), "{bang}");
    assert!(bang.contains("web-on-watch+process+in+partition+part0+encountered+a+problem"), "{bang}");
    wait_until("the bang is noted", || directory.join(".slapos_latest_bang_timestamp").exists());
    let noted = fs_err::read_to_string(directory.join(".slapos_latest_bang_timestamp")).unwrap();
    assert_eq!(noted, "1795210292.0512962");
    let events = fs_err::read_to_string(station.supervisor.layout().events()).unwrap();
    let told = r#""event":"process-exited","partition":"part0","process":"web-on-watch","status":-9"#;
    assert!(events.contains(told), "{events}");
}
