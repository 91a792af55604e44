//! `zc.recipe.egg`: distributions and the scripts that start their programs.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `eggs` | requirements, one on each line | the part's name |
//! | `scripts` | names of the scripts to write, `name` or `name=new-name`; empty: none | all |
//! | `entry-points` | further programs, `name=module:attribute` | |
//! | `interpreter` | name of an interpreter to write that knows the distributions | |
//! | `initialization` | Python statements that run before each program | |
//! | `arguments` | text between the parentheses of the call | |
//! | `extra-paths` | further directories for `sys.path`, one on each line | |
//! | `dependent-scripts` | scripts of all distributions, not only of `eggs` | `false` |
//! | `relative-paths` | paths relative to the script | that of `[buildout]`, or `false` |
//! | `find-links` | directories, pages and files to look at | that of `[buildout]` |
//! | `index` | index to look at | that of `[buildout]` |
//! | `EGG-patches` | patches for one of the distributions, each `place` or `place#md5` | |
//! | `EGG-patch-options`, `EGG-patch-binary` | how they are applied | `-p0`, `patch` |
//! | `EGG-patch-revision` | number behind `+SlapOSPatched` in the version | how many patches there are |
//!
//! The part owns its scripts. Update does what install does.

pub(crate) mod source_options;
pub(crate) mod sources;
#[cfg(test)]
mod tests;
mod writer;

use buildout::eggs::scripts::ScriptSettings;
use buildout::{OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section};
use camino::Utf8PathBuf;

use self::sources::{EGGS, FIND_LINKS, INDEX, Sources, directory_of, set_egg_options};
use self::writer::{Wanted, Writer, parse_entry_points};
use crate::options::lines;

/// The recipe.
pub(crate) struct Scripts;

struct ScriptsPart {
    eggs: Sources,
    extra_paths: Vec<Utf8PathBuf>,
    relative_to: Option<Utf8PathBuf>,
}

impl RecipeKind for Scripts {
    fn names(&self) -> &'static [&'static str] {
        &["zc.recipe.egg", "zc.recipe.egg:scripts", "zc.recipe.egg:script"]
    }

    fn summary(&self) -> &'static str {
        "Install Python distributions and write the scripts that start their programs"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const OPTIONS: &[OptionDoc] = &[
            EGGS,
            OptionDoc::with_default(
                "scripts",
                "names of the scripts to write, `name` or `name=new-name`",
                "all",
            ),
            OptionDoc::optional("entry-points", "further programs, `name=module:attribute`"),
            OptionDoc::optional(
                "interpreter",
                "name of an interpreter to write that knows the distributions",
            ),
            OptionDoc::optional("initialization", "Python statements that run before each program"),
            OptionDoc::optional("arguments", "text between the parentheses of the call"),
            OptionDoc::optional("extra-paths", "further directories for `sys.path`, one on each line"),
            OptionDoc::with_default(
                "dependent-scripts",
                "scripts of all distributions, not only of `eggs`",
                "false",
            ),
            OptionDoc::with_default(
                "relative-paths",
                "paths relative to the script",
                "that of [buildout], or false",
            ),
            FIND_LINKS,
            INDEX,
        ];
        OPTIONS
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let eggs = set_egg_options(section)?;
        let bin_directory = directory_of(section, "bin-directory")?;
        section.set("bin-directory", &bin_directory);
        section.set("_b", bin_directory);

        let directory = section.directory().to_owned();
        let extra_paths: Vec<Utf8PathBuf> = lines(&section.get("extra-paths")?.unwrap_or_default())
            .map(|path| directory.join(path))
            .collect();
        if !extra_paths.is_empty() {
            let text: Vec<&str> = extra_paths.iter().map(|path| path.as_str()).collect();
            section.set("extra-paths", text.join("\n"));
        }
        let relative = match section.get("relative-paths")? {
            Some(own) => own,
            None => section.other("buildout", "relative-paths")?.unwrap_or_default(),
        };
        let relative_to = boolean("relative-paths", &relative)?.then(|| directory.clone());
        if relative_to.is_some() {
            section.set("buildout-directory", directory.as_str());
        }
        Ok(Box::new(ScriptsPart { eggs, extra_paths, relative_to }))
    }
}

impl Recipe for ScriptsPart {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        let (mut requirements, set) = self.eggs.install(part)?;
        let wanted = part.get("scripts")?.map(|text| Wanted::parse(&text));
        if wanted.as_ref().is_some_and(|wanted| wanted.is_empty()) {
            return Ok(Vec::new());
        }
        let mut path = set.path();
        path.extend(self.extra_paths.iter().cloned());
        let settings = ScriptSettings {
            python: set.python().to_owned(),
            path,
            initialization: part.get("initialization")?.unwrap_or_default(),
            arguments: part.get("arguments")?.unwrap_or_default(),
            relative_to: self.relative_to.clone(),
        };
        let directory = Utf8PathBuf::from(part.require("bin-directory")?);
        let mut writer = Writer::new(directory, settings, wanted);
        let further = parse_entry_points(&part.get("entry-points")?.unwrap_or_default())?;
        if boolean("dependent-scripts", &part.get("dependent-scripts")?.unwrap_or_default())? {
            for (name, _) in set.versions() {
                if name != "setuptools" && !requirements.iter().any(|known| known == name) {
                    requirements.push(name.to_owned());
                }
            }
        }
        writer.write_all(part, &set, &requirements, &further)?;
        if let Some(name) = part.get("interpreter")?.filter(|name| !name.is_empty()) {
            writer.write_interpreter(part, &name)?;
        }
        Ok(writer.into_written())
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.install(part)
    }
}

fn boolean(option: &'static str, text: &str) -> Result<bool, RecipeError> {
    match text {
        "true" => Ok(true),
        "false" | "" => Ok(false),
        other => Err(RecipeError::new(format!("Invalid value for {option} option: {other}"))
            .hint("write `true` or `false`")
            .option(option)),
    }
}
