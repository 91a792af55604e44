//! `slapos.recipe.template:jinja2`: writes a file from a Jinja2 template.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `url` | path or address of the template | this or `inline` |
//! | `inline` | text of the template | this or `url` |
//! | `template` | older form of both: a path, or `inline:` and the text | |
//! | `output`, or `rendered` | file to write; missing directories are created | required |
//! | `md5sum` | MD5 that the template must have, in hexadecimal; only with `url` | not checked |
//! | `mode` | mode of the file, in octal | executable if it starts with `#!` and a program that exists, less the umask |
//! | `context` | variables, one per line, see below | none |
//! | `import-list` | templates that this one may import, one per line, see below | none |
//! | `import-delimiter` | what separates an alias from a path inside its folder | `/` |
//! | `extensions` | `jinja2.ext.do`, `jinja2.ext.loopcontrols` | none |
//! | `encoding` | encoding of the files; only `utf-8` | `utf-8` |
//! | `once` | path of a marker: when it exists nothing is written; it is created after the first writing, and the file is never removed | |
//! | `update` | whether later builds render again: `true`, `false` | unless there is an `md5sum` or the text is in the profile |
//!
//! A line of `context` is a kind, a name and an expression:
//!
//! | kind | value |
//! |---|---|
//! | `raw NAME text` | the text |
//! | `key NAME section:option` | the option, typed; an empty section is the part's own |
//! | `json NAME document` | the JSON document |
//! | `jsonkey NAME section:option` | the JSON document in the option |
//! | `section NAME section` | a dictionary of the section's options |
//! | `import NAME module` | a Python module: `json`, `os`, `os.path`, `re`, `itertools`, `hashlib`, `base64`, `six`, `urllib`, `urllib.parse` |
//!
//! A name may have dots: `key configuration.port section:option` makes `{{ configuration.port }}` work.
//!
//! A line of `import-list` is `rawfile ALIAS path`, `file ALIAS section:option`, `rawfolder ALIAS path` or
//! `folder ALIAS section:option`. Templates know Python's built-in functions, `dumps`, `assert` and `six`. Undefined
//! names are errors. Values that the context names are read when the section is initialised, which builds their parts
//! first; the template is read and rendered at installation.
//!
//! What only Python can do, other modules for example, is left to the Python recipe of the same name, when the profile
//! pins `slapos.recipe.template` in `[versions]`.

use buildout::{
    Download, Level, OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section, Value as OptionValue,
};
use camino::{Utf8Path, Utf8PathBuf};

use crate::jinja::{self, Extensions, RenderError};
use crate::options::{filled, flag, mode};
use crate::output_file::refused;
use crate::slapos_recipe_template::{Source, source, text_of, write_output};

mod context;
mod imports;

use context::Context;
use imports::Imports;

/// The recipe.
#[derive(Debug)]
pub(crate) struct Jinja2Template;

struct Rendered {
    output: Utf8PathBuf,
    source: Source,
    md5: Option<String>,
    mode: Option<u32>,
    context: Context,
    imports: Imports,
    extensions: Extensions,
    once: Option<Utf8PathBuf>,
    renders_on_update: bool,
}

impl RecipeKind for Jinja2Template {
    fn names(&self) -> &'static [&'static str] {
        &["slapos.recipe.template:jinja2"]
    }

    fn summary(&self) -> &'static str {
        "writes a file from a Jinja2 template"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const {
            &[
                OptionDoc::optional("url", "path or address of the template"),
                OptionDoc::optional("inline", "text of the template"),
                OptionDoc::optional("template", "older form of both: a path, or `inline:` and the text"),
                OptionDoc::optional("output", "file to write"),
                OptionDoc::optional("rendered", "older name of `output`"),
                OptionDoc::optional("md5sum", "MD5 that the template must have, in hexadecimal"),
                OptionDoc::optional("mode", "mode of the file, in octal"),
                OptionDoc::optional("context", "variables, one per line: kind, name and expression"),
                OptionDoc::optional("import-list", "templates that this one may import, one per line"),
                OptionDoc::with_default(
                    "import-delimiter",
                    "what separates an alias from a path in its folder",
                    "/",
                ),
                OptionDoc::optional("extensions", "`jinja2.ext.do`, `jinja2.ext.loopcontrols`"),
                OptionDoc::with_default("encoding", "encoding of the files", "utf-8"),
                OptionDoc::optional("once", "marker: when it exists nothing is written"),
                OptionDoc::optional("update", "whether later builds render again"),
            ]
        }
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let native = rendered(section)?;
        let Some(reason) = native.needs_python(section) else { return Ok(Box::new(native)) };
        if !is_pinned(section)? {
            return native.without_python(reason);
        }
        section.log(Level::Debug, format!("rendered by Python: {reason}"));
        match section.python_recipe(self.names()[0]) {
            Ok(Some(recipe)) => Ok(recipe),
            Ok(None) => native.without_python(reason),
            Err(error) => Err(error),
        }
    }
}

