//! What the Python worker may ask of the engine while it serves a request.

use camino::Utf8PathBuf;
use indexmap::IndexMap;
use serde_json::{Value, json};

use super::{distributions, scripts};
use crate::engine::Engine;
use crate::fault::Fault;
use crate::{BuildError, Dialect, Download, DownloadError, Downloaded, Level, RecipeError};

/// What is collected while a request is served.
#[derive(Default)]
pub(super) struct Collected {
    /// Paths that the part created so far.
    pub(super) created: Vec<Utf8PathBuf>,
    /// Files that must stay until the build ends.
    pub(super) downloads: Vec<Downloaded>,
}

/// Why a question of the worker has no answer.
pub(super) enum Refusal {
    /// The engine's own error; it may come back.
    Engine(BuildError),
    /// Anything else, as text.
    Text(String),
}

impl From<BuildError> for Refusal {
    fn from(error: BuildError) -> Self {
        Self::Engine(error)
    }
}

impl From<RecipeError> for Refusal {
    fn from(error: RecipeError) -> Self {
        match error.into_engine() {
            Ok(error) => Self::Engine(error),
            Err(error) => {
                let mut text = error.to_string();
                let mut source = std::error::Error::source(&error);
                while let Some(cause) = source {
                    text.push('\n');
                    text.push_str(&cause.to_string());
                    source = cause.source();
                }
                Self::Text(text)
            }
        }
    }
}

impl Refusal {
    /// What the exception in the worker says.
    fn text(&self) -> String {
        match self {
            Self::Engine(error) => match error.fault() {
                Fault::Download(error) => error.classic(),
                _ => error.to_string(),
            },
            Self::Text(text) => text.clone(),
        }
    }

    /// What the exception in the worker holds: zc.buildout's own classes are given what they make their text of.
    pub(super) fn arguments(&self) -> Vec<String> {
        if let Self::Engine(error) = self {
            match error.fault() {
                Fault::UnknownSection { section, .. } => return vec![section.clone()],
                Fault::UnknownOption { section, option, .. } => {
                    let words = "Referenced option does not exist:".to_owned();
                    return vec![words, section.clone(), option.clone()];
                }
                _ => {}
            }
        }
        vec![self.text()]
    }

    /// The class of zc.buildout that the worker raises.
    pub(super) fn class(&self) -> &'static str {
        match self {
            Self::Engine(error) => match error.fault() {
                Fault::UnknownSection { .. } => "MissingSection",
                Fault::MissingOption { .. } | Fault::UnknownOption { .. } => "MissingOption",
                Fault::Download(DownloadError::Checksum(_)) => "ChecksumError",
                _ => "UserError",
            },
            Self::Text(_) => "UserError",
        }
    }
}

