//! What runs during a benchmark: a master alone, or a master with a node and a deployed release.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::process::Program;

use super::side::{Ground, Side, finish};
use crate::step::{Failure, top};

/// How many ports a deployment may use, from the first on.
const PORTS: u16 = 20;

/// A stand-alone master with a database of its own; ends with this value.
#[derive(Debug)]
pub(crate) struct Master {
    child: Child,
    port: u16,
}

impl Master {
    /// Starts it in `place` and waits until it listens.
    pub(crate) fn start(ground: &Ground, side: Side, place: &Utf8Path) -> Result<Self, Failure> {
        let port = free_ports();
        let configuration = place.join("slapos.cfg");
        let text = format!(
            "[slapos]\nsoftware_root = {place}/soft\ninstance_root = {place}/inst\ncomputer_id = local\n\
             master_url = http://127.0.0.1:{port}\n\
             [slapproxy]\nhost = 127.0.0.1\nport = {port}\ndatabase_uri = {place}/proxy.db\n"
        );
        host::files::replace(&configuration, text, 0o644).map_err(|error| error.to_string())?;
        let mut child = ground
            .program(ground.programs(side).join("slapos"), place)
            .args(["proxy", "start", "--cfg", configuration.as_str()])
            .spawn(Stdio::null(), Stdio::null(), Stdio::null())
            .map_err(|error| format!("the master cannot be started: {error}"))?;
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > deadline || child.try_wait().is_ok_and(|status| status.is_some()) {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("the master of {} does not answer", side.name()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { child, port })
    }

    /// The port on which it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A master and a node with the peer's release deployed by the classic commands; all of it ends with this value.
#[derive(Debug)]
pub(crate) struct Cloud<'a> {
    ground: &'a Ground,
    side: Side,
    base: Utf8PathBuf,
    port: u16,
    /// Milliseconds from `node format` to the answer of the service.
    pub(crate) deployment: f64,
}

impl<'a> Cloud<'a> {
    /// Deploys the release once, on a node with `partitions` partitions.
    pub(crate) fn deploy(
        ground: &'a Ground,
        side: Side,
        base: Utf8PathBuf,
        partitions: usize,
    ) -> Result<Self, Failure> {
        let port = free_ports();
        let ours = ground.programs(Side::Ours);
        let choice = if side == Side::Ours { ours.as_str() } else { "" };
        let script = Program::new("/bin/bash")
            .args([top().join("tests/peer/run_peer.sh").as_str(), ground.peer().as_str(), base.as_str()])
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("KEEP", "1")
            .env("PORT", port.to_string())
            .env("SERVICE_PORT", (port + 1).to_string())
            .env("PARTITIONS", partitions.to_string())
            .env("MASTER", choice)
            .env("NODE", choice);
        let mut cloud = Self { ground, side, base, port, deployment: f64::NAN };
        let laps = run_group(&script)?;
        // The last lap reads `1234 ms answering`.
        cloud.deployment = laps
            .lines()
            .rev()
            .find_map(|line| line.strip_suffix(" ms answering")?.parse().ok())
            .ok_or_else(|| format!("the deployment does not say how long it took:\n{laps}"))?;
        Ok(cloud)
    }

    /// Requests more instances, and runs passes until all of them are up to date.
    pub(crate) fn add_instances(&self, how_many: usize) -> Result<(), Failure> {
        let url = format!("http://127.0.0.1:{}", self.port);
        let release = self.ground.peer().join("release/software.cfg");
        let first = (self.port + 2).to_string();
        self.ground.script("request_more.py", &[&url, release.as_str(), &how_many.to_string(), &first])?;
        let deadline = Instant::now() + Duration::from_secs(300);
        loop {
            match finish(&self.slapos(&["node", "instance"]), Duration::from_secs(300)) {
                Ok(_) => return Ok(()),
                Err(failure) if Instant::now() > deadline => return Err(failure),
                Err(_) => std::thread::sleep(Duration::from_millis(200)),
            }
        }
    }

    /// A command of this side, in this cloud.
    pub(crate) fn slapos(&self, words: &[&str]) -> Program {
        let configuration = self.base.join("etc/slapos.cfg");
        let programs = self.ground.programs(self.side);
        self.ground
            .program(programs.join("slapos"), &self.base)
            .args(words.iter().copied())
            .env("SLAPOS_CONFIGURATION", configuration.as_str())
            .env("SLAPOS_CLIENT_CONFIGURATION", configuration.as_str())
            .env("PATH", format!("{programs}:{}:/usr/bin:/bin", self.ground.programs(Side::Peer)))
    }

    /// The process ids of the master and of the supervisor.
    pub(crate) fn processes(&self) -> Result<[u32; 2], Failure> {
        let read = |path: &str| {
            let path = self.base.join(path);
            let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
            text.trim().parse::<u32>().map_err(|error| format!("{path} holds no process id: {error}"))
        };
        Ok([read("var/run/proxy.pid")?, read("inst/var/run/supervisord.pid")?])
    }
}

impl Drop for Cloud<'_> {
    fn drop(&mut self) {
        let processes = self.processes();
        let _ = finish(&self.slapos(&["node", "supervisorctl", "shutdown"]), Duration::from_secs(60));
        if let Ok(processes) = processes {
            processes.into_iter().for_each(host::process::ask_to_end);
        }
    }
}

/// Runs the deployment with its output in a file: what it leaves running would otherwise hold the pipe open.
fn run_group(script: &Program) -> Result<String, Failure> {
    let log = tempfile().map_err(|error| format!("no temporary file can be made: {error}"))?;
    let (file, path) = log;
    let copy = file.file().try_clone().map_err(|error| error.to_string())?;
    let mut child = script
        .spawn(Stdio::null(), copy.into(), Stdio::null())
        .map_err(|error| format!("bash cannot be started: {error}"))?;
    let status = child.wait().map_err(|error| error.to_string())?;
    let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let _ = fs::remove_file(&path);
    if status.success() { Ok(text) } else { Err(format!("the deployment failed:\n{text}")) }
}

fn tempfile() -> std::io::Result<(fs::File, Utf8PathBuf)> {
    let path = Utf8PathBuf::from(format!("/tmp/slapos-bench-{}.log", std::process::id()));
    Ok((fs::File::create(&path)?, path))
}

/// The first of [`PORTS`] ports on loopback that nobody listens on.
fn free_ports() -> u16 {
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    // Counting on from one place keeps two clouds of one run apart.
    static NEXT: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(17_000);
    loop {
        let first = NEXT.fetch_add(PORTS, std::sync::atomic::Ordering::Relaxed);
        if (first..first + PORTS).all(is_free) {
            return first;
        }
    }
}
