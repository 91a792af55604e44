//! What the idle processes hold in memory.

use std::process::Stdio;
use std::time::Duration;

use fs_err as fs;

use super::cloud::Cloud;
use super::figures::{Table, Unit};
use super::side::{Ground, Side};
use crate::step::Failure;

/// Long enough for an agent to make its first pass and to wait.
const SETTLING: Duration = Duration::from_secs(10);
const PARTITIONS: usize = 10;

pub(crate) fn run(ground: &Ground, table: &mut Table) -> Result<(), Failure> {
    let mut idle = Vec::new();
    let mut agent = f64::NAN;
    for side in Side::BOTH {
        let cloud = Cloud::deploy(ground, side, ground.place("memory", side)?, PARTITIONS)?;
        if side == Side::Ours {
            let mut process = cloud
                .slapos(&["node", "agent"])
                .spawn(Stdio::null(), Stdio::null(), Stdio::null())
                .map_err(|error| format!("the agent cannot be started: {error}"))?;
            std::thread::sleep(SETTLING);
            let held = resident(process.id());
            let _ = process.kill();
            let _ = process.wait();
            agent = held.map_err(|failure| format!("the agent does not stay: {failure}"))?;
        }
        let [master, supervisor] = cloud.processes()?;
        idle.push([resident(master)?, resident(supervisor)?]);
    }
    table.note("master, idle", Unit::Mebibytes, idle[0][0], Some(idle[1][0]));
    table.note("supervisor, idle", Unit::Mebibytes, idle[0][1], Some(idle[1][1]));
    table.note("agent, idle", Unit::Mebibytes, agent, None);
    Ok(())
}

/// Resident memory of a process in mebibytes.
fn resident(pid: u32) -> Result<f64, Failure> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).map_err(|error| error.to_string())?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok())
        .map(|kibibytes| kibibytes / 1024.0)
        .ok_or_else(|| format!("process {pid} has no memory"))
}
