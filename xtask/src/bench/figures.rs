//! Medians, and the table that compares them.

use std::fmt;
use std::time::{Duration, Instant};

/// What a figure counts, and whether a larger one is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Milliseconds; fewer are better.
    Milliseconds,
    /// Things done in a second; more are better.
    PerSecond,
    /// Mebibytes; fewer are better.
    Mebibytes,
}

/// One line of the table.
#[derive(Debug)]
struct Row {
    what: String,
    unit: Unit,
    ours: f64,
    peer: Option<f64>,
    target: Option<f64>,
    /// The worst that is allowed, whatever the peer does.
    limit: Option<f64>,
    runs: usize,
}

/// All figures of one sitting.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// Adds the medians of several runs of both sides, and the ratio that is wanted.
    pub(crate) fn compare(&mut self, what: &str, unit: Unit, ours: &[f64], peer: &[f64], target: f64) {
        self.rows.push(Row {
            what: what.to_owned(),
            unit,
            ours: median(ours),
            peer: Some(median(peer)),
            target: Some(target),
            limit: None,
            runs: ours.len(),
        });
    }

    /// Adds the median of several runs of ours, which may take so much at most.
    pub(crate) fn limit(&mut self, what: &str, unit: Unit, ours: &[f64], limit: f64) {
        let (ours, runs) = (median(ours), ours.len());
        let (what, limit) = (what.to_owned(), Some(limit));
        self.rows.push(Row { what, unit, ours, peer: None, target: None, limit, runs });
    }

    /// Adds a figure of ours, with that of the peer where it has the like, without a target.
    pub(crate) fn note(&mut self, what: &str, unit: Unit, ours: f64, peer: Option<f64>) {
        self.rows.push(Row { what: what.to_owned(), unit, ours, peer, target: None, limit: None, runs: 1 });
    }
}

impl Row {
    /// How many times better than the peer.
    fn ratio(&self) -> Option<f64> {
        self.peer.map(|peer| match self.unit {
            Unit::PerSecond => self.ours / peer,
            Unit::Milliseconds | Unit::Mebibytes => peer / self.ours,
        })
    }

    fn wanted(&self) -> String {
        match (self.target, self.limit) {
            (Some(target), _) => times(target),
            (None, Some(limit)) => figure(limit, self.unit),
            (None, None) => "-".to_owned(),
        }
    }

    fn verdict(&self) -> &'static str {
        match (self.ratio(), self.target, self.limit) {
            (Some(ratio), Some(target), _) if ratio >= target => "reached",
            (_, _, Some(limit)) if self.ours <= limit => "reached",
            (Some(_), Some(_), _) | (_, _, Some(_)) => "MISSED",
            _ => "",
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
        writeln!(
            f,
            "{:width$}  {:>12}  {:>12}  {:>7}  {:>8}  {:>4}  verdict",
            "median of the runs", "ours", "peer", "ratio", "target", "runs"
        )?;
        for row in &self.rows {
            writeln!(
                f,
                "{:width$}  {:>12}  {:>12}  {:>7}  {:>8}  {:>4}  {}",
                row.what,
                figure(row.ours, row.unit),
                row.peer.map_or_else(|| "-".to_owned(), |peer| figure(peer, row.unit)),
                row.ratio().map_or_else(|| "-".to_owned(), times),
                row.wanted(),
                row.runs,
                row.verdict(),
            )?;
        }
        Ok(())
    }
}

fn figure(value: f64, unit: Unit) -> String {
    let digits = if value < 100.0 { 1 } else { 0 };
    match unit {
        Unit::Milliseconds => format!("{value:.digits$} ms"),
        Unit::PerSecond => format!("{value:.digits$} /s"),
        Unit::Mebibytes => format!("{value:.digits$} MiB"),
    }
}

fn times(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.1}x") } else { format!("{ratio:.0}x") }
}

/// The middle value; of an even number, the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[count / 2],
        count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}

/// Milliseconds that `work` takes.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let result = work();
    (milliseconds(start.elapsed()), result)
}

/// A duration in milliseconds.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn a_ratio_below_its_target_is_called_missed() {
        let mut table = Table::default();
        table.compare("start", Unit::Milliseconds, &[4.0], &[400.0], 50.0);
        table.compare("requests", Unit::PerSecond, &[400.0], &[100.0], 50.0);
        table.limit("quick", Unit::Milliseconds, &[10.0], 10.0);
        table.limit("slow", Unit::Milliseconds, &[10.1], 10.0);

        let text = table.to_string();

        let verdicts: Vec<&str> = text.lines().skip(1).map(|line| line.rsplit(' ').next().unwrap()).collect();
        assert_eq!(verdicts, ["reached", "MISSED", "reached", "MISSED"]);
        assert!(text.contains("100x") && text.contains("4.0x"), "{text}");
    }
}
