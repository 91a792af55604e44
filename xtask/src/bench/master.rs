//! How many times a second a master gives the document that every node reads in every pass.

use std::time::Duration;

use super::cloud::Master;
use super::figures::{Table, Unit, milliseconds};
use super::load::load;
use super::side::{Ground, Side};
use crate::step::Failure;

const RUNS: usize = 3;
const TIME: Duration = Duration::from_secs(3);
const TARGET: f64 = 50.0;

pub(crate) fn run(ground: &Ground, table: &mut Table) -> Result<(), Failure> {
    for instances in [10, 100] {
        let mut masters = Vec::new();
        for side in Side::BOTH {
            let place = ground.place(&format!("master-{instances}"), side)?;
            let master = Master::start(ground, side, &place)?;
            let url = format!("http://127.0.0.1:{}", master.port());
            ground.script("fill_master.py", &[&url, &instances.to_string()])?;
            masters.push(master);
        }
        for clients in [1, 8] {
            let mut rates: [Vec<f64>; 2] = Default::default();
            for _ in 0..RUNS {
                for (side, (master, rates)) in Side::BOTH.into_iter().zip(masters.iter().zip(&mut rates)) {
                    let path = "/getFullComputerInformation?computer_id=local";
                    let measured = load(master.port(), path, clients, TIME);
                    println!(
                        "   {}, {instances} instances, {clients} clients: {:.0} /s, 99 of 100 within {:.1} ms, {} errors",
                        side.name(),
                        measured.per_second,
                        milliseconds(measured.slowest_percent),
                        measured.errors,
                    );
                    if measured.errors > 0 {
                        return Err(format!("the master of {} gave {} errors", side.name(), measured.errors));
                    }
                    rates.push(measured.per_second);
                }
            }
            let what = format!("getFullComputerInformation, {instances} instances, {clients} clients");
            table.compare(&what, Unit::PerSecond, &rates[0], &rates[1], TARGET);
        }
    }
    Ok(())
}
