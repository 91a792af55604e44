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

use buildout::{Download, OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section, Value as OptionValue};
use camino::{Utf8Path, Utf8PathBuf};
use minijinja::Value;

use crate::jinja::{self, Extensions};
use crate::options::{filled, flag, lines, mode};
use crate::output_file::refused;
use crate::slapos_recipe_template::{Source, source, text_of, write_output};

mod imports;

use imports::Imports;

/// The recipe.
#[derive(Debug)]
pub(crate) struct Jinja2Template;

struct Rendered {
    output: Utf8PathBuf,
    source: Source,
    md5: Option<String>,
    mode: Option<u32>,
    context: Vec<(String, Value)>,
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
        let output = output(section)?;
        check_encoding(section)?;
        let source = match older_source(section)? {
            Some(source) => source,
            None => source(section)?,
        };
        let md5 = filled(section, "md5sum")?;
        let is_fixed = md5.is_some() || matches!(source, Source::Inline(_));
        let once = filled(section, "once")?.map(|path| section.resolve(&path));
        Ok(Box::new(Rendered {
            output,
            source,
            md5,
            mode: mode(section, "mode")?,
            context: context(section)?,
            imports: Imports::read(section)?,
            extensions: extensions(section)?,
            once,
            renders_on_update: flag(section, "update")?.unwrap_or(false) || !is_fixed,
        }))
    }
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

fn context(section: &mut Section<'_>) -> Result<Vec<(String, Value)>, RecipeError> {
    let mut context: Vec<(String, Value)> = Vec::new();
    let text = section.get("context")?.unwrap_or_default();
    for line in lines(&text) {
        let [kind, name, expression] = words(line, "context")?;
        let value = variable(section, kind, expression)?;
        let is_known = jinja::is_builtin(name) || !jinja::define(&mut context, name, value);
        if is_known {
            return Err(RecipeError::new(format!("Duplicate context entry '{name}'"))
                .option("context")
                .hint("give the variable another name"));
        }
    }
    Ok(context)
}

fn variable(section: &mut Section<'_>, kind: &str, expression: &str) -> Result<Value, RecipeError> {
    match kind {
        "raw" => Ok(Value::from(expression)),
        "key" => Ok(jinja::from_option(&key(section, expression, "context")?)),
        "json" => json(expression),
        "jsonkey" => match key(section, expression, "context")? {
            OptionValue::Str(text) => json(&text),
            other => Err(RecipeError::new(format!("{expression} is not text but a {}", other.type_name()))
                .option("context")),
        },
        "section" => {
            let options = section.section(expression)?;
            let mut entries = Vec::new();
            for (name, _) in
                options.iter().filter(|(name, _)| !matches!(name.as_str(), "<" | "_buildout_section_name_"))
            {
                let value = section.other_value(expression, name)?.unwrap_or(OptionValue::None);
                entries.push((OptionValue::Str(name.clone()), value));
            }
            Ok(jinja::from_option(&OptionValue::Dict(entries)))
        }
        "import" => jinja::import(expression).ok_or_else(|| {
            RecipeError::new(format!("the Python module `{expression}` is not available to templates"))
                .option("context")
                .hint(
                    "compute the value elsewhere, for example with slapos.recipe.build, and pass it by `key`",
                )
        }),
        other => Err(RecipeError::new(format!("`{other}` is no kind of variable"))
            .option("context")
            .hint("the kinds are raw, key, json, jsonkey, section and import")),
    }
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

fn json(text: &str) -> Result<Value, RecipeError> {
    jinja::parse_json(text).map_err(|error| {
        RecipeError::new(format!("`{text}` is no JSON document")).because(error).option("context")
    })
}

impl Rendered {
    fn render(&self, part: &mut Part<'_>) -> Result<String, RecipeError> {
        let (name, text) = match &self.source {
            Source::Inline(text) => ("<inline>", text.clone()),
            Source::Url(url) => {
                let file = part.download(&Download::new(url).md5(self.md5.clone()))?;
                (url.as_str(), text_of(file.path(), url)?)
            }
        };
        let template = jinja::Template { name, source: &text, extensions: self.extensions };
        jinja::render(&template, self.context.clone(), Box::new(self.imports.clone())).map_err(|error| {
            let hint = format!("correct line {} of {}", error.line, error.template);
            RecipeError::new("the template cannot be rendered").because(error).hint(hint).code("E-template")
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
