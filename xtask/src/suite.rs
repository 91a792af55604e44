//! `cargo xtask test`: sets up what the tests need, builds the program, runs the whole suite, and says how it went.

use std::time::Instant;

use crate::check::is_there;
use crate::requirement;
use crate::step::{Failure, cargo, step};

/// Runs all tests, or those whose name holds one of `filters`.
pub(crate) fn run(filters: &[&str]) -> Result<(), Failure> {
    requirement::prepare()?;
    step("the program", &cargo(["build", "--package", "slapos"]))?;

    println!("── tests");
    let start = Instant::now();
    let with_nextest = is_there(&cargo(["nextest", "--version"]));
    let runner = if with_nextest {
        cargo(["nextest", "run", "--workspace", "--no-fail-fast"]).args(filters.iter().copied())
    } else {
        cargo(["test", "--workspace", "--no-fail-fast", "--"]).args(filters.iter().copied())
    };
    let mut count = Count::default();
    let finished = runner
        .run(None, &mut |line| {
            println!("{line}");
            count.read(line);
        })
        .map_err(|error| format!("cargo cannot be started: {error}"))?;
    let seconds = start.elapsed().as_secs();
    println!(
        "\n{} tests passed, {} failed, {} left out, in {seconds} s.",
        count.passed, count.failed, count.ignored
    );
    if finished.success() && count.passed > 0 {
        Ok(())
    } else if count.passed == 0 && count.failed == 0 {
        Err("no test has run".to_owned())
    } else {
        Err(format!("{} tests failed", count.failed))
    }
}

/// What the closing lines of cargo's own runner and of nextest say, summed up.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Count {
    /// Adds up a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; …` or
    /// `Summary [ 1.2s] 4 tests run: 3 passed, 1 failed, 0 skipped`.
    fn read(&mut self, line: &str) {
        // nextest shows what a failing test printed, indented, and the test's own count is in it.
        let is_result = line.starts_with("test result:") || line.trim_start().starts_with("Summary [");
        if !is_result {
            return;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<u64>() else { continue };
            match pair[1].trim_end_matches([',', ';']) {
                "passed" => self.passed += number,
                "failed" | "timed" | "exec" => self.failed += number,
                "ignored" | "skipped" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_runners_are_understood() {
        let mut count = Count::default();

        count.read("test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 5 filtered out; finished in 0.5s");
        count.read(
            "     Summary [   0.012s] 12 tests run: 10 passed (1 slow), 1 failed, 1 timed out, 4 skipped",
        );
        count.read("test passed ... ok");
        count.read("    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 281 filtered out");

        assert_eq!(count, Count { passed: 13, failed: 4, ignored: 5 });
    }
}
