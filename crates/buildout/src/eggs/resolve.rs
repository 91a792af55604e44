//! The walk: from what is asked for through everything that it needs, under the pins. No solver: the pins decide.
//!
//! The order of the result is zc.buildout's, because it is the order of `sys.path` in scripts.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use pep440_rs::Version;
use pep508_rs::MarkerEnvironment;

use super::error::EggError;
use super::metadata::Dependencies;
use super::name::ProjectName;
use super::pins::Pins;
use super::requirement::Requirement;
use super::told::Told;
use crate::Level;

/// What can be chosen for a requirement: something on disk, or something that will be installed.
pub(super) trait Choice {
    /// The project.
    fn project(&self) -> &ProjectName;
    /// The project as the distribution writes it.
    fn written(&self) -> &str;
    /// The version.
    fn version(&self) -> &Version;
    /// Whether it is under development; then no pin is needed.
    fn is_develop(&self) -> bool;
    /// What it needs.
    ///
    /// # Errors
    /// Its metadata cannot be read.
    fn dependencies(&self, environment: &MarkerEnvironment) -> Result<&Dependencies, EggError>;
    /// Whether it needs setuptools without saying so.
    ///
    /// # Errors
    /// Its metadata cannot be read.
    fn needs_setuptools(&self, environment: &MarkerEnvironment) -> Result<bool, EggError>;
}

/// The rules of a walk.
pub(super) struct Rules<'a> {
    /// The pins.
    pub pins: &'a Pins,
    /// What markers are decided by.
    pub environment: &'a MarkerEnvironment,
    /// Whether a project may go without pin.
    pub allow_picked_versions: bool,
    /// Whether an extra that a distribution does not have is passed over.
    pub allow_unknown_extras: bool,
    /// Whether the walk ends at the first thing that is missing.
    pub one_at_a_time: bool,
    /// Whether it matters who has which requirement.
    pub note_requirers: bool,
    /// What is asked for, in the words of who asks.
    pub request: &'a str,
    /// Who listens.
    pub told: &'a Told<'a>,
}

/// What a walk found.
pub(super) struct Walked<C> {
    /// What was chosen, in the order of `sys.path`.
    pub chosen: Vec<Arc<C>>,
    /// What is needed and not at hand, with who asked for it; the walk is complete when this is empty.
    pub missing: Vec<Wanted>,
    /// Projects that were chosen without a pin.
    pub picked: Vec<(String, Version)>,
    /// Requirements, and the distributions that have them, if that matters.
    pub required_by: Vec<(String, String)>,
}

/// A requirement that nothing at hand satisfies.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// The requirement, with its pin applied.
    pub requirement: Requirement,
    /// Who asked for it, the nearest first.
    pub chain: Vec<String>,
}

/// A requirement, and the project that asks for it; none for what is requested.
struct Asked {
    requirement: Requirement,
    by: Option<ProjectName>,
}

struct Walk<'a, C> {
    rules: &'a Rules<'a>,
    at_hand: &'a dyn Fn(&Requirement) -> Option<Arc<C>>,
    chosen: Vec<Arc<C>>,
    by_project: HashMap<ProjectName, usize>,
    /// For each project that is needed: which project asked for it first.
    first_asked: HashMap<ProjectName, Option<ProjectName>>,
    missing: Vec<Wanted>,
    picked: Vec<(String, Version)>,
    required_by: Vec<(String, String)>,
    /// Where requirements come from, for who must find out why two of them contradict each other.
    history: Vec<String>,
}

