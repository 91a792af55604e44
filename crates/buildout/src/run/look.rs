//! Looking at what a build would do, without doing any of it: the profile is read and sections are initialised, but
//! nothing is written, fetched or run. Recipes in Python are not asked; their sections are taken to offer what the
//! record says that they offered last time.

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use serde_json::Value;

use super::install::{Options, call, initialise_parts};
use super::{conducts, rebootstrap};
use crate::engine::{Activity, Conducts, Engine};
use crate::installed::Installed;
use crate::plan::{Plan, Wanted, plan};
use crate::{BuildError, Dialect, Event, Fault, Outcome, Settings, load};

/// What a build would start from.
pub(super) struct Look {
    pub(super) recorded: Installed,
    /// The parts that are wanted, in the order of their installation, with what would be recorded of them.
    pub(super) parts: IndexMap<String, Options>,
    keeps_others: bool,
    checks_signatures: bool,
}

impl Look {
    /// Looks at the parts that the profile wants, or at `only` those.
    pub(super) fn new(
        engine: &mut Engine,
        settings: &mut Settings,
        only: &[String],
    ) -> Result<Self, BuildError> {
        engine.doing(Activity::Plain("Planning."), |engine| {
            let mut recorded = recorded(engine)?;
            let first = rebootstrap::recorded(engine)?;
            let conducts = conducts(engine)?;
            let mut of_both = recorded.clone();
            of_both.parts.extend(first.parts.clone());
            engine.only_look(of_both.clone(), conducts.clone())?;
            let goes_on = rebootstrap::look(engine, settings)?;
            if goes_on {
                load::load(engine, settings)?;
                load::initialise_buildout(engine, settings)?;
                engine.only_look(of_both.clone(), conducts)?;
                rebootstrap::require_python(engine)?;
            }
            for hook in &mut settings.hooks {
                call(engine, |build| hook.before_parts(build))?;
            }
            let parts = initialise_parts(engine, settings, only)?;
            if goes_on {
                let news = |part: &str| !recorded.parts.contains_key(part);
                let inherited = rebootstrap::wanted_alike(&first.parts, &parts, &news);
                recorded.parts.extend(inherited);
            } else {
                recorded = of_both;
            }
            let checks_signatures = engine.flag("check-signature", true)?;
            Ok(Self { recorded, parts, keeps_others: !only.is_empty(), checks_signatures })
        })
    }

    pub(super) fn plan(&self, engine: &Engine) -> Plan {
        let wanted = Wanted {
            parts: &self.parts,
            keep_others: self.keeps_others,
            check_signatures: self.checks_signatures,
        };
        plan(&self.recorded, &wanted, &|path| engine.directory().join(path).exists())
    }
}

/// For which Python conditions count, when the build makes one of its own and goes on with that: the made one if it is
/// there, else that of the machine. The profile is read for it; `None` where there is nothing to tell.
pub(super) fn settle_conditions(
    engine: &mut Engine,
    settings: &mut Settings,
) -> Result<Option<String>, BuildError> {
    if engine.conditions.is_empty() || !rebootstrap::is_wanted(engine)? {
        return Ok(None);
    }
    let recorded = recorded(engine)?;
    let conducts = conducts(engine)?;
    engine.only_look(recorded, conducts)?;
    // A section that cannot be expanded is no reason not to show the options as they are.
    let is_made = rebootstrap::look(engine, settings).unwrap_or(false);
    engine.restart(settings);
    load::load(engine, settings)?;
    load::initialise_buildout(engine, settings)?;
    let path = engine.default_python()?;
    Ok(Some(match is_made {
        true => format!("Conditions are decided for {path}, the Python that the build makes."),
        false => format!("Conditions are decided for {path}: the build has not made its own Python yet."),
    }))
}

fn conducts(engine: &mut Engine) -> Result<Conducts, BuildError> {
    Ok(conducts::load(Utf8Path::new(&engine.require("buildout", "installed")?)))
}

fn recorded(engine: &mut Engine) -> Result<Installed, BuildError> {
    let path = engine.require("buildout", "installed")?;
    if path.is_empty() { Ok(Installed::default()) } else { Ok(Installed::load(&Utf8PathBuf::from(path))?.0) }
}

/// The words behind a command that looks.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// The words that are no options.
    pub(super) names: Vec<String>,
    pub(super) is_json: bool,
    /// What `--format` says.
    pub(super) format: Option<String>,
    pub(super) profiles: bool,
}

impl Words {
    /// Understands the words of a command that zc.buildout has, too: in its dialect they are all names.
    pub(super) fn of_classic(dialect: Dialect, words: &[String]) -> Result<Self, BuildError> {
        match dialect {
            Dialect::Slapos => Self::parse(words, false),
            Dialect::Upstream => Ok(Self { names: words.to_vec(), ..Self::default() }),
        }
    }

    /// Understands `--output FORM`, and what `graph` takes besides.
    pub(super) fn parse(words: &[String], is_graph: bool) -> Result<Self, BuildError> {
        let mut parsed = Self::default();
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let (name, attached) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value)),
                _ => (word, None),
            };
            match name {
                "--output" | "--format" if is_graph || name == "--output" => {
                    let value = attached.or_else(|| words.next()).unwrap_or_default();
                    match (name, value) {
                        ("--output", "json") => parsed.is_json = true,
                        ("--output", "table" | "plain") => parsed.is_json = false,
                        ("--format", "dot" | "svg" | "json") => parsed.format = Some(value.to_owned()),
                        ("--format", _) => return Err(usage(format!("--format {value}: dot, svg or json"))),
                        _ => return Err(usage(format!("--output {value}: table, plain or json"))),
                    }
                }
                "--profiles" if is_graph => parsed.profiles = true,
                "--parts" if is_graph => parsed.profiles = false,
                _ if word.starts_with('-') => return Err(usage(format!("Invalid option {word}"))),
                _ => parsed.names.push(word.to_owned()),
            }
        }
        Ok(parsed)
    }
}

fn usage(text: String) -> BuildError {
    Fault::Usage(text).into()
}

/// Prints the answer.
pub(super) fn show(engine: &Engine, text: String) -> Outcome {
    engine.sink().event(Event::Text { text });
    Outcome::default()
}

/// Prints the answer as a document.
pub(super) fn show_document(engine: &Engine, document: &Value) -> Outcome {
    show(engine, format!("{document:#}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str, is_graph: bool) -> Result<Words, String> {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        Words::parse(&words, is_graph).map_err(|error| error.to_string())
    }

    #[test]
    fn options_of_looking_commands_mix_with_names() {
        let words = parse("a --output json b", false).unwrap();
        assert_eq!((words.names, words.is_json), (vec!["a".to_owned(), "b".to_owned()], true));
        let words = parse("--format=svg --profiles", true).unwrap();
        assert_eq!((words.format.as_deref(), words.profiles), (Some("svg"), true));
        assert_eq!(parse("--format svg", false).unwrap_err(), "Invalid option --format");
        assert_eq!(parse("--output xml", false).unwrap_err(), "--output xml: table, plain or json");
    }
}
