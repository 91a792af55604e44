//! `slapos.recipe.build:download-unpacked`: fetches an archive and unpacks it.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `url` | address of the archive, or its path on this machine | required |
//! | `md5sum`, `sha256sum`, `sha512sum` | what the archive must hash to, in hexadecimal | not checked |
//! | `alternate-url` | address to try when the first does not answer with the archive | none |
//! | `destination` | directory to unpack into | `${buildout:parts-directory}/<part>` |
//! | `strip-top-level-dir` | take away the archive's single top directory: `true`, `false`; when absent: if there is exactly one | |
//! | `environment` | lines `NAME = VALUE`, or the name of a section, on which the part depends; without other effect, since no program is run | none |
//! | `offline` | whether the network may be used, whatever the build says: `true` or `false` | as the build |
//! | `shared` | share the directory between releases; forbids `destination` | `false` |
//!
//! Offers `location` and `target`, the directory. Understands tar archives, plain or compressed by gzip, bzip2, xz or lzip,
//! and zip archives. Update does nothing.

use buildout::{
    Action, Download, OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section, SharedPart, Turn,
};
use camino::Utf8PathBuf;

use crate::options::{filled, flag};
use crate::part_environment::PartEnvironment;
use crate::slapos_recipe_build_download::{download, turn_of_download};
use crate::unpack::{self, TopDirectory};

/// The recipe.
#[derive(Debug)]
pub(crate) struct BuildDownloadUnpacked;

struct Unpacked {
    download: Download,
    part: SharedPart,
    top: TopDirectory,
    has_own_place: bool,
}

impl RecipeKind for BuildDownloadUnpacked {
    fn names(&self) -> &'static [&'static str] {
        &["slapos.recipe.build:download-unpacked"]
    }

    fn summary(&self) -> &'static str {
        "fetches an archive and unpacks it"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const {
            &[
                OptionDoc::required("url", "address of the archive, or its path on this machine"),
                OptionDoc::optional("md5sum", "MD5 that the archive must have, in hexadecimal"),
                OptionDoc::optional("sha256sum", "SHA-256 that the archive must have, in hexadecimal"),
                OptionDoc::optional("sha512sum", "SHA-512 that the archive must have, in hexadecimal"),
                OptionDoc::optional(
                    "alternate-url",
                    "address to try when the first does not give the archive",
                ),
                OptionDoc::optional("destination", "directory to unpack into"),
                OptionDoc::optional(
                    "strip-top-level-dir",
                    "whether the archive's single top directory is taken away",
                ),
                OptionDoc::optional(
                    "environment",
                    "lines NAME = VALUE, or a section on which the part depends",
                ),
                OptionDoc::optional("offline", "whether the network may be used, whatever the build says"),
                OptionDoc::with_default("shared", "share the directory between releases", "false"),
            ]
        }
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let destination = filled(section, "destination")?;
        if flag(section, "shared")? == Some(true) && destination.is_some() {
            return Err(
                RecipeError::new("When shared=true, option 'destination' can't be set").option("destination")
            );
        }
        // No program is run, so that nobody asks for the variables; the part depends on them all the same.
        PartEnvironment::read(section)?;
        let part = section.shared_part()?;
        let has_own_place = destination.is_some();
        let part = match destination {
            Some(path) => part.at(section.resolve(&path)),
            None => part,
        };
        let directory = part.location().to_owned();
        let top = match flag(section, "strip-top-level-dir")? {
            None => TopDirectory::StripIfSingle,
            Some(true) => TopDirectory::Strip,
            Some(false) => TopDirectory::Keep,
        };
        if section.directory().starts_with(&directory) {
            return Err(RecipeError::new(format!(
                "{directory} holds the whole build and cannot belong to one part"
            ))
            .option("destination")
            .hint("choose a directory inside the buildout directory"));
        }
        section.set("location", directory.as_str());
        section.set("target", directory.as_str());
        Ok(Box::new(Unpacked { download: download(section)?, part, top, has_own_place }))
    }
}

impl Unpacked {
    fn build(&self, part: &mut Part<'_>) -> Result<(), RecipeError> {
        let archive = part.download(&self.download)?;
        unpack::unpack(archive.path(), self.part.location(), self.top).map(|_| ())
    }
}

impl Recipe for Unpacked {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.part.install(part, |part| self.build(part))
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.part.update(part, |part| self.build(part))
    }

    fn turn(&self, action: Action) -> Turn {
        if action == Action::Update { Turn::Quick } else { turn_of_download(self.has_own_place) }
    }

    fn downloads(&self) -> Vec<Download> {
        if self.part.is_built() { Vec::new() } else { vec![self.download.clone()] }
    }
}
