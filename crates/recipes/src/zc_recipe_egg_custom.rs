//! `zc.recipe.egg:custom`: a distribution built from its sources as the part says.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `egg` | the requirement | `eggs`, or the part's name |
//! | `include-dirs`, `library-dirs`, `rpath` | directories, one on each line | |
//! | `define`, `undef`, `libraries`, `link-objects`, `debug`, `force`, `compiler`, `swig`, `swig-cpp`, `swig-opts` | options of setuptools' `build_ext` | |
//! | `environment` | section whose options are variables of the build; `%(NAME)s` is a variable of the whole build | |
//! | `setup-eggs` | requirements that are importable during the build, one on each line | |
//! | `depends` | references to what must be built before | |
//! | `patches`, `EGG-patches` | patches to apply, each `place` or `place#md5` | |
//! | `patch-options`, `patch-binary`, `*-patch*` | how a patch is applied | `-p0`, `patch` |
//! | `patch-revision` | number behind `+SlapOSPatched` in the version | how many patches there are |
//! | `find-links`, `index` | where the sources are | those of `[buildout]` |
//!
//! The egg goes into the directory of develop eggs. Nothing is done offline. Update does what install does.

use std::collections::BTreeMap;

use buildout::eggs::Requirement;
use buildout::{OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section};
use camino::{Utf8Path, Utf8PathBuf};

use crate::zc_recipe_egg::source_options::{
    BUILD_OPTIONS, egg_build, extension_options, variables, with_build_options,
};
use crate::zc_recipe_egg::sources::{FIND_LINKS, INDEX, Sources, directory_of};

/// The recipe.
pub(crate) struct Custom;

struct CustomEgg {
    sources: Sources,
    extension_options: BTreeMap<String, String>,
    variables: Vec<(String, String)>,
}

impl RecipeKind for Custom {
    fn names(&self) -> &'static [&'static str] {
        &["zc.recipe.egg:custom"]
    }

    fn summary(&self) -> &'static str {
        "Build a Python distribution from its sources"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const OWN: [OptionDoc; 8] = [
            OptionDoc::with_default("egg", "the requirement", "the part's name"),
            OptionDoc::optional("patches", "patches to apply, each `place` or `place#md5`"),
            OptionDoc::with_default("patch-options", "words for the command that applies a patch", "-p0"),
            OptionDoc::with_default("patch-binary", "the command that applies a patch", "patch"),
            OptionDoc::with_default(
                "patch-revision",
                "number behind `+SlapOSPatched` in the version",
                "how many patches there are",
            ),
            FIND_LINKS,
            INDEX,
            OptionDoc::optional("eggs", "older name of `egg`"),
        ];
        const OPTIONS: [OptionDoc; BUILD_OPTIONS.len() + OWN.len()] = with_build_options(OWN);
        &OPTIONS
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let develop_eggs = directory_of(section, "develop-eggs-directory")?;
        section.set("_d", develop_eggs);
        let extension_options = extension_options(section)?;
        let sources = Sources::of(section)?;
        let variables = variables(section)?;
        let eggs = directory_of(section, "eggs-directory")?;
        section.set("_e", eggs);
        Ok(Box::new(CustomEgg { sources, extension_options, variables }))
    }
}

impl Recipe for CustomEgg {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        if part.is_offline() {
            return Ok(Vec::new());
        }
        let egg = match part.get("egg")? {
            Some(egg) => egg,
            None => part.get("eggs")?.unwrap_or_else(|| part.name().to_owned()),
        };
        let requirement: Requirement = egg.trim().parse().map_err(|error| {
            RecipeError::new("the requirement cannot be read").because(error).option("egg")
        })?;
        let (build, _patches) =
            egg_build(part, Some(&requirement.written), &self.extension_options, &self.variables)?;
        let settings = self.sources.settings(part)?;
        let directory = part.require("_d")?;
        let egg = part.build_egg(&settings, egg.trim(), &build, Utf8Path::new(&directory))?;
        Ok(vec![egg])
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.install(part)
    }
}
