//! What a promise said, run after run: its log, which plugins write themselves.

use std::io;

use host::beneath::Directory;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The directory of the logs, in a partition.
pub(super) const FOLDER: &str = ".slapgrid/promise/log";

/// One run: the level of its record, and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    id: String,
    pub(super) failed: bool,
    pub(super) message: String,
}

/// Adds a run to the log of a promise.
pub(super) fn append(
    folder: &Directory,
    title: &str,
    now: Timestamp,
    failed: bool,
    message: &str,
) -> io::Result<()> {
    let local = now.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    // The reference takes three random digits to tell runs of one second apart.
    let id = format!("{}-{:03}", now.as_second(), 100 + now.subsec_millisecond() % 900);
    let level = if failed { "ERROR" } else { "INFO" };
    folder.append(
        &format!("{title}.log"),
        format!("{local} - {level} - {id} - {message}\n").as_bytes(),
        0o644,
    )
}

/// The last runs of a promise, the most recent first.
pub(super) fn last(folder: &Directory, title: &str, count: usize) -> io::Result<Vec<Run>> {
    let text = folder.read_text(&format!("{title}.log"))?.unwrap_or_default();
    let mut runs = runs(&text);
    runs.reverse();
    runs.truncate(count);
    Ok(runs)
}

/// Whether the last runs mean a failure: the last one failed, and at least `amount` of them did.
pub(super) fn fails(last: &[Run], amount: usize) -> bool {
    let failures = last.iter().filter(|run| run.failed).count();
    last.first().is_some_and(|run| run.failed) && failures >= amount
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match (record(line), runs.last_mut()) {
            (Some(record), Some(run)) if run.id == record.id => {
                run.failed |= record.failed;
                run.message.push('\n');
                run.message.push_str(&record.message);
            }
            (Some(record), _) => runs.push(record),
            (None, Some(run)) => {
                run.message.push('\n');
                run.message.push_str(line);
            }
            (None, None) => {}
        }
    }
    runs
}

/// Reads `date time - LEVEL - id - message`; the dashes are optional and blanks may be several.
fn record(line: &str) -> Option<Run> {
    let (date, rest) = word(line)?;
    let (time, rest) = word(rest)?;
    let is_like = |text: &str, form: &str| {
        text.len() == form.len()
            && text
                .bytes()
                .zip(form.bytes())
                .all(|(byte, like)| if like == b'0' { byte.is_ascii_digit() } else { byte == like })
    };
    if !is_like(date, "0000-00-00") || !is_like(time, "00:00:00") {
        return None;
    }
    let (level, rest) = word(without_dash(rest))?;
    let (id, rest) = word(without_dash(rest))?;
    let (seconds, number) = id.split_once('-')?;
    if seconds.is_empty() || !seconds.bytes().all(|byte| byte.is_ascii_digit()) || !is_like(number, "000") {
        return None;
    }
    let failed = matches!(level, "ERROR" | "CRITICAL");
    Some(Run { id: id.to_owned(), failed, message: without_dash(rest).trim().to_owned() })
}

fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn without_dash(text: &str) -> &str {
    let text = text.trim_start();
    text.strip_prefix('-').unwrap_or(text).trim_start()
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8Path;

    #[test]
    fn records_of_one_run_and_lines_without_header_belong_together() {
        let log = "stray\n2026-11-20 23:44:42 - INFO - 1795218282-250 - ok\n\
                   2026-11-20 23:45:42 - ERROR - 1795218342-251 - no\nmore\n2026-11-20  23:45:42  WARNING  1795218342-251  then\n";

        let runs = runs(log);

        let seen: Vec<_> = runs.iter().map(|run| (run.failed, run.message.as_str())).collect();
        assert_eq!(seen, [(false, "ok"), (true, "no\nmore\nthen")]);
    }

    #[test]
    fn what_is_appended_is_read_back_most_recent_first() {
        let guard = tempfile::tempdir().unwrap();
        let folder = Directory::open(Utf8Path::from_path(guard.path()).unwrap()).unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();

        append(&folder, "p", at(1_795_218_282), false, "ok").unwrap();
        append(&folder, "p", at(1_795_218_283), true, "two\nlines").unwrap();

        let last = last(&folder, "p", 3).unwrap();
        assert_eq!(last.iter().map(|run| run.message.as_str()).collect::<Vec<_>>(), ["two\nlines", "ok"]);
        let text = folder.read_text("p.log").unwrap().unwrap();
        assert!(text.contains(" - ERROR - 1795218283-100 - two\nlines\n"), "{text}");
    }

    #[test]
    fn three_failures_in_a_row_fail_where_three_are_asked_for() {
        let run = |failed| Run { id: String::new(), failed, message: String::new() };

        assert!(fails(&[run(true)], 1));
        assert!(!fails(&[run(true), run(true)], 3));
        assert!(fails(&[run(true), run(true), run(true)], 3));
        assert!(!fails(&[run(true), run(false), run(true)], 3));
        assert!(!fails(&[run(false), run(true), run(true)], 1));
        assert!(!fails(&[], 1));
    }
}
