//! Reading profiles: each with everything that it extends, from files and from the network, into the order in which
//! they are applied.

mod fetch_rules;
mod graph;
mod location;

use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use shacache::{Client, Limits};

use crate::condition::{Cause, decide};
use crate::download::{Download, Fetcher, Prefetch};
use crate::engine::Engine;
use crate::fault::Fault;
use crate::nearest::nearest;
use crate::sources::{Source, SourceId};
use crate::syntax::{Operator, ParsedSection, parse};
use crate::table::Table;
use crate::{BuildError, Dialect, Event, Level};

pub(crate) use fetch_rules::{FetchOptions, FetchRules};
use graph::Graph;
pub(crate) use location::{Location, expand_home, normalise};

/// The text that makes a section remember where its profile is.
pub(crate) const BASE_REFERENCE: &str = "${:_profile_base_location_}";
pub(crate) const BASE_OPTION: &str = "_profile_base_location_";
/// The largest profile that is read, in bytes.
const LARGEST_PROFILE: u64 = 64 << 20;

/// A profile that was read: what it says, and what it extends.
struct Profile {
    id: SourceId,
    sections: IndexMap<String, ParsedSection>,
    extends: Vec<String>,
    optional: Vec<String>,
}

/// Reads profiles, each once per run.
pub(crate) struct Reader<'a> {
    engine: &'a mut Engine,
    rules: FetchRules,
    graph: Graph<Profile>,
    /// Profiles being followed: none of them may be extended again.
    open: HashSet<String>,
    /// Fetches profiles from the network, as the rules say; made when the first one is met.
    fetcher: Option<Fetcher>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(engine: &'a mut Engine, rules: FetchRules) -> Self {
        Self { engine, rules, graph: Graph::default(), open: HashSet::new(), fetcher: None }
    }

    /// Reads a profile with everything that it extends, and applies them to `table`. The profile itself and the
    /// engine's table say how what it extends is fetched.
    pub(crate) fn apply(
        mut self,
        root: Location,
        mut table: Table,
        options: &FetchOptions<'_>,
    ) -> Result<Table, BuildError> {
        let key = root.key();
        let (profile, base) = self.read(&root, &[], "")?;
        self.settle_rules(&profile, options)?;
        self.follow(key.clone(), profile, &base, &mut Vec::new())?;
        let order = match self.engine.dialect() {
            Dialect::Slapos => self.graph.first_occurrences(&key),
            Dialect::Upstream => self.graph.every_occurrence(&key),
        };
        let dialect = self.engine.dialect();
        for position in order {
            let profile = self.graph.node(position);
            let sections = match dialect {
                // Each is applied once.
                Dialect::Slapos => std::mem::take(&mut profile.sections),
                Dialect::Upstream => profile.sections.clone(),
            };
            table.apply(profile.id, sections, dialect);
        }
        Ok(table)
    }

    /// Learns from the root profile how those that it extends are fetched.
    fn settle_rules(&mut self, root: &Profile, options: &FetchOptions<'_>) -> Result<(), BuildError> {
        let dialect = self.engine.dialect();
        let mut table = self.engine.table.clone();
        let apply = |table: &mut Table, section: &str| {
            if let Some(parsed) = root.sections.get(section) {
                let sections = IndexMap::from([(section.to_owned(), parsed.clone())]);
                table.apply(root.id, sections, dialect);
            }
        };
        apply(&mut table, "buildout");
        if let Some(section) = options.network_cache(&table).filter(|section| section != "buildout") {
            apply(&mut table, &section);
        }
        match options.rules(&table) {
            Ok(rules) => {
                (self.rules, self.fetcher) = (rules, None);
                Ok(())
            }
            Err(error) => {
                // The message shows where the profile says so.
                self.engine.table = table;
                Err(error)
            }
        }
    }

    /// Reads what a profile extends, then keeps it in the graph.
    fn follow(
        &mut self,
        key: String,
        mut profile: Profile,
        base: &Location,
        chain: &mut Vec<String>,
    ) -> Result<(), BuildError> {
        let name = self.engine.sources.get(profile.id).name.clone();
        chain.push(name);
        self.open.insert(key.clone());
        let mut children = Vec::new();
        let extended: Vec<Location> = profile.extends.iter().map(|word| base.join(word)).collect();
        self.fetch_ahead(&extended);
        let wanted = std::mem::take(&mut profile.extends).into_iter().map(|word| (word, false));
        let optional = std::mem::take(&mut profile.optional).into_iter().map(|word| (word, true));
        for (word, is_optional) in wanted.chain(optional) {
            let location = base.join(&word);
            if is_optional && !location.is_file() {
                // Also of a quiet build.
                let message = format!("optional-extends file not found: {word}");
                self.engine.sink().event(Event::Log { level: Level::Info, logger: None, message });
                continue;
            }
            let child = location.key();
            if self.open.contains(&child) {
                return Err(Fault::RecursiveInclude { name: child, chain: chain.clone(), word }.into());
            }
            if !self.graph.contains(&child) {
                let (profile, base) = self.read(&location, chain, &word)?;
                self.follow(child.clone(), profile, &base, chain)?;
            }
            children.push(child);
        }
        chain.pop();
        self.open.remove(&key);
        self.graph.insert(key, profile, &children);
        Ok(())
    }

    /// Reads one profile; gives the directory that it is in too.
    fn read(
        &mut self,
        location: &Location,
        chain: &[String],
        word: &str,
    ) -> Result<(Profile, Location), BuildError> {
        let name = location.to_string();
        let (text, copy) = match self.text(location) {
            Ok(read) => read,
            Err(source) => {
                let near = match location {
                    Location::Path(path) if !path.exists() => profiles_like(path),
                    _ => Vec::new(),
                };
                let (chain, word) = (chain.to_vec(), word.to_owned());
                return Err(Fault::Extends { name, chain, word, near, source }.into());
            }
        };
        let base = location.parent();
        let source = Source { name: name.clone(), base: base.to_string(), text: Arc::clone(&text) };
        let id = self.engine.sources.add(source);
        let called = match copy.filter(|_| self.engine.dialect() == Dialect::Upstream) {
            Some(copy) => format!("{name} (downloaded as {copy})"),
            None => name.clone(),
        };
        let mut sections = parse(&called, &text, &mut |section, expression, line| {
            self.decide(section, expression, &name, line)
        })?;
        let (extends, optional) = match sections.get_mut("buildout") {
            Some(buildout) if buildout.options.contains_key("extended-by") => {
                return Err(Fault::ExtendedBy { name }.into());
            }
            Some(buildout) => (take_words(buildout, "extends"), take_words(buildout, "optional-extends")),
            None => (Vec::new(), Vec::new()),
        };
        if self.engine.dialect() == Dialect::Slapos {
            remember_base(&mut sections, &base.to_string());
        }
        Ok((Profile { id, sections, extends, optional }, base))
    }

    /// The text of a profile, and where it was put if it was fetched.
    fn text(
        &mut self,
        location: &Location,
    ) -> Result<(Arc<str>, Option<Utf8PathBuf>), Box<dyn std::error::Error + Send + Sync>> {
        let address = match location {
            Location::Path(path) => return Ok((read_profile(path)?.into(), None)),
            Location::Url(url) => url,
        };
        if let Some(text) = self.engine.fetched.get(address) {
            return Ok((Arc::clone(text), None));
        }
        let downloaded = self.fetcher()?.fetch(&Download::new(address), &mut |_, _| {})?;
        let text: Arc<str> = read_profile(downloaded.path())?.into();
        self.engine.fetched.insert(address.clone(), Arc::clone(&text));
        Ok((text, Some(downloaded.path().to_owned())))
    }

    fn fetcher(&mut self) -> Result<&Fetcher, std::io::Error> {
        if let Some(cache) = &self.rules.cache {
            host::files::ensure_directory(cache, 0o777)?;
        }
        Ok(self.fetcher.get_or_insert_with(|| {
            let rules = &self.rules;
            let limits = Limits { largest: LARGEST_PROFILE, ..Fetcher::limits(rules.timeout) };
            let mut fetcher =
                Fetcher::new(rules.cache.clone(), rules.offline, Client::new(limits, self.engine.proxies()));
            fetcher.prefer_network(rules.newest);
            if let Some(home) = self.engine.environment.get("HOME") {
                fetcher.home(home);
            }
            let settings = rules.network_cache.clone();
            fetcher.mirror(settings.and_then(|settings| self.engine.network_cache(settings)));
            let ahead = Prefetch::new(fetcher.clone(), None);
            fetcher.ahead(Some(Arc::new(ahead)));
            fetcher
        }))
    }

    /// Begins to fetch those of some profiles that the network has to give: a release extends hundreds of them.
    fn fetch_ahead(&mut self, locations: &[Location]) {
        let new = locations.iter().filter_map(|location| match location {
            Location::Url(url) if !self.graph.contains(url) && !self.engine.fetched.contains_key(url) => {
                Some(Download::new(url))
            }
            _ => None,
        });
        let new: Vec<Download> = new.collect();
        // The Python engine asks for one after the other, and its test suite looks at the order.
        if new.len() > 1 && self.engine.dialect() == Dialect::Slapos {
            // A fetcher that cannot be made is reported when the first of them is read.
            if let Ok(fetcher) = self.fetcher() {
                fetcher.fetch_ahead(new);
            }
        }
    }

    /// Whether a section with a condition counts.
    fn decide(&mut self, section: &str, expression: &str, file: &str, line: u32) -> Result<bool, BuildError> {
        if let Some(holds) = self.engine.conditions.get(expression) {
            return Ok(*holds);
        }
        let decided = self.engine.default_interpreter().map_err(Cause::from);
        let decided = decided.and_then(|interpreter| decide(expression, &interpreter));
        if let Ok(holds) = decided {
            self.engine.conditions.insert(expression.to_owned(), holds);
        }
        decided.map_err(|source| {
            Fault::Condition {
                section: section.to_owned(),
                expression: expression.trim().to_owned(),
                file: file.to_owned(),
                line,
                source,
            }
            .into()
        })
    }
}