/// Why a section cannot be served natively.
enum Reason {
    Module(String),
    Template(RenderError),
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Module(name) => write!(f, "the Python module `{name}` is imported"),
            Self::Template(error) => error.fmt(f),
        }
    }
}

/// Whether the profile says which Python recipe to use.
fn is_pinned(section: &mut Section<'_>) -> Result<bool, RecipeError> {
    let name = |text: &str| text.to_ascii_lowercase().replace(['_', '.'], "-");
    Ok(section.versions()?.keys().any(|pin| name(pin) == "slapos-recipe-template"))
}

fn rendered(section: &mut Section<'_>) -> Result<Rendered, RecipeError> {
    let output = output(section)?;
    check_encoding(section)?;
    let source = match older_source(section)? {
        Some(source) => source,
        None => source(section)?,
    };
    let md5 = filled(section, "md5sum")?;
    let is_fixed = md5.is_some() || matches!(source, Source::Inline(_));
    let once = filled(section, "once")?.map(|path| section.resolve(&path));
    Ok(Rendered {
        output,
        source,
        md5,
        mode: mode(section, "mode")?,
        context: Context::read(section)?,
        imports: Imports::read(section)?,
        extensions: extensions(section)?,
        once,
        renders_on_update: flag(section, "update")?.unwrap_or(false) || !is_fixed,
    })
}

fn output(section: &mut Section<'_>) -> Result<Utf8PathBuf, RecipeError> {
    let output = match filled(section, "output")? {
        Some(output) => Some(output),
        None => filled(section, "rendered")?,
    };
    let output = output.ok_or_else(|| {
        RecipeError::new("the option `output` is missing")
            .hint("add `output = …` with the path of the file to write")
    })?;
    Ok(section.resolve(&output))
}

fn check_encoding(section: &mut Section<'_>) -> Result<(), RecipeError> {
    let encoding = filled(section, "encoding")?.unwrap_or_default().to_ascii_lowercase().replace('_', "-");
    if matches!(encoding.as_str(), "" | "utf-8" | "utf8") {
        return Ok(());
    }
    Err(RecipeError::new(format!("the encoding `{encoding}` is not supported"))
        .option("encoding")
        .hint("convert the template to UTF-8 and remove the option"))
}

/// The template that the option `template` names, when there is neither `url` nor `inline`.
fn older_source(section: &mut Section<'_>) -> Result<Option<Source>, RecipeError> {
    if filled(section, "url")?.is_some() || filled(section, "inline")?.is_some() {
        return Ok(None);
    }
    let Some(template) = filled(section, "template")? else { return Ok(None) };
    Ok(Some(match template.strip_prefix("inline:") {
        Some(text) => Source::Inline(text.trim_start_matches(['\r', '\n']).to_owned()),
        None => Source::Url(template),
    }))
}

fn extensions(section: &mut Section<'_>) -> Result<Extensions, RecipeError> {
    let mut extensions = Extensions::default();
    for name in section.get("extensions")?.unwrap_or_default().split_whitespace() {
        match name {
            "jinja2.ext.do" => extensions.do_statements = true,
            "jinja2.ext.loopcontrols" => extensions.loop_controls = true,
            other => {
                return Err(RecipeError::new(format!("the Jinja2 extension `{other}` is not supported"))
                    .option("extensions")
                    .hint("`jinja2.ext.do` and `jinja2.ext.loopcontrols` are"));
            }
        }
    }
    Ok(extensions)
}

