//! `zc.recipe.egg:develop`: a source directory installed in development mode.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `setup` | the directory, or its setup script | required |
//! | `include-dirs`, `library-dirs`, `rpath` | directories, one on each line | |
//! | `define`, `undef`, `libraries`, `link-objects`, `debug`, `force`, `compiler`, `swig`, `swig-cpp`, `swig-opts` | options of setuptools' `build_ext` | |
//! | `environment` | section whose options are variables of the build; `%(NAME)s` is a variable of the whole build | |
//! | `setup-eggs` | requirements that are importable during the build, one on each line | |
//! | `depends` | references to what must be built before | |
//!
//! The part owns the link to the directory. Update does what install does.

use std::collections::BTreeMap;

use buildout::{OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section};
use camino::Utf8PathBuf;

use crate::zc_recipe_egg::source_options::{
    BUILD_OPTIONS, egg_build, extension_options, variables, with_build_options,
};
use crate::zc_recipe_egg::sources::directory_of;

/// The recipe.
pub(crate) struct Develop;

struct DevelopEgg {
    extension_options: BTreeMap<String, String>,
    variables: Vec<(String, String)>,
}

impl RecipeKind for Develop {
    fn names(&self) -> &'static [&'static str] {
        &["zc.recipe.egg:develop"]
    }

    fn summary(&self) -> &'static str {
        "Install a source directory in development mode"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const OWN: [OptionDoc; 1] = [OptionDoc::required("setup", "the directory, or its setup script")];
        const OPTIONS: [OptionDoc; BUILD_OPTIONS.len() + OWN.len()] = with_build_options(OWN);
        &OPTIONS
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let develop_eggs = directory_of(section, "develop-eggs-directory")?;
        section.set("_d", develop_eggs);
        let extension_options = extension_options(section)?;
        let setup = section.require("setup")?;
        let setup = section.resolve(&setup).into_string();
        section.set("setup", setup);
        let has_variables = section.get("environment")?.is_some();
        let variables = if has_variables { variables(section)? } else { Vec::new() };
        Ok(Box::new(DevelopEgg { extension_options, variables }))
    }
}

impl Recipe for DevelopEgg {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        let (build, _patches) = egg_build(part, None, &self.extension_options, &self.variables)?;
        let settings = part.egg_settings()?;
        let setup = Utf8PathBuf::from(part.require("setup")?);
        let script = if setup.is_dir() { setup.join("setup.py") } else { setup };
        Ok(vec![part.develop_egg(&settings, &script, &build)?])
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.install(part)
    }
}
