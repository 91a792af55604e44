//! `slapos.cookbook:publish`: tells the master how to reach the instance.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | any name that does not start with `-` | a connection parameter | |
//! | `-extends` | sections whose parameters are published too, separated by blanks | none |
//! | `-publish` | names of the options to publish, separated by blanks | all |
//! | `-slave-reference` | the shared instance to publish for | the instance itself |
//!
//! `slapos.cookbook:publish.serialised` publishes one JSON document instead, in which values keep their types. Install
//! publishes; update publishes again only with `-extends`, because changes of other sections are not seen otherwise.

use buildout::{OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section, Value};
use camino::Utf8PathBuf;
use slap::Parameters;

use crate::jinja;
use crate::master_connection::{ConnectionOptions, MasterConnection, failed, to_parameter};
use crate::options::{filled, is_added_by_engine};

/// The recipe.
#[derive(Debug)]
pub(crate) struct Publish {
    is_serialised: bool,
}

impl Publish {
    /// Parameters one by one.
    pub(crate) const PLAIN: Self = Self { is_serialised: false };
    /// Parameters in one JSON document.
    pub(crate) const SERIALISED: Self = Self { is_serialised: true };
}

struct Published {
    connection: MasterConnection,
    sections: Vec<String>,
    shared_reference: Option<String>,
    is_serialised: bool,
}

impl RecipeKind for Publish {
    fn names(&self) -> &'static [&'static str] {
        if self.is_serialised {
            &["slapos.cookbook:publish.serialised"]
        } else {
            &["slapos.cookbook:publish"]
        }
    }

    fn summary(&self) -> &'static str {
        "tells the master how to reach the instance"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const {
            &[
                OptionDoc::optional("*", "a connection parameter"),
                OptionDoc::optional("-extends", "sections whose parameters are published too"),
                OptionDoc::optional("-publish", "names of the options to publish"),
                OptionDoc::optional("-slave-reference", "the shared instance to publish for"),
            ]
        }
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let connection = ConnectionOptions::of_node(section)?.connect()?;
        // Every section is read here, so that its parts are built first.
        let mut sections = vec![section.name().to_owned()];
        let mut next = 0;
        while let Some(name) = sections.get(next).cloned() {
            next += 1;
            for other in section.other(&name, "-extends")?.unwrap_or_default().split_whitespace() {
                if !sections.iter().any(|known| known == other) {
                    section.depend_on(other)?;
                    sections.push(other.to_owned());
                }
            }
        }
        let shared_reference = filled(section, "-slave-reference")?;
        Ok(Box::new(Published { connection, sections, shared_reference, is_serialised: self.is_serialised }))
    }
}

impl Published {
    fn parameters(&self, part: &mut Part<'_>) -> Result<Vec<(String, Value)>, RecipeError> {
        let mut parameters: Vec<(String, Value)> = Vec::new();
        // What a section says itself comes before what the sections that it extends say.
        for section in &self.sections {
            let options = part.section(section)?;
            let chosen = match options.get("-publish") {
                Some(names) => names.split_whitespace().map(str::to_owned).collect(),
                None => options.keys().filter(|name| is_published(name)).cloned().collect::<Vec<_>>(),
            };
            for name in chosen {
                if parameters.iter().any(|(known, _)| *known == name) {
                    continue;
                }
                part.require_other(section, &name)?;
                let value = part.other_value(section, &name)?.unwrap_or(Value::None);
                parameters.push((name, value));
            }
        }
        parameters.sort_by(|left, right| left.0.cmp(&right.0));
        Ok(parameters)
    }
}

/// Whether an option of a publishing section is a connection parameter.
pub(crate) fn is_published(option: &str) -> bool {
    option != "recipe" && !option.starts_with('-') && !is_added_by_engine(option)
}

impl Recipe for Published {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        let parameters = self.parameters(part)?;
        let connection: Parameters = if self.is_serialised {
            let entries = parameters.into_iter().map(|(name, value)| (Value::Str(name), value)).collect();
            let document = jinja::to_json(&Value::Dict(entries)).map_err(|error| {
                RecipeError::new("a connection parameter has no JSON form").because(error)
            })?;
            Parameters::from([("_".to_owned(), slap::Value::Text(document))])
        } else {
            let converted =
                parameters.iter().map(|(name, value)| Ok((name.clone(), to_parameter(name, value)?)));
            converted.collect::<Result<_, RecipeError>>()?
        };
        let MasterConnection { client, computer, partition } = &self.connection;
        client
            .set_connection(computer, partition, self.shared_reference.as_deref(), &connection)
            .map_err(|error| failed("publish the connection parameters", error))?;
        Ok(Vec::new())
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        if self.sections.len() > 1 { self.install(part) } else { Ok(Vec::new()) }
    }
}
