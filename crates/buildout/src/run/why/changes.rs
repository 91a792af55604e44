//! What changed in a section and in what it depends on, since the last build.

use std::collections::BTreeSet;

use super::super::install::Options;
use super::super::locate;
use super::super::look::Look;
use super::super::past::{Past, Said};
use crate::engine::Engine;
use crate::installed::SIGNATURE;
use crate::plan::{code_terms, dependencies, differences, digest_of};

/// A line of a profile: `file:line`, and its text.
pub(super) type Line = (String, String);

/// What changed in one section.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) options: Vec<Change>,
    pub(super) dependencies: Vec<(String, Found)>,
    pub(super) recipe: Option<NewCode>,
    /// Options whose values may differ: they are not kept, since they look like secrets.
    pub(super) withheld: Vec<String>,
}

/// What is known of a dependency.
pub(super) enum Found {
    Changes(Changes),
    /// Nothing to compare, and why.
    Nothing(String),
}

/// A recipe of another version.
pub(super) struct NewCode {
    /// What it was made of and is not any more.
    pub(super) was: Vec<String>,
    pub(super) is: Vec<String>,
    /// The pins of what is new.
    pub(super) lines: Vec<Line>,
}

/// An option with another value.
pub(super) struct Change {
    pub(super) option: String,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
    /// The lines that say it, the decisive first.
    pub(super) lines: Vec<Line>,
    /// The references in it whose value is new, with the lines of what they refer to.
    pub(super) through: Vec<(String, Vec<Line>)>,
}

/// The last build beside the next one.
pub(super) struct Comparison<'l> {
    look: &'l Look,
    past: Past,
    /// Sections that were told already.
    told: BTreeSet<String>,
}

impl<'l> Comparison<'l> {
    pub(super) fn new(look: &'l Look, past: Past) -> Self {
        Self { look, past, told: BTreeSet::new() }
    }

    /// What changed in a part of both builds.
    pub(super) fn of_part(&mut self, engine: &mut Engine, part: &str) -> Changes {
        self.told.insert(part.to_owned());
        match (self.look.recorded.parts.get(part), self.look.parts.get(part)) {
            (Some(old), Some(new)) => self.changes(engine, part, old, new),
            _ => Changes::default(),
        }
    }

    /// What changed in a section that is no part, if it did since something was built from it.
    pub(super) fn of_section(&mut self, engine: &mut Engine, section: &str) -> Option<Found> {
        let old = self.digest(section)?;
        let new = engine.section_digest(section);
        if new.as_ref() == Some(&old) {
            return None;
        }
        Some(self.dependency(engine, section, Some(&old), new.as_deref()))
    }

    /// The installed parts that were built from a section, directly or through others.
    pub(super) fn users(&self, section: &str) -> Vec<String> {
        let parts = &self.look.recorded.parts;
        let mut users: Vec<String> = vec![section.to_owned()];
        let mut next = 0;
        while let Some(used) = users.get(next).cloned() {
            next += 1;
            let direct = parts.iter().filter(|(_, options)| digest_of(options, &used).is_some());
            let direct = direct.map(|(part, _)| part.as_str()).chain(self.past.users(&used));
            for user in direct {
                if !users.iter().any(|known| known == user) {
                    users.push(user.to_owned());
                }
            }
        }
        users.retain(|user| parts.contains_key(user) && user != section);
        users
    }

    /// What the signatures of the last build have of a section.
    fn digest(&self, section: &str) -> Option<String> {
        let mut of_parts = self.look.recorded.parts.values().filter_map(|part| digest_of(part, section));
        of_parts.next().or_else(|| self.past.digest(section)).map(str::to_owned)
    }

    fn changes(&mut self, engine: &mut Engine, section: &str, old: &Options, new: &Options) -> Changes {
        let names = differences(old, new).into_iter().filter(|name| *name != SIGNATURE);
        let options =
            names.map(|name| change(engine, section, &name, old.get(&name), new.get(&name))).collect();
        let mut changes = Changes { options, recipe: new_code(engine, old, new), ..Changes::default() };
        for other in dependencies(old, new) {
            let found = self.dependency(engine, other, digest_of(old, other), digest_of(new, other));
            changes.dependencies.push((other.to_owned(), found));
        }
        changes
    }

