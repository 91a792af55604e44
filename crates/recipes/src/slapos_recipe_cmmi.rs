//! `slapos.recipe.cmmi`: configures, makes and installs a program from its sources.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `url` | address of the archive with the sources, or its path on this machine | this or `path` |
//! | `path` | directory with the sources; they are compiled in their place | this or `url` |
//! | `md5sum`, `sha256sum`, `sha512sum` | what the archive must hash to, in hexadecimal | not checked |
//! | `alternate-url` | address to try when the first does not answer with the archive | none |
//! | `offline` | whether the network may be used for the archive, whatever the build says: `true` or `false` | as the build |
//! | `strip-top-level-dir` | take away the archive's single top directory: `true` or `false`; the commands run in a single top directory anyway | `false` |
//! | `patches` | addresses or paths of patches, separated by blanks, each with `#` and its MD5 behind it | none |
//! | `patch-binary` | program that applies them | `patch` |
//! | `patch-options` | its options | `-p0` |
//! | `environment` | variables of all commands: lines `NAME = VALUE`, or the name of a section; `%(NAME)s` is the variable of the build | none |
//! | `pre-configure` | shell text to run before all else | none |
//! | `configure-command` | command that prepares the sources; `:` for none | `./configure --prefix="<prefix>"` |
//! | `configure-options` | its further arguments; a `--prefix` among them is the only one | none |
//! | `pre-build` | shell text to run before `make` | none |
//! | `make-binary` | program that compiles and installs | `make` |
//! | `make-options` | its options, for compiling and for installing | none |
//! | `pre-install` | shell text to run before `make install` | none |
//! | `make-targets` | what `make` is asked for to install; with a `configure-command` of the profile `prefix="<prefix>"` comes along | `install` |
//! | `post-install` | shell text to run at the end | none |
//! | `prefix` | where the program is to be installed | the location |
//! | `location` | if given, must be what it would be anyway | |
//! | `promises` | absolute paths, each in a line of its own, that are there at the end; a missing one is a warning | none |
//! | `keep-compile-dir` | keep the directory where it was compiled: `true` or `false` | that of `[buildout]`, else `false` |
//! | `shared` | share the part between releases | `false` |
//! | `pre-configure-hook`, `pre-make-hook`, `post-make-hook` | Python to run: `ADDRESS#MD5:FUNCTION` | none |
//!
//! Offers `location`, `prefix` and `compile-directory`. Commands are run by `/bin/sh`, ended by the first failure, in
//! the directory of the sources. In commands, their options and shell texts `%(option)s` is an option of the part, and
//! in every option `@@LOCATION@@` is the location. Install builds; update does nothing, unless a shared part is gone.
//!
//! When a command fails, the sources stay where they were compiled, with a script that gives a shell the same
//! environment. A part with one of the three hooks in Python is left to the recipe in Python.

mod build;
mod commands;
mod environment_script;
mod long_headers;
mod mentions;

use buildout::{
    Action, Download, OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section, SharedPart, Turn,
};
use camino::{Utf8Path, Utf8PathBuf};

use crate::options::{filled, flag};
use crate::part_environment::PartEnvironment;
use crate::slapos_recipe_build_download::download;
use crate::unpack::TopDirectory;
use build::{Build, Source};

/// The recipe.
#[derive(Debug)]
pub(crate) struct Cmmi;

/// Stands for the location in every option.
const LOCATION: &str = "@@LOCATION@@";
/// Options whose text is Python.
const HOOKS: [&str; 3] = ["pre-configure-hook", "pre-make-hook", "post-make-hook"];
/// Where the source is compiled, below the location.
const COMPILE_DIRECTORY: &str = ".build";

struct Compiled {
    part: SharedPart,
    build: Build,
    /// Whether others may use, or may have made, what no reference tells of.
    is_in_order: bool,
}

