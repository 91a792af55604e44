//! How long a pass of the node takes that finds nothing to do.

use std::time::Duration;

use super::cloud::Cloud;
use super::figures::{Table, Unit, timed};
use super::side::{Ground, Side, finish};
use crate::step::Failure;

const RUNS: usize = 7;
const PARTITIONS: usize = 10;
const TARGET: f64 = 50.0;

pub(crate) fn run(ground: &Ground, table: &mut Table) -> Result<(), Failure> {
    let mut clouds = Vec::new();
    for side in Side::BOTH {
        let cloud = Cloud::deploy(ground, side, ground.place("pass", side)?, PARTITIONS)?;
        cloud.add_instances(PARTITIONS - 1)?;
        clouds.push(cloud);
    }
    let mut times: [Vec<f64>; 2] = Default::default();
    for round in 0..=RUNS {
        for (cloud, times) in clouds.iter().zip(&mut times) {
            let (taken, done) =
                timed(|| finish(&cloud.slapos(&["node", "instance"]), Duration::from_secs(120)));
            done?;
            if round > 0 {
                times.push(taken);
            }
        }
    }
    let what = format!("node instance, nothing to do, {PARTITIONS} partitions");
    table.compare(&what, Unit::Milliseconds, &times[0], &times[1], TARGET);
    Ok(())
}
