//! What a software pass does, decided from what is wanted and what is there.

use std::collections::BTreeSet;

use slap::{Release, SoftwareState, SoftwareUrl};

use crate::outcome::Problem;

/// What a person asks of one software pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Builds releases again that are complete.
    pub force: bool,
    /// Only these releases, by address or md5; all when empty.
    pub only: Vec<String>,
    /// Removes releases that are not wanted any more.
    pub garbage_collect: bool,
    /// Gives the terminal to the build.
    pub debug: bool,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action<'a> {
    /// Install, and tell the master.
    Install(&'a SoftwareUrl),
    /// Remove what is there, if anything, and tell the master.
    Remove(&'a SoftwareUrl),
}

/// What is to be done, in the master's order.
pub(crate) fn plan<'a>(
    releases: &'a [Release],
    options: &Options,
    is_completed: &dyn Fn(&SoftwareUrl) -> bool,
) -> Vec<Action<'a>> {
    releases
        .iter()
        .filter(|release| is_selected(&release.url, &options.only))
        .filter_map(|release| match release.state {
            SoftwareState::Available if options.force || !is_completed(&release.url) => {
                Some(Action::Install(&release.url))
            }
            SoftwareState::Available => None,
            SoftwareState::Destroyed => Some(Action::Remove(&release.url)),
        })
        .collect()
}

fn is_selected(url: &SoftwareUrl, only: &[String]) -> bool {
    only.is_empty()
        || only.iter().map(|word| word.trim()).any(|word| word == url.as_str() || word == url.md5())
}

/// Refuses wishes that contradict each other.
pub(crate) fn check_options(options: &Options) -> Result<(), Problem> {
    if options.garbage_collect && !options.only.is_empty() {
        return Err(Problem::new(
            "node software",
            "garbage collection looks at all releases, so it cannot be combined with a selection",
        )
        .with_code("E-usage")
        .with_hint("run it alone: slapos node software --garbage-collect"));
    }
    Ok(())
}

/// The directories among `found` that no available release uses.
pub(crate) fn garbage(releases: &[Release], found: &BTreeSet<String>) -> Vec<String> {
    let used: BTreeSet<String> = releases
        .iter()
        .filter(|release| release.state == SoftwareState::Available)
        .map(|release| release.url.md5())
        .collect();
    found.iter().filter(|name| is_md5(name) && !used.contains(*name)).cloned().collect()
}

fn is_md5(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn releases() -> Vec<Release> {
        [("a", SoftwareState::Available), ("b", SoftwareState::Available), ("c", SoftwareState::Destroyed)]
            .map(|(url, state)| Release { url: url.parse().unwrap(), state })
            .to_vec()
    }

    fn done(options: &Options) -> Vec<String> {
        plan(&releases(), options, &|url| url.as_str() == "a")
            .iter()
            .map(|action| match action {
                Action::Install(url) => format!("install {url}"),
                Action::Remove(url) => format!("remove {url}"),
            })
            .collect()
    }

    #[test]
    fn a_complete_release_is_left_alone_unless_forced() {
        assert_eq!(done(&Options::default()), ["install b", "remove c"]);
        assert_eq!(
            done(&Options { force: true, ..Options::default() }),
            ["install a", "install b", "remove c"]
        );
    }

    #[test]
    fn a_selection_is_by_address_or_md5_and_does_not_force() {
        let only = |word: &str| Options { only: vec![word.to_owned()], ..Options::default() };

        assert_eq!(done(&only(" b ")), ["install b"]);
        assert_eq!(done(&only("92eb5ffee6ae2fec3ad71c777531578f")), ["install b"]);
        assert_eq!(done(&only("a")), Vec::<String>::new());
    }

    #[test]
    fn garbage_is_what_no_available_release_uses() {
        let found =
            ["0cc175b9c0f1b6a831c399e269772661", "4a8a08f09d37b73795649038408b5f33", "shared", "notes"]
                .map(str::to_owned)
                .into();

        assert_eq!(garbage(&releases(), &found), ["4a8a08f09d37b73795649038408b5f33"]);
    }

    #[test]
    fn garbage_collection_with_a_selection_is_refused() {
        let options = Options { garbage_collect: true, only: vec!["a".to_owned()], ..Options::default() };

        assert!(check_options(&options).is_err());
    }
}
