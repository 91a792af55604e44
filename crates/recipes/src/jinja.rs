//! Jinja2 templates as Python renders them, without Python.
//!
//! The `minijinja` crate reads the statements and runs them. What differs from Python is replaced: the expressions are
//! rewritten ([`statements`]), values are Python-like objects ([`objects`]), and only filters, tests and functions
//! whose result is known to be the same exist. Whatever is left is an error that names the construct: a template never
//! silently gives another text than Jinja2 would.

mod arguments;
mod builtins;
mod checks;
mod convert;
#[cfg(test)]
mod corpus;
mod dict_methods;
mod filters;
mod format_spec;
mod list_methods;
mod modules;
mod number;
mod objects;
mod operators;
mod order;
mod percent;
mod rewrite;
mod set_methods;
mod slice;
mod statements;
mod string_methods;
mod text;
mod tokens;

use std::collections::BTreeMap;
use std::sync::Mutex;

use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};

use statements::Sight;

pub(crate) use convert::from_option;
pub(crate) use modules::{hexadecimal, import};
pub(crate) use percent::format_names;

/// A text that is not a Jinja2 template, or uses syntax that only Python's engine reads.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {message}")]
pub(crate) struct SyntaxError {
    line: usize,
    message: String,
}

impl SyntaxError {
    fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }
}

/// Why a template was not rendered.
#[derive(Debug, thiserror::Error)]
#[error("{template}:{line}: {message}")]
pub(crate) struct RenderError {
    /// The file of the template, or `<inline>`.
    pub(crate) template: String,
    /// The line in it, from 1.
    pub(crate) line: usize,
    /// What is wrong there.
    pub(crate) message: String,
    /// Whether Python's own engine might render it nevertheless.
    pub(crate) may_be_ours: bool,
}

impl RenderError {
    /// The name that has no value, if that is what is wrong.
    pub(crate) fn undefined(&self) -> Option<&str> {
        self.message.strip_prefix('`')?.strip_suffix("` is undefined")
    }
}

/// Templates that others import, by the name they are imported under.
pub(crate) trait Loader: Send + Sync {
    /// The place and the text of the template; `None` when there is no such template.
    ///
    /// # Errors
    /// The reason why an existing template cannot be read.
    fn load(&self, name: &str) -> Result<Option<(String, String)>, String>;
}

/// The Jinja2 extensions that a template asks for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extensions {
    /// `jinja2.ext.do`
    pub(crate) do_statements: bool,
    /// `jinja2.ext.loopcontrols`
    pub(crate) loop_controls: bool,
}

/// One template to render.
pub(crate) struct Template<'a> {
    /// The file it comes from, or `<inline>`: used in messages.
    pub(crate) name: &'a str,
    /// Its text.
    pub(crate) source: &'a str,
    /// What it asks for.
    pub(crate) extensions: Extensions,
}

/// The names that templates know without a `context`, and which a context therefore cannot use.
pub(crate) fn is_builtin(name: &str) -> bool {
    name == "six" || builtins::globals().iter().any(|(builtin, _)| *builtin == name)
}

/// Adds a variable to a context. A name with dots becomes an attribute of a dictionary. `false` when the name is taken.
pub(crate) fn define(context: &mut Vec<(String, Value)>, name: &str, value: Value) -> bool {
    let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
    let present = context.iter().find(|(other, _)| other == first).map(|(_, value)| value.clone());
    let Some(rest) = rest else {
        if present.is_none() {
            context.push((name.to_owned(), value));
        }
        return present.is_none();
    };
    let root = present.unwrap_or_else(|| {
        let root = objects::Dict::value([]);
        context.push((first.to_owned(), root.clone()));
        root
    });
    define_inside(&root, rest, value)
}

fn define_inside(parent: &Value, path: &str, value: Value) -> bool {
    let Some(dict) = parent.downcast_object_ref::<objects::Dict>() else { return false };
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let key = Value::from(first);
    match (dict.get(&key), rest) {
        (Some(_), None) => false,
        (Some(child), Some(rest)) => define_inside(&child, rest, value),
        (None, None) => dict.change(|items| items.insert(key, value)).is_none(),
        (None, Some(rest)) => {
            let child = objects::Dict::value([]);
            dict.change(|items| items.insert(key, child.clone()));
            define_inside(&child, rest, value)
        }
    }
}

