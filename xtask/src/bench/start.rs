//! How long `slapos --help` takes: the cost of any command before it does something.

use std::time::Duration;

use super::figures::{Table, Unit, timed};
use super::side::{Ground, Side, finish};
use crate::step::Failure;

const RUNS: usize = 15;
const TARGET: f64 = 50.0;

pub(crate) fn run(ground: &Ground, table: &mut Table) -> Result<(), Failure> {
    let mut times: [Vec<f64>; 2] = Default::default();
    // The first run of each reads the program from the disk.
    for round in 0..=RUNS {
        for (side, times) in Side::BOTH.into_iter().zip(&mut times) {
            let help = ground.program(ground.programs(side).join("slapos"), ground.peer()).arg("--help");
            let (taken, done) = timed(|| finish(&help, Duration::from_secs(60)));
            done?;
            if round > 0 {
                times.push(taken);
            }
        }
    }
    table.compare("slapos --help", Unit::Milliseconds, &times[0], &times[1], TARGET);
    Ok(())
}