/// The three words of a line of `context` or `import-list`.
fn words<'a>(line: &'a str, option: &str) -> Result<[&'a str; 3], RecipeError> {
    let (kind, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim_start();
    let (name, expression) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let expression = expression.trim_start();
    if expression.is_empty() {
        return Err(RecipeError::new(format!("the line `{line}` is not a kind, a name and an expression"))
            .option(option)
            .hint("write a line such as `key port section:option`"));
    }
    Ok([kind, name, expression])
}

/// The value of `section:option`; an empty section is the part's own.
fn key(section: &mut Section<'_>, expression: &str, blamed: &str) -> Result<OptionValue, RecipeError> {
    let (name, option) = match expression.split_once(':') {
        Some((name, option)) if !option.contains(':') => (name, option),
        _ => {
            return Err(RecipeError::new(format!("`{expression}` is no `section:option`")).option(blamed));
        }
    };
    let own = section.name().to_owned();
    let name = if name.is_empty() { own.as_str() } else { name };
    // Reads with the engine's own message when the section or the option does not exist.
    section.require_other(name, option)?;
    Ok(section.other_value(name, option)?.unwrap_or(OptionValue::None))
}

impl Rendered {
    /// Why Python is needed, as far as that can be told before the parts are built.
    fn needs_python(&self, section: &Section<'_>) -> Option<Reason> {
        if let Some(module) = self.context.missing_module() {
            return Some(Reason::Module(module.to_owned()));
        }
        let text = match &self.source {
            Source::Inline(text) => text.clone(),
            // Another part may make the file later; then it is rendered natively or not at all.
            Source::Url(url) => fs_err::read_to_string(section.resolve(url)).ok()?,
        };
        self.render_text(&text).err().filter(|error| error.may_be_ours).map(Reason::Template)
    }

    /// What happens when Python is needed and not to be had.
    fn without_python(self, reason: Reason) -> Result<Box<dyn Recipe>, RecipeError> {
        match reason {
            // The error is reported when the part is built.
            Reason::Template(_) => Ok(Box::new(self)),
            Reason::Module(name) => {
                Err(RecipeError::new(format!("the Python module `{name}` is not available to templates"))
                    .option("context")
                    .hint("pin slapos.recipe.template in [versions], and Python renders the template"))
            }
        }
    }

    fn render_text(&self, text: &str) -> Result<String, RenderError> {
        let name = match &self.source {
            Source::Inline(_) => "<inline>",
            Source::Url(url) => url.as_str(),
        };
        let template = jinja::Template { name, source: text, extensions: self.extensions };
        jinja::render(&template, self.context.values(), Box::new(self.imports.clone()))
    }

    fn render(&self, part: &mut Part<'_>) -> Result<String, RecipeError> {
        let text = match &self.source {
            Source::Inline(text) => text.clone(),
            Source::Url(url) => {
                let file = part.download(&Download::new(url).md5(self.md5.clone()))?;
                text_of(file.path(), url)?
            }
        };
        self.render_text(&text).map_err(|error| {
            let hint = error.undefined().and_then(|name| self.context.hint_for(name));
            let hint = hint.unwrap_or_else(|| format!("correct line {} of {}", error.line, error.template));
            // What a template imports is in another file.
            let is_own = matches!(&self.source, Source::Url(url) if *url == error.template);
            let (file, line) = (error.template.clone(), error.line);
            let failed = RecipeError::new("the template cannot be rendered").because(error);
            let failed = if is_own { failed.shows(file, &text, line).option("url") } else { failed };
            failed.hint(hint).code("E-template")
        })
    }

    fn write(&self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        if self.once.as_deref().is_some_and(Utf8Path::exists) {
            return Ok(Vec::new());
        }
        let text = self.render(part)?;
        write_output(&self.output, &text, self.mode)?;
        let Some(marker) = &self.once else { return Ok(vec![self.output.clone()]) };
        host::files::open_to_append(marker, 0o666).map_err(|error| refused(marker, error))?;
        Ok(Vec::new())
    }
}

impl Recipe for Rendered {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.write(part)
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        if self.renders_on_update { self.write(part) } else { Ok(Vec::new()) }
    }
}
