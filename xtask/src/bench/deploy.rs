//! How long the peer's release takes from `node format` to a service that answers, by the classic commands.

use super::cloud::Cloud;
use super::figures::{Table, Unit};
use super::side::{Ground, Side};
use crate::step::Failure;

const RUNS: usize = 3;
const PARTITIONS: usize = 10;
const TARGET: f64 = 3.0;

pub(crate) fn run(ground: &Ground, table: &mut Table) -> Result<(), Failure> {
    let mut times: [Vec<f64>; 2] = Default::default();
    for round in 1..=RUNS {
        for (side, times) in Side::BOTH.into_iter().zip(&mut times) {
            let cloud = Cloud::deploy(ground, side, ground.place("deploy", side)?, PARTITIONS)?;
            println!("   {}, run {round}: {:.0} ms", side.name(), cloud.deployment);
            times.push(cloud.deployment);
        }
    }
    table.compare("deployment, from format to answer", Unit::Milliseconds, &times[0], &times[1], TARGET);
    Ok(())
}