    /// What changed in a section that another one depends on; with what signatures had of it.
    fn dependency(
        &mut self,
        engine: &mut Engine,
        section: &str,
        old: Option<&str>,
        new: Option<&str>,
    ) -> Found {
        let nothing = |text: &str| Found::Nothing(text.to_owned());
        let Some(old) = old else { return nothing("it was no dependency last time") };
        if new.is_none() {
            return nothing("it is no dependency any more");
        }
        if !self.told.insert(section.to_owned()) {
            return nothing("see above");
        }
        let look = self.look;
        match (look.recorded.parts.get(section), look.parts.get(section)) {
            (Some(old), Some(new)) => return Found::Changes(self.changes(engine, section, old, new)),
            (None, Some(_)) => return nothing("it is new"),
            (Some(_), None) => return nothing("it is no part any more"),
            (None, None) => {}
        }
        match (self.past.said(section, old).cloned(), Said::now(engine, section)) {
            (Some(old), Some(new)) => Found::Changes(self.since(engine, section, &old, &new)),
            _ => self.behind(engine, section),
        }
    }

    /// What changed in a section that is no part.
    fn since(&mut self, engine: &mut Engine, section: &str, old: &Said, new: &Said) -> Changes {
        let mut changes = self.changes(engine, section, &old.as_recorded(), &new.as_recorded());
        if changes.options.is_empty() && changes.dependencies.is_empty() {
            changes.withheld = new.withheld().to_vec();
        }
        changes
    }

    /// What is known of a section of which nothing was kept: what changed in the parts behind it.
    fn behind(&mut self, engine: &mut Engine, section: &str) -> Found {
        let reads: Vec<String> = engine.reads(section).into_iter().flatten().cloned().collect();
        let mut behind = Changes::default();
        for read in reads {
            let parts = &self.look.recorded.parts;
            let is_changed = match (parts.get(&read), self.look.parts.get(&read)) {
                (Some(old), Some(new)) => !differences(old, new).is_empty(),
                _ => false,
            };
            if is_changed && self.told.insert(read.clone()) {
                let told = self.of_part(engine, &read);
                behind.dependencies.push((read, Found::Changes(told)));
            }
        }
        if !behind.dependencies.is_empty() {
            return Found::Changes(behind);
        }
        let trouble = self.past.trouble.as_deref().unwrap_or("the build that made it did not write it down");
        Found::Nothing(format!("what it said last time is not known: {trouble}"))
    }
}

fn new_code(engine: &mut Engine, old: &Options, new: &Options) -> Option<NewCode> {
    let (before, now) = (code_terms(old), code_terms(new));
    if before == now {
        return None;
    }
    let without = |all: &BTreeSet<&str>, others: &BTreeSet<&str>| -> Vec<String> {
        all.difference(others).map(|term| (*term).to_owned()).collect()
    };
    let is = without(&now, &before);
    let lines = is.iter().flat_map(|egg| engine.pin_of_egg(egg)).collect::<Vec<_>>();
    let section = engine.table.plain("buildout", "versions").unwrap_or_default();
    let lines = lines.into_iter().flat_map(|name| self::lines(engine, &section, &name)).collect();
    Some(NewCode { was: without(&before, &now), is, lines })
}

fn change(
    engine: &mut Engine,
    section: &str,
    option: &str,
    old: Option<&String>,
    new: Option<&String>,
) -> Change {
    let raw = engine.table.resolve(section).ok().and_then(|options| options.get(option).cloned());
    let mut through = Vec::new();
    for reference in raw.as_deref().map(references).unwrap_or_default() {
        let Some((other, name)) = reference.split_once(':') else { continue };
        let other = if other.is_empty() { section } else { other };
        let value = engine.read(other, name).ok().flatten().unwrap_or_default();
        // What the old text has, too, is not what made the difference.
        let is_news = !value.is_empty() && old.is_none_or(|old| !old.contains(&value));
        if is_news {
            through.push((format!("${{{reference}}}"), lines(engine, other, name)));
        }
    }
    let lines = lines(engine, section, option);
    Change { option: option.to_owned(), old: old.cloned(), new: new.cloned(), lines, through }
}

/// The texts between `${` and `}`.
fn references(text: &str) -> Vec<&str> {
    let pieces = text.split("$$").flat_map(|piece| piece.split("${").skip(1));
    pieces.filter_map(|piece| piece.split_once('}')).map(|(reference, _)| reference).collect()
}

/// The lines of profiles that assign an option.
fn lines(engine: &Engine, section: &str, option: &str) -> Vec<Line> {
    let places = locate::places(&engine.table, section, option, 0);
    let place = |(source, line): (crate::sources::SourceId, u32)| {
        let source = engine.sources.get(source);
        let text = source.text.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default();
        (format!("{}:{line}", source.name), text.to_owned())
    };
    places.into_iter().map(place).collect()
}