/// Files beside a missing one whose names are close to its.
pub(crate) fn profiles_like(path: &Utf8Path) -> Vec<String> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else { return Vec::new() };
    let Ok(entries) = directory.read_dir_utf8() else { return Vec::new() };
    // A directory with more than that is no place of profiles.
    let names: Vec<String> = entries.take(1000).flatten().map(|entry| entry.file_name().to_owned()).collect();
    nearest(name, names.iter().map(String::as_str))
}

/// Reads a profile, unless it is too large to be one; what calls itself a file and has no end is no profile either.
fn read_profile(path: &Utf8Path) -> std::io::Result<String> {
    let mut text = String::new();
    let file = if is_stream(path) { fs_err::File::open(path)? } else { host::files::open_to_read(path)? };
    let read = file.take(LARGEST_PROFILE + 1).read_to_string(&mut text)?;
    if read as u64 > LARGEST_PROFILE {
        let message = format!("it is larger than the {} MiB that a profile may have", LARGEST_PROFILE >> 20);
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}

/// Whether somebody gives a profile through a descriptor, or none on purpose: `-c <(…)`, `-c /dev/stdin`.
fn is_stream(path: &Utf8Path) -> bool {
    path.starts_with("/dev/fd") || path == "/dev/stdin" || path == "/dev/null"
}

/// Takes an option of `[buildout]` that lists profiles, however it was assigned.
fn take_words(buildout: &mut ParsedSection, option: &str) -> Vec<String> {
    let assignments = buildout.options.shift_remove(option).unwrap_or_default();
    assignments
        .iter()
        .filter(|assignment| assignment.operator != Operator::Remove)
        .flat_map(|assignment| assignment.value.split_whitespace())
        .map(str::to_owned)
        .collect()
}

/// Gives every section that asks for it the directory of its profile, as an option.
fn remember_base(sections: &mut IndexMap<String, ParsedSection>, base: &str) {
    for section in sections.values_mut() {
        let asks =
            section.options.values().flatten().find(|assignment| assignment.value.contains(BASE_REFERENCE));
        let Some(line) = asks.map(|assignment| assignment.line) else { continue };
        let value = base.to_owned();
        let assignment = crate::syntax::Assignment { operator: Operator::Set, value, line };
        section.options.insert(BASE_OPTION.to_owned(), vec![assignment]);
    }
}