impl RecipeKind for Cmmi {
    fn names(&self) -> &'static [&'static str] {
        &["slapos.recipe.cmmi"]
    }

    fn summary(&self) -> &'static str {
        "configures, makes and installs a program from its sources"
    }

    fn options(&self) -> &'static [OptionDoc] {
        OPTIONS
    }

    fn leaves_to_python(&self, section: &mut Section<'_>) -> Result<bool, RecipeError> {
        for hook in HOOKS {
            if section.get(hook)?.is_some_and(|text| !text.trim().is_empty()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let part = section.shared_part()?.keeping_failures();
        let location = part.location().to_owned();
        check_location(section, &location)?;
        let has_prefix_elsewhere = settle_prefix(section, &location)?;
        let (compile_directory, is_archive) = match (filled(section, "url")?, filled(section, "path")?) {
            (Some(_), None) => (location.join(COMPILE_DIRECTORY), true),
            (None, Some(path)) => (Utf8PathBuf::from(path), false),
            (Some(_), Some(_)) => {
                return Err(RecipeError::new("You must use either \"url\" or \"path\", not both!")
                    .option("path")
                    .hint("remove one of them"));
            }
            (None, None) => {
                return Err(RecipeError::new("You must provide either \"url\" or \"path\".")
                    .hint("add `url = …` with the address of the sources"));
            }
        };
        section.set("compile-directory", compile_directory.as_str());
        for (option, text) in section.options()? {
            if text.contains(LOCATION) {
                section.set(&option, text.replace(LOCATION, location.as_str()));
            }
        }
        let environment = PartEnvironment::read(section)?;
        let is_in_order =
            !is_archive || has_prefix_elsewhere || mentions::what_nobody_owns(section, &environment)?;
        let source = if is_archive {
            let strips = flag_or_empty(section, "strip-top-level-dir")?.unwrap_or_default();
            let top = if strips { TopDirectory::Strip } else { TopDirectory::Keep };
            Source::Archive(download(section)?, top)
        } else {
            Source::Directory
        };
        let patches = section.get("patches")?.unwrap_or_default();
        let build = Build {
            source,
            compile_directory: section.resolve(compile_directory.as_str()),
            location,
            patches: patches.split_whitespace().map(patch).collect(),
            environment,
            keeps_compile_directory: keeps_compile_directory(section)?,
        };
        Ok(Box::new(Compiled { part, build, is_in_order }))
    }
}

/// The location cannot be chosen; it may be written down where it is needed before the part is initialised.
fn check_location(section: &mut Section<'_>, location: &Utf8Path) -> Result<(), RecipeError> {
    let given = section.get("location")?.map(|given| given.replace(LOCATION, location.as_str()));
    if given.is_some_and(|given| given != location) {
        return Err(RecipeError::new("invalid 'location' value")
            .option("location")
            .hint(format!("remove the option; the location is {location}")));
    }
    section.set("location", location.as_str());
    Ok(())
}

/// Sets the prefix unless the profile gives one; tells whether it leads out of the location.
fn settle_prefix(section: &mut Section<'_>, location: &Utf8Path) -> Result<bool, RecipeError> {
    let Some(prefix) = filled(section, "prefix")? else {
        section.set("prefix", location.as_str());
        return Ok(false);
    };
    let prefix = section.resolve(&prefix.replace(LOCATION, location.as_str()));
    if host::files::real_path(&prefix).starts_with(host::files::real_path(location)) {
        return Ok(false);
    }
    if flag(section, "shared")? == Some(true) {
        return Err(RecipeError::new("When shared=true, 'prefix' can't be outside location")
            .option("prefix")
            .hint("remove the option; the prefix is then the location"));
    }
    Ok(true)
}

fn flag_or_empty(section: &mut Section<'_>, option: &str) -> Result<Option<bool>, RecipeError> {
    match filled(section, option)? {
        Some(_) => flag(section, option),
        None => Ok(None),
    }
}

fn keeps_compile_directory(section: &mut Section<'_>) -> Result<bool, RecipeError> {
    const OPTION: &str = "keep-compile-dir";
    let own = flag_or_empty(section, OPTION)?;
    let general = section.other("buildout", OPTION)?;
    Ok(own.unwrap_or_else(|| general.as_deref() == Some("true")))
}

/// A patch, with the MD5 behind its `#`.
fn patch(text: &str) -> Download {
    let (url, md5) = text.split_once('#').unwrap_or((text, ""));
    Download::new(url).md5(Some(md5.to_owned()))
}

impl Recipe for Compiled {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.part.install(part, |part| self.build.run(part))
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.part.update(part, |part| self.build.run(part))
    }

    fn downloads(&self) -> Vec<Download> {
        if self.part.is_built() {
            return Vec::new();
        }
        let archive = match &self.build.source {
            Source::Archive(download, _) => Some(download.clone()),
            Source::Directory => None,
        };
        archive.into_iter().chain(self.build.patches.iter().cloned()).collect()
    }

    fn turn(&self, action: Action) -> Turn {
        let is_there = if self.part.is_shared() { self.part.is_built() } else { action == Action::Update };
        match (is_there, self.is_in_order) {
            (true, _) => Turn::Quick,
            (false, true) => Turn::InOrder,
            (false, false) => Turn::Beside,
        }
    }
}

