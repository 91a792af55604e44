//! Initialising a section: its macros applied, its options expanded, its recipe object made.

use indexmap::IndexMap;

use super::{Activity, Engine, Entry, Kind, Slot, short_name};
use crate::fault::{Fault, Reference};
use crate::nearest::nearest;
use crate::syntax::Operator;
use crate::table::{Origin, Step};
use crate::{BuildError, Level, Recipe, Section};

impl Engine {
    /// Makes sure that a section is initialised, and notes that the section being initialised depends on it.
    pub(crate) fn access(&mut self, section: &str, reference: Option<&Reference>) -> Result<(), BuildError> {
        if let Some(dependant) = self.initialising.last()
            && dependant != section
            && section != "buildout"
            && let Some(slot) = self.slots.get_mut(dependant)
            && !(slot.reads.contains(section) && slot.dependencies.contains(section))
        {
            slot.reads.insert(section.to_owned());
            if slot.signature.is_none() {
                slot.dependencies.insert(section.to_owned());
            }
        }
        if self.slots.contains_key(section) {
            return Ok(());
        }
        self.doing(Activity::GettingSection(section.to_owned()), |engine| {
            if !engine.table.contains(section) {
                let near = nearest(section, engine.table.sections.keys().map(String::as_str));
                let (section, reference) = (section.to_owned(), reference.cloned());
                return Err(Fault::UnknownSection { section, reference, near }.into());
            }
            engine
                .doing(Activity::InitializingSection(section.to_owned()), |engine| engine.initialise(section))
        })
    }

    fn initialise(&mut self, name: &str) -> Result<(), BuildError> {
        let has_macros = name != "buildout" && self.table.history(name, "<").is_some();
        let options = if has_macros {
            self.doing(Activity::LoadingInputs(name.to_owned()), |engine| engine.options_with_macros(name))?
        } else {
            self.table.resolve(name)?
        };
        for (option, text) in &options {
            self.hold(name, option, text.len())?;
        }
        let base = self.base_of(name);
        let options = options.into_iter().map(|(option, text)| (option, Entry::new(text))).collect();
        self.slots.insert(name.to_owned(), Slot { options, base, ..Slot::default() });
        self.initialising.push(name.to_owned());
        let done = self.initialise_options(name).and_then(|()| self.initialise_recipe(name));
        self.initialising.pop();
        done
    }

    /// The options of a section with those of its macros; an error tells by which of them it was come to.
    fn options_with_macros(&mut self, name: &str) -> Result<IndexMap<String, String>, BuildError> {
        let mut way = Vec::new();
        self.table.resolve_on(name, &mut way).map_err(|error| {
            let (depth, inner) = (self.doing.len(), way.into_iter().skip(1));
            self.doing.extend(inner.map(Activity::LoadingInputs));
            let error = error.during(|| self.activities());
            self.doing.truncate(depth);
            error
        })
    }

    /// Expands every option that refers to something, in the order of their names.
    fn initialise_options(&mut self, name: &str) -> Result<(), BuildError> {
        let options = &self.slots[name].options;
        let mut referring: Vec<String> = options
            .iter()
            .filter(|(_, entry)| entry.text.contains("${"))
            .map(|(option, _)| option.clone())
            .collect();
        referring.sort_unstable();
        for option in referring {
            self.cook_once(name, &option)?;
        }
        Ok(())
    }

    fn initialise_recipe(&mut self, name: &str) -> Result<(), BuildError> {
        // It can never be a part.
        if name == "buildout" {
            return Ok(());
        }
        if let Some(dependencies) = self.lookup(name, "<part-dependencies>", &mut Vec::new())? {
            for dependency in dependencies.split_whitespace() {
                self.access(dependency, None)?;
            }
        }
        let recipe = self.lookup(name, "recipe", &mut Vec::new())?.unwrap_or_default();
        if recipe.is_empty() {
            return Ok(());
        }
        let mut kind = self.registry.get(short_name(&recipe)).copied();
        if let Some(native) = kind {
            let leaves = native.leaves_to_python(&mut Section::new(self, name));
            kind = kind.filter(|_| !matches!(leaves, Ok(true)));
            leaves.map_err(|error| BuildError::from_recipe(name, error))?;
        }
        let object = match kind {
            Some(kind) => {
                self.slot(name).kind = Kind::Native(kind);
                if self.shows(Level::Debug) {
                    self.log(Level::Debug, None, format!("The recipe {recipe} is built in."));
                }
                kind.initialise(&mut Section::new(self, name))
                    .map_err(|error| BuildError::from_recipe(name, error))?
            }
            None if self.only_looks() => {
                self.slot(name).kind = Kind::Foreign(recipe);
                self.unasked_recipe(name)?
            }
            None => self.foreign_recipe(name, &recipe)?,
        };
        self.slot(name).recipe = Some(object);
        self.order.push(name.to_owned());
        Ok(())
    }

    fn foreign_recipe(&mut self, name: &str, recipe: &str) -> Result<Box<dyn Recipe>, BuildError> {
        let foreign = self.foreign.clone();
        if let Some(foreign) = &foreign {
            self.slot(name).kind = Kind::Foreign(recipe.to_owned());
            self.slot(name).given = self.options_to_record(name);
            let object = foreign
                .initialise(recipe, &mut Section::new(self, name))
                .map_err(|error| BuildError::from_recipe(name, error))?;
            if let Some(object) = object {
                return Ok(object);
            }
        }
        let activity = Activity::InstallingRecipe(recipe.split(':').next().unwrap_or_default().to_owned());
        self.doing(activity, |engine| {
            let near = nearest(recipe, engine.registry.keys().copied());
            let (section, recipe) = (name.to_owned(), recipe.to_owned());
            Err(Fault::UnknownRecipe { section, recipe, near, python_asked: foreign.is_some() }.into())
        })
    }

    pub(super) fn slot(&mut self, name: &str) -> &mut Slot {
        self.slots.get_mut(name).expect("the section is being initialised")
    }

    /// Adds a section that no profile has, and initialises it.
    pub(crate) fn add_section(
        &mut self,
        name: &str,
        options: IndexMap<String, String>,
    ) -> Result<(), BuildError> {
        if self.table.contains(name) {
            let message = format!("Section already exists: {name}");
            return Err(Fault::Refused { message, hint: None, code: "E-profile-value" }.into());
        }
        self.table.sections.entry(name.to_owned()).or_default();
        for (option, value) in options {
            self.table.assign(
                name,
                &option,
                Step { operator: Operator::Set, value, origin: Origin::Computed },
            );
        }
        self.access(name, None)
    }

    /// The recipe object of a part, for the time of a call.
    pub(crate) fn take_recipe(&mut self, part: &str) -> Option<Box<dyn Recipe>> {
        self.slots.get_mut(part)?.recipe.take()
    }

    pub(crate) fn put_recipe(&mut self, part: &str, recipe: Box<dyn Recipe>) {
        if let Some(slot) = self.slots.get_mut(part) {
            slot.recipe = Some(recipe);
        }
    }
}
