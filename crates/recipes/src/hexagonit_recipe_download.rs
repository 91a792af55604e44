//! `hexagonit.recipe.download`: fetches a file, and unpacks it when it is an archive.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `url` | address of the file, or its path on this machine | required |
//! | `md5sum` | MD5 that the file must have, in hexadecimal | not checked |
//! | `destination` | directory to put the file, or what is in the archive, into; `location` means the same | `${buildout:parts-directory}/<part>` |
//! | `download-only` | do not unpack | `false` |
//! | `filename` | name of a file that is not unpacked | last part of the address |
//! | `strip-top-level-dir` | take away the archive's single top directory | `false` |
//! | `ignore-existing` | unpack over a directory that is there already | `false` |
//! | `mode` | mode of a file that is not unpacked, in octal | the default one |
//! | `on-update` | fetch again at each later build | `false` |
//!
//! Offers `location` and `destination`, the directory. A file that is no archive is kept as it is, also without
//! `download-only`. Update does nothing without `on-update`.

use buildout::{Download, OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use crate::options::{filled, is_yes, mode};
use crate::output_file::{create_directory, refused};
use crate::unpack::{self, TopDirectory};

/// The recipe.
#[derive(Debug)]
pub(crate) struct HexagonitDownload;

struct Fetched {
    download: Download,
    directory: Utf8PathBuf,
    file_name: String,
    mode: Option<u32>,
    unpacks: bool,
    top: TopDirectory,
    ignores_existing: bool,
    again_on_update: bool,
}

impl RecipeKind for HexagonitDownload {
    fn names(&self) -> &'static [&'static str] {
        &["hexagonit.recipe.download"]
    }

    fn summary(&self) -> &'static str {
        "fetches a file, and unpacks it when it is an archive"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const {
            &[
                OptionDoc::required("url", "address of the file, or its path on this machine"),
                OptionDoc::optional("md5sum", "MD5 that the file must have, in hexadecimal"),
                OptionDoc::optional("destination", "directory to put the file or the archive's content into"),
                OptionDoc::optional("location", "the same as `destination`"),
                OptionDoc::with_default("download-only", "do not unpack", "false"),
                OptionDoc::optional("filename", "name of a file that is not unpacked"),
                OptionDoc::with_default(
                    "strip-top-level-dir",
                    "take away the archive's single top directory",
                    "false",
                ),
                OptionDoc::with_default(
                    "ignore-existing",
                    "unpack over a directory that is there already",
                    "false",
                ),
                OptionDoc::optional("mode", "mode of a file that is not unpacked, in octal"),
                OptionDoc::with_default("on-update", "fetch again at each later build", "false"),
            ]
        }
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let mut says_yes =
            |option: &str| Ok::<_, RecipeError>(section.get(option)?.is_some_and(|value| is_yes(&value)));
        let (unpacks, strips) = (!says_yes("download-only")?, says_yes("strip-top-level-dir")?);
        let (ignores_existing, again_on_update) = (says_yes("ignore-existing")?, says_yes("on-update")?);
        let directory = match filled(section, "destination")?.or(filled(section, "location")?) {
            Some(path) => section.resolve(&path),
            None => {
                let parts = section.require_other("buildout", "parts-directory")?;
                section.resolve(&parts).join(section.name())
            }
        };
        section.set("location", directory.as_str());
        section.set("destination", directory.as_str());
        let url = section.require("url")?.trim().to_owned();
        let file_name = filled(section, "filename")?.unwrap_or_else(|| last_segment(&url, section.name()));
        let top = if strips { TopDirectory::Strip } else { TopDirectory::Keep };
        let md5 = section.get("md5sum")?;
        Ok(Box::new(Fetched {
            download: Download::new(url).md5(md5),
            directory,
            file_name,
            mode: mode(section, "mode")?,
            unpacks,
            top,
            ignores_existing,
            again_on_update,
        }))
    }
}

fn last_segment(url: &str, otherwise: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let name = path.rsplit('/').next().filter(|name| !name.is_empty());
    name.unwrap_or(otherwise).to_owned()
}

impl Fetched {
    fn keep_file(&self, archive: &Utf8Path) -> Result<Utf8PathBuf, RecipeError> {
        let target = self.directory.join(&self.file_name);
        let content = fs::read(archive).map_err(|error| refused(archive, error))?;
        let mode = self.mode.unwrap_or_else(|| crate::output_file::default_mode(false));
        host::files::replace(&target, content, mode).map_err(|error| refused(&target, error))?;
        Ok(target)
    }
}

impl Recipe for Fetched {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        let is_new = !self.directory.exists();
        if is_new {
            part.created(self.directory.clone());
        }
        let archive = part.download(&self.download)?;
        if self.unpacks
            && unpack::is_archive(archive.path()).map_err(|error| refused(archive.path(), error))?
        {
            if !is_new && !self.ignores_existing && !is_empty(&self.directory) {
                return Err(RecipeError::new(format!("{} is there already", self.directory))
                    .hint("remove it, or write `ignore-existing = true` to unpack over it"));
            }
            let unpacked = unpack::unpack(archive.path(), &self.directory, self.top)?;
            // What was there before does not belong to the part.
            return Ok(if is_new { vec![self.directory.clone()] } else { unpacked });
        }
        create_directory(&self.directory, 0o777)?;
        let file = self.keep_file(archive.path())?;
        Ok(vec![if is_new { self.directory.clone() } else { file }])
    }

    fn downloads(&self) -> Vec<Download> {
        vec![self.download.clone()]
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        if self.again_on_update {
            self.ignores_existing = true;
            self.install(part)?;
        }
        Ok(Vec::new())
    }
}

fn is_empty(directory: &Utf8Path) -> bool {
    fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none())
}