/// A JSON document as a template value.
pub(crate) fn from_json(document: &serde_json::Value) -> Value {
    modules::json::from_json(document)
}

/// The JSON text of an option's value as Python's `json.dumps` writes it, names sorted.
///
/// # Errors
/// A value that JSON has no form for.
pub(crate) fn to_json(value: &buildout::Value) -> Result<String, Error> {
    modules::json::dumps_sorted(&from_option(value), None)
}

/// Renders `template` with the variables `context`, its imports read through `loader`.
///
/// # Errors
/// The place and the reason of the first thing that Jinja2 refuses, or that cannot be done without Python.
pub(crate) fn render(
    template: &Template<'_>,
    context: Vec<(String, Value)>,
    loader: Box<dyn Loader>,
) -> Result<String, RenderError> {
    let Template { name, source, extensions } = *template;
    let syntax = |error: SyntaxError| RenderError {
        template: name.to_owned(),
        line: error.line,
        message: error.message,
        may_be_ours: true,
    };
    let rewritten = statements::rewrite_template(source, extensions, Sight::Context).map_err(syntax)?;
    let places = std::sync::Arc::new(Mutex::new(BTreeMap::from([(name.to_owned(), name.to_owned())])));
    let mut environment = environment();
    let known = std::sync::Arc::clone(&places);
    environment.set_loader(move |name| {
        let (alias, sight) = match name.strip_prefix(statements::WITHOUT_CONTEXT) {
            Some(alias) => (alias, Sight::Nothing),
            None => (name, Sight::Context),
        };
        let found = loader.load(alias).map_err(|reason| Error::new(ErrorKind::InvalidOperation, reason))?;
        let Some((place, source)) = found else { return Ok(None) };
        known.lock().expect("nothing panics while it holds the names").insert(name.to_owned(), place.clone());
        statements::rewrite_template(&source, extensions, sight)
            .map(Some)
            .map_err(|error| Error::new(ErrorKind::SyntaxError, format!("{place}:{error}")))
    });
    let locate = |error: &Error| {
        located(error, name, &places.lock().expect("nothing panics while it holds the names"))
    };
    let compiled = environment.template_from_named_str(name, &rewritten).map_err(|error| locate(&error))?;
    compiled.render(Value::from_pairs(context)).map_err(|error| locate(&error))
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    // Debug information is what names the undefined variable in a message.
    environment.set_debug(true);
    environment
        .set_formatter(|output, _, value| output.write_str(&text::display(value)).map_err(Error::from));
    environment.set_unknown_method_callback(string_methods::call);
    for (name, operator) in operators::OPERATORS {
        environment.add_global(name, Value::from_object(operators::Operator(operator)));
    }
    for (name, value) in builtins::globals() {
        environment.add_global(name, value);
    }
    environment.add_global("six", modules::import("six").expect("six is one of our modules"));
    filters::register(&mut environment);
    checks::register(&mut environment);
    environment
}

/// The deepest error that knows its place: an error inside an imported template is reported there.
fn located(error: &Error, name: &str, places: &BTreeMap<String, String>) -> RenderError {
    let mut deepest = error;
    while let Some(source) =
        std::error::Error::source(deepest).and_then(|source| source.downcast_ref::<Error>())
    {
        deepest = source;
    }
    let alias = deepest.name().or_else(|| error.name()).unwrap_or(name);
    let message = match (deepest.kind(), deepest.detail()) {
        (ErrorKind::UndefinedError, None) => "an undefined value is used".to_owned(),
        (ErrorKind::UnknownFunction, Some(detail)) => detail.replace(" is unknown", " is undefined"),
        (_, Some(detail)) => detail.replace([statements::WITHOUT_CONTEXT], ""),
        (kind, None) => kind.to_string(),
    };
    let message = message.replace(rewrite::UNSEEN, "");
    RenderError {
        template: places.get(alias).cloned().unwrap_or_else(|| alias.to_owned()),
        line: deepest.line().or_else(|| error.line()).unwrap_or(1),
        message,
        // A missing template may still be made by another part, and an undefined name is undefined to Python too.
        may_be_ours: !matches!(deepest.kind(), ErrorKind::UndefinedError | ErrorKind::TemplateNotFound),
    }
}
