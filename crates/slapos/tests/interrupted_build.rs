//! A build that is interrupted: nothing that it has started is left, what is complete is recorded, the next build goes
//! on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::io::Write as _;
use std::net::TcpListener;
use std::time::Duration;

use camino::Utf8PathBuf;
use fs_err as fs;
use host::process::{Finished, Program};
use testkit::scratch::Scratch;

const LIMIT: Duration = Duration::from_secs(200);
const INTERRUPT: i32 = 2;

/// Builds the profile in a directory of its own, until `begun` is there, and interrupts the build then.
fn interrupted(scratch: &Scratch, profile: &str) -> (Utf8PathBuf, Finished) {
    let directory = scratch.path().join("release");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("buildout.cfg"), profile).unwrap();
    // The shell tells the number of the process that the build then is.
    let script = "echo $$ > pid && exec \"$@\"";
    let build = Program::new("/bin/sh")
        .args(["-c", script, "sh", env!("CARGO_BIN_EXE_slapos"), "buildout", "-U"])
        .envs([("PATH", "/usr/bin:/bin"), ("SLAPOS_ALLOW_ROOT", "1")])
        .env("HOME", scratch.path().as_str())
        .directory(&directory);
    let done = std::thread::scope(|scope| {
        let running = scope.spawn(|| build.run(Some(LIMIT), &mut |_| {}).unwrap());
        testkit::cloud::wait_until("the part is at work", || directory.join("begun").exists());
        let pid = fs::read_to_string(directory.join("pid")).unwrap().trim().parse().unwrap();
        host::children::signal_process(pid, INTERRUPT).unwrap();
        running.join().unwrap()
    });
    assert!(!done.timed_out, "{}", done.text());
    (directory, done)
}

/// A time to sleep that no other process on this machine sleeps, in seconds.
fn own_time() -> String {
    format!("6543.{}", std::process::id())
}

/// How many processes sleep for so long.
fn sleepers(seconds: &str) -> usize {
    let wanted = format!("sleep\0{seconds}\0");
    let all = host::inhabitants::Inhabitant::all().unwrap();
    let command = |pid: u32| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    all.iter().filter(|process| !process.is_zombie && command(process.pid) == wanted.as_bytes()).count()
}

#[test]
fn programs_of_parts_end_with_all_below_them_and_complete_parts_are_recorded() {
    let scratch = Scratch::new();
    // The second part does not mind that its command fails.
    let time = own_time() + "50";
    let profile = format!(
        "[buildout]\nparts = one two three\n\
        [one]\nrecipe = plone.recipe.command\ncommand = true\n\
        [two]\nrecipe = plone.recipe.command\nlocation = ${{buildout:directory}}/made\n\
        command = mkdir ${{:location}}; touch begun; sh -c 'sleep {time}'; true\n\
        [three]\nrecipe = plone.recipe.command\ncommand = touch came-to-the-third\n"
    );

    let (directory, done) = interrupted(&scratch, &profile);

    assert_eq!(done.status.code(), Some(130), "{}", done.text());
    assert!(done.text().ends_with("E-interrupted\n"), "{}", done.text());
    assert_eq!(sleepers(&time), 0);
    let record = fs::read_to_string(directory.join(".installed.cfg")).unwrap();
    assert!(record.contains("parts = one\n"), "{record}");
    assert!(!directory.join("made").exists() && !directory.join("came-to-the-third").exists());
}

#[test]
fn a_recipe_in_python_ends_with_what_it_runs() {
    let scratch = Scratch::new();
    let recipe = scratch.path().join("release/recipe.py");
    fs::create_dir_all(recipe.parent().unwrap()).unwrap();
    let time = own_time() + "75";
    let text = format!(
        "import subprocess\n\nclass Recipe:\n  def __init__(self, *args): pass\n  def install(self):\n    \
        open('begun', 'w').close()\n    try:\n      subprocess.call(['sleep', '{time}'])\n    \
        finally:\n      subprocess.call(['sleep', '{time}'])\n    return []\n"
    );
    fs::write(&recipe, text).unwrap();

    let (_, done) = interrupted(&scratch, &format!("[buildout]\nparts = p\n[p]\nrecipe = {recipe}\n"));

    assert_eq!(done.status.code(), Some(130), "{}", done.text());
    assert_eq!(sleepers(&time), 0);
}

#[test]
fn a_download_ends_whether_the_server_goes_on_or_not() {
    for goes_on in [true, false] {
        let scratch = Scratch::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let begun = scratch.path().join("release/begun");
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n").unwrap();
            fs::write(begun, "").unwrap();
            while stream.write_all(b"x").is_ok() {
                std::thread::sleep(if goes_on { Duration::from_millis(10) } else { LIMIT });
            }
        });
        let profile = format!(
            "[buildout]\nparts = p\n[p]\nrecipe = slapos.recipe.build:download\nurl = http://{address}/x\n"
        );

        let (directory, done) = interrupted(&scratch, &profile);

        assert_eq!(done.status.code(), Some(130), "{}", done.text());
        assert!(!directory.join("parts/p/x").exists());
    }
}
