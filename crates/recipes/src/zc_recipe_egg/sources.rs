//! Where the distributions of a part come from, and their installation.

use std::collections::BTreeMap;

use buildout::eggs::{Requirement, WorkingSet};
use buildout::{EggSettings, OptionDoc, Part, RecipeError, Section};

use super::source_options;
use crate::options::lines;

pub(crate) const EGGS: OptionDoc =
    OptionDoc::with_default("eggs", "requirements, one on each line", "the part's name");
pub(crate) const FIND_LINKS: OptionDoc =
    OptionDoc::with_default("find-links", "directories, pages and files to look at", "that of [buildout]");
pub(crate) const INDEX: OptionDoc =
    OptionDoc::with_default("index", "index to look at", "that of [buildout]");

/// Where this part's distributions come from, if the section says so itself.
pub(crate) struct Sources {
    find_links: Option<String>,
    index: Option<String>,
}

impl Sources {
    /// Reads them, and sets the options to what holds in the end.
    pub(crate) fn of(section: &mut Section<'_>) -> Result<Self, RecipeError> {
        let own_links = section.get("find-links")?;
        let links = match &own_links {
            Some(own) => own.clone(),
            None => section.other("buildout", "find-links")?.unwrap_or_default(),
        };
        if !links.trim().is_empty() {
            section.set("find-links", links.split_whitespace().collect::<Vec<_>>().join("\n"));
        }
        let own_index = section.get("index")?;
        let index = match &own_index {
            Some(own) => Some(own.clone()),
            None => section.other("buildout", "index")?,
        };
        if let Some(index) = index {
            section.set("index", index);
        }
        Ok(Self { find_links: own_links, index: own_index })
    }

    /// The settings of the build with these sources.
    pub(crate) fn settings(&self, part: &mut Part<'_>) -> Result<EggSettings, RecipeError> {
        let mut settings = part.egg_settings()?;
        if let Some(links) = &self.find_links {
            settings.find_links = links.split_whitespace().map(str::to_owned).collect();
        }
        if let Some(index) = &self.index {
            settings.index = Some(index.clone()).filter(|index| !index.trim().is_empty());
        }
        Ok(settings)
    }

    /// Installs what the part asks for; gives the requirements of its own and everything that they need.
    pub(crate) fn install(&self, part: &mut Part<'_>) -> Result<(Vec<String>, WorkingSet), RecipeError> {
        let text = match part.get("eggs")? {
            Some(text) => text,
            None => part.name().to_owned(),
        };
        let requirements: Vec<String> = lines(&text).map(str::to_owned).collect();
        let settings = self.settings(part)?;
        for requirement in &requirements {
            build_patched(part, &settings, requirement)?;
        }
        let set = part.install_eggs(&settings, &requirements).map_err(|error| error.option("eggs"))?;
        part.set("executable", set.python().as_str());
        Ok((requirements, set))
    }
}

/// Adds the options that every recipe of the family offers.
pub(crate) fn set_egg_options(section: &mut Section<'_>) -> Result<Sources, RecipeError> {
    let sources = Sources::of(section)?;
    for (option, alias) in [("eggs-directory", "_e"), ("develop-eggs-directory", "_d")] {
        let directory = directory_of(section, option)?;
        section.set(option, &directory);
        section.set(alias, directory);
    }
    Ok(sources)
}

/// A directory of `[buildout]`; it is not absolute yet when `[buildout]` itself refers to this part.
pub(crate) fn directory_of(section: &mut Section<'_>, option: &str) -> Result<String, RecipeError> {
    let directory = section.require_other("buildout", option)?;
    Ok(section.resolve(&directory).to_string())
}

/// Builds a distribution for which the part has patches, unless it is there.
fn build_patched(part: &mut Part<'_>, settings: &EggSettings, requirement: &str) -> Result<(), RecipeError> {
    let Ok(parsed) = requirement.parse::<Requirement>() else { return Ok(()) };
    let project = &parsed.written;
    let patches = part.get(&format!("{project}-patches"))?.unwrap_or_default();
    if patches.trim().is_empty() || part.is_offline() {
        return Ok(());
    }
    let (build, _patches) = source_options::egg_build(part, Some(project), &BTreeMap::new(), &[])?;
    part.build_egg(settings, requirement, &build, &settings.eggs_directory)?;
    Ok(())
}
