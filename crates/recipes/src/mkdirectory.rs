//! `slapos.cookbook:mkdirectory`: creates directories.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | any name | a directory to create, missing parents included; others refer to it as `${part:name}` | |
//! | `mode` | mode of the directories that are created, in octal, less the umask | `0777` |
//!
//! Install and update create what is missing. An existing directory is left as it is. Directories are never removed,
//! because they may hold data of users.

use buildout::{OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section};
use camino::Utf8PathBuf;

use crate::options::{is_added_by_engine, mode};
use crate::output_file::create_directory;

/// The recipe.
#[derive(Debug)]
pub(crate) struct MkDirectory;

struct Directories {
    paths: Vec<Utf8PathBuf>,
    mode: u32,
}

impl RecipeKind for MkDirectory {
    fn names(&self) -> &'static [&'static str] {
        &["slapos.cookbook:mkdirectory", "slapos.cookbook:makedirectory", "slapos.recipe.build:mkdirectory"]
    }

    fn summary(&self) -> &'static str {
        "creates directories"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const {
            &[
                OptionDoc::optional("*", "a directory to create, with its missing parents"),
                OptionDoc::with_default("mode", "mode of new directories, in octal, less the umask", "0777"),
            ]
        }
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let mode = mode(section, "mode")?.unwrap_or(0o777);
        let options = section.options()?;
        let is_directory = |name: &str| !matches!(name, "recipe" | "mode") && !is_added_by_engine(name);
        let mut paths: Vec<Utf8PathBuf> = options
            .iter()
            .filter(|(name, path)| is_directory(name) && !path.is_empty())
            .map(|(_, path)| section.resolve(path))
            .collect();
        paths.sort();
        Ok(Box::new(Directories { paths, mode }))
    }
}

impl Recipe for Directories {
    fn install(&mut self, _: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.paths.iter().try_for_each(|path| create_directory(path, self.mode))?;
        Ok(Vec::new())
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.install(part)
    }
}
