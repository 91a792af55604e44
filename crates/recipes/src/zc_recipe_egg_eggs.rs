//! `zc.recipe.egg:eggs`: distributions without scripts.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `eggs` | requirements, one on each line | the part's name |
//! | `find-links` | directories, pages and files to look at | that of `[buildout]` |
//! | `index` | index to look at | that of `[buildout]` |
//! | `EGG-patches` | patches for one of the distributions, each `place` or `place#md5` | |
//! | `EGG-patch-options`, `EGG-patch-binary` | how they are applied | `-p0`, `patch` |
//! | `EGG-patch-revision` | number behind `+SlapOSPatched` in the version | how many patches there are |
//!
//! The part owns nothing: distributions are shared by all parts. Update does what install does.

use buildout::{OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section};
use camino::Utf8PathBuf;

use crate::zc_recipe_egg::sources::{EGGS, FIND_LINKS, INDEX, Sources, set_egg_options};

/// The recipe.
pub(crate) struct OnlyEggs;

struct EggsPart(Sources);

impl RecipeKind for OnlyEggs {
    fn names(&self) -> &'static [&'static str] {
        &["zc.recipe.egg:eggs"]
    }

    fn summary(&self) -> &'static str {
        "Install Python distributions without writing scripts"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const OPTIONS: &[OptionDoc] = &[EGGS, FIND_LINKS, INDEX];
        OPTIONS
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        Ok(Box::new(EggsPart(set_egg_options(section)?)))
    }
}

impl Recipe for EggsPart {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.0.install(part)?;
        Ok(Vec::new())
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.install(part)
    }
}
