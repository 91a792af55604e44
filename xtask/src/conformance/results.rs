//! How the examples went with both engines, side by side.

use std::collections::BTreeMap;
use std::fmt;

use crate::step::Failure;

/// One example of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Example {
    /// The document, or module and name of the doctest.
    pub(super) document: String,
    /// Its line in the document or module, from 1.
    pub(super) line: u32,
    /// Whether it runs the command line.
    is_cli: bool,
    passes: bool,
    /// How its text begins.
    begin: String,
}

impl fmt::Display for Example {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.document, self.line, self.begin)
    }
}

/// The same examples with Python's engine and with ours.
pub(super) struct Results(Vec<(Example, Example)>);

impl Results {
    /// Reads what the runs of Python's engine and of ours have written; `only` are the words that documents were
    /// chosen by.
    pub(super) fn new(python: &str, ours: &str, only: &[&str]) -> Result<Self, Failure> {
        let is_wanted =
            |example: &Example| only.is_empty() || only.iter().any(|word| example.document.contains(word));
        let ours = examples(ours)?;
        let mut pairs = Vec::new();
        for example in examples(python)?.into_iter().filter(is_wanted) {
            let same = |other: &&Example| other.document == example.document && other.line == example.line;
            let other = ours.iter().find(same).ok_or_else(|| format!("{example}: ours did not run it"))?;
            pairs.push((example, other.clone()));
        }
        if pairs.is_empty() { Err("no example has run".to_owned()) } else { Ok(Self(pairs)) }
    }

    /// Examples of the command line that pass with Python and fail with ours.
    pub(super) fn failing(&self) -> Vec<&Example> {
        let failing = self.0.iter().filter(|(python, ours)| python.is_cli && python.passes && !ours.passes);
        failing.map(|(python, _)| python).collect()
    }

    /// The same, one in each line.
    pub(super) fn failing_listing(&self) -> String {
        self.failing().iter().map(|example| format!("{example}\n")).collect()
    }
}

fn examples(text: &str) -> Result<Vec<Example>, Failure> {
    let read = |line: &str| {
        let mut fields = line.splitn(5, '\t');
        let document = fields.next()?.to_owned();
        let number = fields.next()?.parse().ok()?;
        let is_cli = fields.next()? == "cli";
        let passes = fields.next()? == "pass";
        Some(Example { document, line: number, is_cli, passes, begin: fields.next()?.to_owned() })
    };
    text.lines().map(|line| read(line).ok_or_else(|| format!("no result of an example: {line}"))).collect()
}

#[derive(Default)]
struct Row {
    examples: usize,
    python: usize,
    ours: usize,
    cli: usize,
    cli_python: usize,
    cli_ours: usize,
    cli_lost: usize,
}

impl Row {
    fn add(&mut self, python: &Example, ours: &Example) {
        self.examples += 1;
        self.python += usize::from(python.passes);
        self.ours += usize::from(ours.passes);
        self.cli += usize::from(python.is_cli);
        self.cli_python += usize::from(python.is_cli && python.passes);
        self.cli_ours += usize::from(python.is_cli && ours.passes);
        self.cli_lost += usize::from(python.is_cli && python.passes && !ours.passes);
    }

    fn write(&self, formatter: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        writeln!(
            formatter,
            "{name:26} {:8} {:7} {:6} | {:7} {:7} {:6} {:10}",
            self.examples, self.python, self.ours, self.cli, self.cli_python, self.cli_ours, self.cli_lost
        )
    }
}

impl fmt::Display for Results {
    /// A table with a row for each document, the doctests of one module together.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
        let mut total = Row::default();
        for (python, ours) in &self.0 {
            let name = python.document.as_str();
            let name = match name.split_once('.') {
                Some((module, _)) if module.starts_with("test_") => module,
                _ => name,
            };
            rows.entry(name).or_default().add(python, ours);
            total.add(python, ours);
        }
        writeln!(
            formatter,
            "{:26} {:8} {:>7} {:>6} | {:7} {:>7} {:>6} {:>10}",
            "document", "examples", "Python", "ours", "command", "Python", "ours", "only Python"
        )?;
        for (name, row) in &rows {
            row.write(formatter, name)?;
        }
        total.write(formatter, "total")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PYTHON: &str =
        "a.txt\t3\tcli\tpass\tx\na.txt\t5\tother\tpass\ty\nb.txt\t1\tcli\tfail\tz\nb.txt\t2\tcli\tpass\tw\n";
    const OURS: &str =
        "a.txt\t3\tcli\tpass\tx\na.txt\t5\tother\tfail\ty\nb.txt\t1\tcli\tfail\tz\nb.txt\t2\tcli\tfail\tw\n";

    #[test]
    fn only_command_lines_that_pass_with_python_can_be_failures() {
        let results = Results::new(PYTHON, OURS, &[]).unwrap();

        assert_eq!(results.failing_listing(), "b.txt:2: w\n");
    }

    #[test]
    fn examples_that_were_not_run_do_not_pass_unnoticed() {
        assert!(Results::new(PYTHON, "", &[]).is_err());
        assert!(Results::new(PYTHON, OURS, &["c.txt"]).is_err());
    }
}