/// Walks from `requested`. `at_hand` gives the best choice that satisfies a constrained requirement, if there is one.
///
/// # Errors
/// Contradicting requirements or pins, an extra that does not exist, a project without pin where it needs one.
pub(super) fn walk<C: Choice>(
    rules: &Rules<'_>,
    requested: &[Requirement],
    at_hand: &dyn Fn(&Requirement) -> Option<Arc<C>>,
) -> Result<Walked<C>, EggError> {
    let mut walk = Walk {
        rules,
        at_hand,
        chosen: Vec::new(),
        by_project: HashMap::new(),
        first_asked: HashMap::new(),
        missing: Vec::new(),
        picked: Vec::new(),
        required_by: Vec::new(),
        history: vec![format!("Base installation request: {}", rules.request)],
    };
    walk.run(requested)?;
    let Walk { chosen, missing, picked, required_by, .. } = walk;
    Ok(Walked { chosen, missing, picked, required_by })
}

impl<C: Choice> Walk<'_, C> {
    fn run(&mut self, requested: &[Requirement]) -> Result<(), EggError> {
        let requested =
            requested.iter().filter(|requirement| requirement.applies(self.rules.environment, &[]));
        // What is requested is chosen first, in order; then come its dependencies, level by level, each list from its
        // end.
        let mut queue = VecDeque::new();
        for requirement in requested {
            let asked = Asked { requirement: requirement.clone().without_marker(), by: None };
            self.choose(&asked)?;
            if self.is_over() {
                return Ok(());
            }
            queue.push_front(asked);
        }
        let mut done = HashSet::new();
        while let Some(asked) = queue.pop_front() {
            let constrained = self.constrain(&asked)?;
            if !done.insert((constrained.project.clone(), constrained.to_string())) {
                continue;
            }
            if !self.by_project.contains_key(&constrained.project) {
                self.tell_who_requires(&constrained)?;
            }
            let choice = self.choose(&asked)?;
            if self.is_over() {
                return Ok(());
            }
            let Some(choice) = choice else { continue };
            for requirement in self.needed(&choice, &asked)?.into_iter().rev() {
                self.history.push(format!("Requirement of {}: {requirement}", asked.requirement));
                queue.push_back(Asked { requirement, by: Some(choice.project().clone()) });
            }
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.rules.one_at_a_time && !self.missing.is_empty()
    }

    /// Tells that something is needed and by which of the distributions chosen so far, and notes it.
    fn tell_who_requires(&mut self, requirement: &Requirement) -> Result<(), EggError> {
        if !self.rules.told.every_step() && !self.rules.note_requirers {
            return Ok(());
        }
        let text = requirement.to_string();
        let mut by = Vec::new();
        for choice in &self.chosen {
            let needed = choice.dependencies(self.rules.environment)?.of(&[], self.rules.environment)?;
            if needed.iter().any(|needed| needed.is_same(requirement)) {
                by.push(choice);
            }
        }
        by.sort_by_key(|choice| (choice.version(), choice.project()));
        let mut told = format!("Getting required '{text}'");
        for choice in by {
            let _ = write!(told, "\n  required by {}.", describe(&**choice));
            self.required_by.push((text.clone(), format!("{}=={}", choice.written(), choice.version())));
        }
        self.rules.told.step(|| told);
        Ok(())
    }

    /// Tells everything that is known about a project whose requirements contradict each other.
    fn tell_history(&self, requirement: &Requirement) {
        let name = requirement.written.to_lowercase();
        let mut text = format!("Version and requirements information containing {name}:");
        let pin = self.rules.pins.get(&requirement.project);
        let pin = pin.map(|pin| format!("[versions] constraint on {name}: {}", pin.text.trim()));
        let mentions = |line: &&String| line.to_lowercase().contains(&name);
        for line in pin.iter().chain(self.history.iter().filter(mentions)) {
            text.push_str("\n  ");
            text.push_str(line);
        }
        self.rules.told.tell(Level::Info, text);
    }

    /// Finds what satisfies the requirement and adds it; `None` when it is missing.
    fn choose(&mut self, asked: &Asked) -> Result<Option<Arc<C>>, EggError> {
        let requirement = self.constrain(asked)?;
        if let Some(&index) = self.by_project.get(&requirement.project) {
            let present = Arc::clone(&self.chosen[index]);
            if requirement.allows(present.version()) {
                return Ok(Some(present));
            }
            self.tell_history(&requirement);
            return Err(EggError::Conflict {
                requirement: requirement.to_string(),
                chosen: describe(&*present),
                chain: self.chain(asked.by.as_ref()),
                chosen_for: self.chain(self.first_asked.get(&requirement.project).and_then(Option::as_ref)),
            });
        }
        self.first_asked.entry(requirement.project.clone()).or_insert_with(|| asked.by.clone());
        let Some(choice) = (self.at_hand)(&requirement) else {
            if !self.missing.iter().any(|wanted| wanted.requirement.project == requirement.project) {
                self.missing.push(Wanted { requirement, chain: self.chain(asked.by.as_ref()) });
            }
            return Ok(None);
        };
        self.check_pinned(&requirement, &choice, asked)?;
        self.by_project.insert(requirement.project, self.chosen.len());
        self.chosen.push(Arc::clone(&choice));
        if choice.needs_setuptools(self.rules.environment)? {
            let requirement = "setuptools"
                .parse()
                .map_err(|source| EggError::Requirement { by: Some(describe(&*choice)), source })?;
            self.choose(&Asked { requirement, by: Some(choice.project().clone()) })?;
        }
        Ok(Some(choice))
    }

    fn check_pinned(&mut self, requirement: &Requirement, choice: &C, asked: &Asked) -> Result<(), EggError> {
        if requirement.only_version().is_some() || choice.is_develop() {
            return Ok(());
        }
        self.rules.told.step(|| format!("Picked: {} = {}", choice.written(), choice.version()));
        if !self.rules.allow_picked_versions {
            return Err(EggError::NotPinned {
                project: choice.written().to_owned(),
                version: choice.version().to_string(),
                requirement: requirement.to_string(),
                chain: self.chain(asked.by.as_ref()),
            });
        }
        self.picked.push((choice.written().to_owned(), choice.version().clone()));
        Ok(())
    }

    /// What a choice needs for the extras that are asked for.
    fn needed(&self, choice: &C, asked: &Asked) -> Result<Vec<Requirement>, EggError> {
        let dependencies = choice.dependencies(self.rules.environment)?;
        let extras = &asked.requirement.extras;
        let unknown: Vec<&String> = dependencies.unknown_extras(extras).collect();
        for extra in &unknown {
            let text = format!("{} does not provide the extra '{extra}'", describe(choice));
            self.rules.told.tell(Level::Warning, text);
        }
        match unknown.first() {
            Some(extra) if !self.rules.allow_unknown_extras => Err(EggError::UnknownExtra {
                distribution: describe(choice),
                extra: (*extra).clone(),
                chain: self.chain(asked.by.as_ref()),
            }),
            _ => dependencies.of(extras, self.rules.environment),
        }
    }

    fn constrain(&self, asked: &Asked) -> Result<Requirement, EggError> {
        self.rules.pins.constrain(&asked.requirement).map_err(|error| match error {
            EggError::PinContradicts { requirement, pin, .. } => {
                self.tell_history(&asked.requirement);
                EggError::PinContradicts { requirement, pin, chain: self.chain(asked.by.as_ref()) }
            }
            other => other,
        })
    }

    /// A project, who asked for it first, who asked for that one, and so on.
    fn chain(&self, from: Option<&ProjectName>) -> Vec<String> {
        let mut chain = Vec::new();
        let mut current = from;
        while let Some(project) = current {
            chain.push(match self.by_project.get(project) {
                Some(&index) => describe(&*self.chosen[index]),
                None => project.to_string(),
            });
            current = self.first_asked.get(project).and_then(Option::as_ref);
            // Projects may need one another in a circle.
            if chain.len() > self.first_asked.len() {
                break;
            }
        }
        chain
    }
}

fn describe<C: Choice>(choice: &C) -> String {
    format!("{} {}", choice.written(), choice.version())
}

#[cfg(test)]
mod tests;