const OPTIONS: &[OptionDoc] = &[
    OptionDoc::optional("url", "address of the archive with the sources, or its path on this machine"),
    OptionDoc::optional("path", "directory with the sources; they are compiled in their place"),
    OptionDoc::optional("md5sum", "MD5 that the archive must have, in hexadecimal"),
    OptionDoc::optional("sha256sum", "SHA-256 that the archive must have, in hexadecimal"),
    OptionDoc::optional("sha512sum", "SHA-512 that the archive must have, in hexadecimal"),
    OptionDoc::optional("alternate-url", "address to try when the first does not give the archive"),
    OptionDoc::optional(
        "offline",
        "whether the network may be used for the archive, whatever the build says",
    ),
    OptionDoc::with_default(
        "strip-top-level-dir",
        "whether the archive's single top directory is taken away",
        "false",
    ),
    OptionDoc::optional("patches", "addresses or paths of patches, each with `#` and its MD5 behind it"),
    OptionDoc::with_default("patch-binary", "program that applies patches", "patch"),
    OptionDoc::with_default("patch-options", "options of the program that applies patches", "-p0"),
    OptionDoc::optional("environment", "variables of all commands: lines NAME = VALUE, or a section's name"),
    OptionDoc::optional("pre-configure", "shell text to run before all else"),
    OptionDoc::with_default("configure-command", "command that prepares the sources", "./configure"),
    OptionDoc::optional("configure-options", "further arguments of `configure-command`"),
    OptionDoc::optional("pre-build", "shell text to run before `make`"),
    OptionDoc::with_default("make-binary", "program that compiles and installs", "make"),
    OptionDoc::optional("make-options", "options of `make`, for compiling and for installing"),
    OptionDoc::optional("pre-install", "shell text to run before `make install`"),
    OptionDoc::with_default("make-targets", "what `make` is asked for to install", "install"),
    OptionDoc::optional("post-install", "shell text to run at the end"),
    OptionDoc::optional("prefix", "where the program is to be installed; the location by default"),
    OptionDoc::optional("location", "if given, must be what it would be anyway"),
    OptionDoc::optional("promises", "absolute paths that are there at the end; a missing one is a warning"),
    OptionDoc::optional("keep-compile-dir", "keep the directory where it was compiled"),
    OptionDoc::with_default("shared", "share the part between releases", "false"),
    OptionDoc::optional("pre-configure-hook", "Python to run before `configure-command`"),
    OptionDoc::optional("pre-make-hook", "Python to run before `make`"),
    OptionDoc::optional("post-make-hook", "Python to run after `make install`"),
];
