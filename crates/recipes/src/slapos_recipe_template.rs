//! `slapos.recipe.template`: writes a file from a template in the profile's own language.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `url` | path or address of the template | this or `inline` |
//! | `inline` | text of the template | this or `url` |
//! | `output` | file to write; missing directories are created | required |
//! | `md5sum` | MD5 that the template must have, in hexadecimal; only with `url` | not checked |
//! | `mode` | mode of the file, in octal | executable if it starts with `#!` and a program that exists, less the umask |
//!
//! The template is read when the section is initialised, and `${section:option}` in it is expanded as in this section;
//! parts that it names are built first. `$$` gives `$`. Install writes the file when it differs; update does the same,
//! unless there is an `md5sum` or an `inline`.

use buildout::{Download, OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section};
use camino::{Utf8Path, Utf8PathBuf};

use crate::options::{filled, mode};
use crate::output_file::{default_mode, write_with_parents};

/// The recipe.
#[derive(Debug)]
pub(crate) struct Template;

/// Where a template comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The text itself.
    Inline(String),
    /// A path or an address.
    Url(String),
}

/// A file to be written.
struct Written {
    output: Utf8PathBuf,
    text: String,
    mode: Option<u32>,
    is_fixed: bool,
}

impl RecipeKind for Template {
    fn names(&self) -> &'static [&'static str] {
        &["slapos.recipe.template"]
    }

    fn summary(&self) -> &'static str {
        "writes a file from a template in the profile's own language"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const {
            &[
                OptionDoc::optional("url", "path or address of the template"),
                OptionDoc::optional("inline", "text of the template"),
                OptionDoc::required("output", "file to write"),
                OptionDoc::optional("md5sum", "MD5 that the template must have, in hexadecimal"),
                OptionDoc::optional("mode", "mode of the file, in octal"),
            ]
        }
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let output = section.require("output")?;
        let output = section.resolve(&output);
        let md5 = filled(section, "md5sum")?;
        let source = source(section)?;
        let is_fixed = md5.is_some() || matches!(source, Source::Inline(_));
        let text = match source {
            // Options are expanded when they are read.
            Source::Inline(text) => text,
            Source::Url(url) => {
                let template = read(section, &url, md5)?;
                let pieces = template.split("$$").map(|piece| section.expand(piece));
                pieces.collect::<Result<Vec<_>, _>>()?.join("$")
            }
        };
        Ok(Box::new(Written { output, text, mode: mode(section, "mode")?, is_fixed }))
    }
}

/// The template that the options `url`, `inline` and `md5sum` describe.
///
/// # Errors
/// Neither or both of the first two, or an `md5sum` of an inline text.
pub(crate) fn source(section: &mut Section<'_>) -> Result<Source, RecipeError> {
    match (filled(section, "url")?, filled(section, "inline")?) {
        (Some(_), Some(_)) => Err(RecipeError::new("options 'inline' & 'url' conflict")
            .option("inline")
            .hint("keep `url` for a template in a file, or `inline` for one in the profile")),
        (Some(url), None) => Ok(Source::Url(url)),
        (None, Some(text)) if filled(section, "md5sum")?.is_none() => Ok(Source::Inline(text)),
        (None, Some(_)) => Err(RecipeError::new("options 'inline' & 'md5sum' conflict")
            .option("md5sum")
            .hint("remove `md5sum`: the text is in the profile itself")),
        (None, None) => Err(RecipeError::new("one of the options 'inline' 'url' is required")
            .hint("add `url = …` with the path of the template, or `inline =` with its text")),
    }
}

/// The text of a template.
///
/// # Errors
/// It cannot be had, has another MD5, or is not UTF-8.
pub(crate) fn read(section: &mut Section<'_>, url: &str, md5: Option<String>) -> Result<String, RecipeError> {
    let file = section.download(&Download::new(url).md5(md5))?;
    text_of(file.path(), url)
}

/// The text of a file that was fetched from `url`.
///
/// # Errors
/// It cannot be read, or is not UTF-8.
pub(crate) fn text_of(path: &Utf8Path, url: &str) -> Result<String, RecipeError> {
    fs_err::read_to_string(path).map_err(|error| {
        RecipeError::new(format!("cannot read the template {url}")).because(error).option("url")
    })
}

/// Writes a rendered template.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write_output(output: &Utf8Path, text: &str, mode: Option<u32>) -> Result<(), RecipeError> {
    let mode = mode.unwrap_or_else(|| default_mode(starts_program(text)));
    write_with_parents(output, text, mode)
}

/// Whether a text starts with `#!` and the path of a program.
fn starts_program(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("#!") else { return false };
    let program = rest.lines().next().and_then(|line| line.split_whitespace().next());
    // X_OK of access(2).
    program.is_some_and(|program| host::files::is_accessible(std::path::Path::new(program), 1))
}

impl Recipe for Written {
    fn install(&mut self, _: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        write_output(&self.output, &self.text, self.mode)?;
        Ok(vec![self.output.clone()])
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        if self.is_fixed { Ok(Vec::new()) } else { self.install(part) }
    }
}
