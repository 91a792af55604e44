//! The examples that are known to fail: a table of `docs/compatibility.md`, each row with its reason.

use std::fmt;

use camino::Utf8Path;
use fs_err as fs;

use super::results::Example;
use crate::step::Failure;

/// The heading above the table.
const HEADING: &str = "## Doctests of zc.buildout that fail";

/// One example that is known to fail.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    document: String,
    line: u32,
}

impl Known {
    /// Whether it is that example.
    pub(super) fn is(&self, example: &Example) -> bool {
        self.document == example.document && self.line == example.line
    }
}

impl fmt::Display for Known {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.document, self.line)
    }
}

/// Reads the ledger.
pub(super) fn read(path: &Utf8Path) -> Result<Vec<Known>, Failure> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    parse(&text).map_err(|problem| format!("{path}: {problem}"))
}

/// Rows are `| document | lines | reason |`.
fn parse(text: &str) -> Result<Vec<Known>, Failure> {
    let section = text.split_once(HEADING).ok_or_else(|| format!("there is no {HEADING:?}"))?.1;
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut known = Vec::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let ["", document, lines, reason, ""] = cells.as_slice() else {
            return Err(format!("this is no row of three cells: {row}"));
        };
        if reason.len() < 10 {
            return Err(format!("this row gives no reason: {row}"));
        }
        for line in lines.split_whitespace() {
            let line = line.parse().map_err(|_| format!("{line} is no line: {row}"))?;
            known.push(Known { document: document.trim_matches('`').to_owned(), line });
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_name_lines_and_give_a_reason() {
        let table = |row: &str| {
            format!(
                "x\n{HEADING}\n\n| document | lines | reason |\n|---|---|---|\n{row}\n\n## Next\n| `c.txt` | 1 | - |"
            )
        };

        let known = parse(&table("| `a.txt` | 3 17 | Ours says it otherwise. |")).unwrap();
        let names: Vec<String> = known.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["a.txt:3", "a.txt:17"]);
        assert!(parse(&table("| `a.txt` | 3 | - |")).is_err());
        assert!(parse(&table("| `a.txt` | 3-7 | Ours says it otherwise. |")).is_err());
        assert!(parse("nothing").is_err());
    }
}
