//! `slapos.recipe.build:download`: fetches one file.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `url` | address of the file, or its path on this machine | required |
//! | `md5sum`, `sha256sum`, `sha512sum` | what the file must hash to, in hexadecimal | not checked |
//! | `alternate-url` | address to try when the first does not answer with the file | none |
//! | `destination` | path of the file | a file in `${buildout:parts-directory}/<part>` |
//! | `filename` | name of the file there | the part's name |
//! | `offline` | whether the network may be used, whatever the build says: `true` or `false` | as the build |
//! | `shared` | share the file between releases; needs a checksum and no `destination` | `false` |
//! | `mode` | refused: the mode is always the default one | |
//!
//! Offers `target`, the path of the file, and without `destination` also `location`, its directory. Install fetches;
//! update fetches again unless there is a checksum.

use buildout::{
    Action, Algorithm, Download, OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section, SharedPart, Turn,
};
use camino::{Utf8Path, Utf8PathBuf};

use crate::options::{filled, flag};

/// The recipe.
#[derive(Debug)]
pub(crate) struct BuildDownload;

struct Fetched {
    download: Download,
    target: Utf8PathBuf,
    /// The file at a place of its own, or the directory that holds it.
    part: SharedPart,
}

impl RecipeKind for BuildDownload {
    fn names(&self) -> &'static [&'static str] {
        &["slapos.recipe.build:download"]
    }

    fn summary(&self) -> &'static str {
        "fetches one file"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const {
            &[
                OptionDoc::required("url", "address of the file, or its path on this machine"),
                OptionDoc::optional("md5sum", "MD5 that the file must have, in hexadecimal"),
                OptionDoc::optional("sha256sum", "SHA-256 that the file must have, in hexadecimal"),
                OptionDoc::optional("sha512sum", "SHA-512 that the file must have, in hexadecimal"),
                OptionDoc::optional("alternate-url", "address to try when the first does not give the file"),
                OptionDoc::optional("destination", "path of the file"),
                OptionDoc::optional("filename", "name of the file when there is no destination"),
                OptionDoc::optional("offline", "whether the network may be used, whatever the build says"),
                OptionDoc::with_default("shared", "share the file between releases", "false"),
            ]
        }
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        if section.get("mode")?.is_some() {
            return Err(RecipeError::new("the option `mode` is not supported")
                .option("mode")
                .hint("remove it; a part of recipe slapos.recipe.template can give a file a mode"));
        }
        let destination = filled(section, "destination")?;
        let download = download(section)?;
        let part = section.shared_part()?;
        if flag(section, "shared")? == Some(true) {
            check_shared(&download, destination.as_deref())?;
        }
        let fetched = match destination {
            Some(path) => {
                let target = section.resolve(&path);
                Fetched { download, part: part.at(target.clone()), target }
            }
            None => {
                let name = filled(section, "filename")?.unwrap_or_else(|| section.name().to_owned());
                let target = part.location().join(Utf8Path::new(&name).file_name().unwrap_or(&name));
                section.set("location", part.location().as_str());
                Fetched { download, part, target }
            }
        };
        if is_same_file(&section.resolve(&fetched.download.url), &fetched.target) {
            return Err(RecipeError::new(format!("{} would be fetched onto itself", fetched.target))
                .option("destination")
                .hint("choose another `destination`, or use the file where it is"));
        }
        section.set("target", fetched.target.as_str());
        Ok(Box::new(fetched))
    }
}

/// A file in a place that the profile chose may be used by who knows the place; one below `parts` is found through the
/// options of its section.
pub(crate) fn turn_of_download(has_own_place: bool) -> Turn {
    if has_own_place { Turn::InOrder } else { Turn::Beside }
}

/// The download that the options describe, without its destination.
pub(crate) fn download(section: &mut Section<'_>) -> Result<Download, RecipeError> {
    let url = section.require("url")?;
    let (md5, alternate_url) = (section.get("md5sum")?, section.get("alternate-url")?);
    let mut download = Download::new(url.trim())
        .md5(md5)
        .checksum(Algorithm::Sha256, section.get("sha256sum")?)
        .checksum(Algorithm::Sha512, section.get("sha512sum")?)
        .alternate_url(alternate_url);
    download.offline = flag(section, "offline")?;
    Ok(download)
}

fn is_same_file(source: &Utf8Path, target: &Utf8Path) -> bool {
    match (source.canonicalize_utf8(), target.canonicalize_utf8()) {
        (Ok(source), Ok(target)) => source == target,
        _ => false,
    }
}

fn check_shared(download: &Download, destination: Option<&str>) -> Result<(), RecipeError> {
    if destination.is_some() {
        return Err(
            RecipeError::new("When shared=true, option 'destination' can't be set").option("destination")
        );
    }
    if !download.is_checked() {
        return Err(RecipeError::new("When shared=true, option 'md5sum' must be set").option("shared"));
    }
    Ok(())
}

impl Recipe for Fetched {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        if self.part.location() == self.target && self.target.is_dir() {
            return Err(RecipeError::new(format!("{} is a directory", self.target))
                .option("destination")
                .hint("`destination` is the path of the file itself"));
        }
        let download = self.download.clone().destination(self.target.clone());
        self.part.install(part, |part| part.download(&download).map(|_| ()))
    }

    fn turn(&self, action: Action) -> Turn {
        if action == Action::Update && self.download.is_checked() {
            return Turn::Quick;
        }
        turn_of_download(self.part.location() == self.target)
    }

    fn downloads(&self) -> Vec<Download> {
        if self.part.is_built() { Vec::new() } else { vec![self.download.clone()] }
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        if !self.download.is_checked() {
            self.install(part)?;
            return Ok(Vec::new());
        }
        let download = self.download.clone().destination(self.target.clone());
        self.part.update(part, |part| part.download(&download).map(|_| ()))
    }
}