/// Answers one question.
pub(super) fn answer(
    engine: &mut Engine,
    question: &Value,
    collected: &mut Collected,
) -> Result<Value, Refusal> {
    let ask = question.get("ask").and_then(Value::as_str).unwrap_or_default();
    let text = |name: &str| question.get(name).and_then(Value::as_str).unwrap_or_default();
    let (section, option) = (text("section"), text("option"));
    match ask {
        "get" => Ok(json!(engine.read(section, option)?)),
        "set" => {
            engine.access(section, None)?;
            engine.set(section, option, text("value").to_owned());
            Ok(Value::Null)
        }
        "delete" => {
            engine.access(section, None)?;
            let known = engine.option_names(section).iter().any(|name| name == option);
            engine.remove(section, option);
            Ok(json!(known))
        }
        "keys" => {
            engine.access(section, None)?;
            Ok(json!(engine.option_names(section)))
        }
        "copy" => Ok(json!(engine.copy(section)?)),
        "access" => {
            engine.access(section, None)?;
            Ok(Value::Null)
        }
        "has" => Ok(json!(engine.table.contains(section))),
        "sections" => Ok(json!(engine.table.sections.keys().collect::<Vec<_>>())),
        "add_section" => {
            engine.add_section(section, options(question.get("options")))?;
            Ok(Value::Null)
        }
        "parse" => parse(engine, text("text")),
        "expand" => Ok(json!(engine.expand(section, "(text of the recipe)", text("text"))?)),
        "signature" if engine.dialect() == Dialect::Upstream => Ok(Value::Null),
        "signature" => Ok(json!(engine.freeze_signature(section)?)),
        "barrier" => {
            engine.barrier(section);
            Ok(Value::Null)
        }
        "flags" => Ok(json!({"offline": engine.is_offline(), "newest": engine.is_newest()})),
        "log" => {
            let number = question.get("level").and_then(Value::as_i64).unwrap_or(20);
            log(engine, number, text("logger"), text("text"));
            Ok(Value::Null)
        }
        "created" => {
            let paths = question.get("paths").and_then(Value::as_array).into_iter().flatten();
            collected.created.extend(paths.filter_map(Value::as_str).map(Utf8PathBuf::from));
            Ok(Value::Null)
        }
        "install" => distributions::install(engine, question),
        "build" => distributions::build(engine, question),
        "develop" => distributions::develop(engine, question),
        "egg_settings" => {
            let settings = engine.egg_settings()?;
            Ok(json!({
                "pins": settings.pins,
                "allow_picked_versions": settings.allow_picked_versions,
                "prefer_final": settings.prefer_final,
            }))
        }
        "download" => {
            let word = |name: &str| question.get(name).and_then(Value::as_str).map(str::to_owned);
            let flag = |name: &str| question.get(name).and_then(Value::as_bool);
            let download = Download {
                use_cache: flag("use_cache").unwrap_or(true),
                offline: flag("offline"),
                destination: word("path").map(Utf8PathBuf::from),
                ..Download::new(text("url")).md5(word("md5sum")).alternate_url(word("alternate_url"))
            };
            let downloaded = engine.download(&download)?;
            let answer = json!([downloaded.path(), downloaded.is_temporary()]);
            collected.downloads.push(downloaded);
            Ok(answer)
        }
        "scripts" => scripts::write(engine, question),
        "parts" => Ok(json!(engine.order)),
        other => Err(Refusal::Text(format!("the engine does not know the question `{other}`"))),
    }
}

fn options(value: Option<&Value>) -> IndexMap<String, String> {
    let pairs = value.and_then(Value::as_object).into_iter().flatten();
    pairs.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

/// Writes a record of Python's logging into the log of the build; the engine's own name is left out.
pub(super) fn log(engine: &Engine, number: i64, logger: &str, text: &str) {
    let level = match number {
        ..=19 => Level::Debug,
        20..=29 => Level::Info,
        30..=39 => Level::Warning,
        _ => Level::Error,
    };
    let logger =
        Some(logger).filter(|name| !matches!(*name, "" | "root") && !name.starts_with("zc.buildout"));
    engine.log(level, logger, text.to_owned());
}

/// The texts of a list that a question has.
pub(super) fn words(question: &Value, name: &str) -> Vec<String> {
    let words = question.get(name).and_then(Value::as_array).into_iter().flatten();
    words.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Adds the sections of a text in the profile language, then initialises those that are parts.
fn parse(engine: &mut Engine, text: &str) -> Result<Value, Refusal> {
    let text: std::sync::Arc<str> = text.into();
    let sections = crate::syntax::parse("(text of the recipe)", &text, &mut |_, _, _| Ok(true))?;
    for name in sections.keys() {
        if engine.table.contains(name) {
            return Err(Refusal::Text(format!("Section already exists: {name}")));
        }
    }
    let names: Vec<String> = sections.keys().cloned().collect();
    for (name, section) in sections {
        for (option, assignments) in section.options {
            if let Some(last) = assignments.into_iter().next_back() {
                engine.table.set_computed(&name, &option, last.value);
            }
        }
    }
    for name in names {
        if engine.table.history(&name, "recipe").is_some() {
            engine.access(&name, None)?;
        }
    }
    Ok(Value::Null)
}
