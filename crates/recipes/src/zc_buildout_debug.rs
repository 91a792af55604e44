//! `zc.buildout:debug`: shows every option of its section when the part is installed or updated.

use buildout::{OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section, Value};
use camino::Utf8PathBuf;

/// The recipe.
#[derive(Debug)]
pub(crate) struct Debug;

impl RecipeKind for Debug {
    fn names(&self) -> &'static [&'static str] {
        &["zc.buildout:debug"]
    }

    fn summary(&self) -> &'static str {
        "shows every option of its section"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const { &[OptionDoc::optional("*", "something to show")] }
    }

    fn initialise(&self, _: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        Ok(Box::new(Self))
    }
}

impl Recipe for Debug {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        let mut options: Vec<(String, String)> = part.options()?.into_iter().collect();
        options.sort_unstable();
        for (name, value) in options {
            let value = Value::from(value).representation().expect("text has a representation");
            part.print(format!("  {name}={value}\n"));
        }
        Ok(Vec::new())
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.install(part)
    }
}
