//! `slapos.cookbook:symbolic.link`: makes programs of a release visible in a directory of the instance.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `link-binary` | paths to link to, separated by blanks | required |
//! | `target-directory` | directory of the links; each has the last name of its path | required |
//!
//! Install and update create the links anew. Something else than a link of the same name is not replaced.

use std::io;

use buildout::{OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section};
use camino::{Utf8Path, Utf8PathBuf};

use crate::output_file::refused;

/// The recipe.
#[derive(Debug)]
pub(crate) struct SymbolicLink;

struct Links(Vec<(Utf8PathBuf, Utf8PathBuf)>);

impl RecipeKind for SymbolicLink {
    fn names(&self) -> &'static [&'static str] {
        &["slapos.cookbook:symbolic.link"]
    }

    fn summary(&self) -> &'static str {
        "links to programs from a directory"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const {
            &[
                OptionDoc::required("link-binary", "paths to link to, separated by blanks"),
                OptionDoc::required("target-directory", "directory in which the links are made"),
            ]
        }
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let directory = section.require("target-directory")?;
        let directory = section.resolve(&directory);
        let targets = section.require("link-binary")?;
        let links = targets.split_whitespace().map(Utf8Path::new).map(|target| match target.file_name() {
            Some(name) => Ok((target.to_owned(), directory.join(name))),
            None => {
                Err(RecipeError::new(format!("`{target}` has no name to link under")).option("link-binary"))
            }
        });
        Ok(Box::new(Links(links.collect::<Result<_, _>>()?)))
    }
}

impl Recipe for Links {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        for (target, link) in &self.0 {
            match fs_err::symlink_metadata(link) {
                Ok(present) if present.is_symlink() => {
                    host::files::remove_if_present(link).map_err(|error| refused(link, error))?;
                }
                Ok(_) => {
                    return Err(RecipeError::new(format!("{link} already exists but is not a link"))
                        .option("link-binary")
                        .hint(format!("move {link} away, or choose another `target-directory`")));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(refused(link, error)),
            }
            part.created(link.clone());
            fs_err::os::unix::fs::symlink(target, link).map_err(|error| refused(link, error))?;
        }
        Ok(self.0.iter().map(|(_, link)| link.clone()).collect())
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.install(part)
    }
}
