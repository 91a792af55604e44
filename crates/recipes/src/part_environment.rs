//! The `environment` option of parts: variables of the programs that a part runs, as lines or as the name of a section.

use std::collections::BTreeMap;

use buildout::{Level, Part, RecipeError, Section};

use crate::options::{filled, is_added_by_engine, lines};
use crate::percent_names;

/// The variables that a part sets, before their `%(NAME)s` are expanded.
#[derive(Debug, Clone)]
pub(crate) enum PartEnvironment {
    /// Written in the part itself.
    Lines(BTreeMap<String, String>),
    /// The options of a section of this name.
    Section(String),
}

impl PartEnvironment {
    /// Reads the option; a section that it names is initialised.
    ///
    /// # Errors
    /// A line that is no `NAME = VALUE`, a name twice, or a section that cannot be had.
    pub(crate) fn read(section: &mut Section<'_>) -> Result<Self, RecipeError> {
        let Some(text) = filled(section, "environment")? else { return Ok(Self::Lines(BTreeMap::new())) };
        if !text.contains('=') {
            section.depend_on(&text)?;
            return Ok(Self::Section(text));
        }
        let mut variables = BTreeMap::new();
        for line in lines(&text) {
            let Some((name, value)) = line.split_once('=') else {
                return Err(RecipeError::new(format!("Line '{line}' in environment is incorrect"))
                    .option("environment")
                    .hint("write each variable into a line of its own: NAME = VALUE"));
            };
            let name = name.trim_end();
            if variables.insert(name.to_owned(), value.trim_start().to_owned()).is_some() {
                return Err(RecipeError::new(format!("Key '{name}' is repeated"))
                    .option("environment")
                    .hint("join the values into one line"));
            }
        }
        Ok(Self::Lines(variables))
    }

    /// The values as they are written.
    ///
    /// # Errors
    /// As [`PartEnvironment::read`].
    pub(crate) fn texts(&self, section: &mut Section<'_>) -> Result<Vec<String>, RecipeError> {
        Ok(match self {
            Self::Lines(variables) => variables.values().cloned().collect(),
            Self::Section(name) => section.section(name)?.into_values().collect(),
        })
    }

    /// The variables as the part's programs get them, expanded from the environment of the build, which is not
    /// changed by it.
    ///
    /// # Errors
    /// A value that names a variable that is not set.
    pub(crate) fn variables(&self, part: &mut Part<'_>) -> Result<BTreeMap<String, String>, RecipeError> {
        let written = match self {
            Self::Lines(variables) => variables.clone(),
            Self::Section(name) => {
                let options = part.section(name)?;
                options.into_iter().filter(|(name, _)| !is_added_by_engine(name)).collect()
            }
        };
        let mut variables = BTreeMap::new();
        for (name, text) in written {
            let value = {
                let known =
                    part.environment().iter().map(|(name, value)| (name.as_str(), value.as_str().into()));
                percent_names::expand(&text, known).map_err(|error| {
                    RecipeError::new(format!("variable {name} of the part's environment cannot be expanded"))
                        .because(error)
                        .option("environment")
                        .hint(
                            "%(NAME)s stands for the variable NAME of the build; write %% for a percent sign",
                        )
                })?
            };
            variables.insert(name, value);
        }
        Ok(variables)
    }
}

/// Tells of the variables that a part sets, in the log.
pub(crate) fn tell(variables: &BTreeMap<String, String>, part: &Part<'_>) {
    for (name, value) in variables {
        part.log(Level::Info, format!("[ENV] {name} = {value}"));
    }
}
