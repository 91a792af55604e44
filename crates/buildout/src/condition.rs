//! The conditions of sections: markers as Python packages use them, and the Python expressions that profiles use.
//!
//! Expressions are decided here as far as a table of names goes, so that nearly no profile has to start a Python; what
//! is beyond the table is never guessed, and the interpreter that it is about decides it.

mod ask;
mod evaluate;
mod expression;
mod python;
mod value;

use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder, MarkerTree, VerbatimUrl};

use expression::Expression;
use host::python::{Facts, Interpreter};

use crate::marker_text;

/// Why a condition cannot be read or decided.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Longer conditions are refused: what reads and evaluates them calls itself.
const LONGEST: usize = 10_000;
/// Markers with more parentheses are left to the evaluator of expressions, which knows how deep it goes.
const MOST_PARENTHESES: usize = 60;

/// A condition that was read.
pub(crate) enum Condition {
    Marker(MarkerTree),
    Expression(Expression),
}

/// Why a condition cannot be decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConditionError {
    #[error("it is neither a marker nor an expression: {0}")]
    Syntax(String),
    #[error("`{0}` is not among the names that conditions know")]
    Name(String),
    /// A use of known names that only Python knows.
    #[error("{0}")]
    Beyond(String),
    #[error("{0}")]
    Meaning(String),
    #[error("Python refuses it: {0}")]
    Python(String),
}

/// Whether the condition `text` holds for an interpreter and its machine.
pub(crate) fn decide(text: &str, interpreter: &Interpreter) -> Result<bool, Cause> {
    let decided = Condition::parse(text).and_then(|condition| condition.holds(interpreter.facts()));
    decided.or_else(|cause| match cause.downcast::<ConditionError>() {
        Ok(error) if error.is_beyond_us() => ask::ask(text, interpreter, *error),
        Ok(error) => Err(error),
        Err(cause) => Err(cause),
    })
}

impl ConditionError {
    /// Whether Python may know better.
    fn is_beyond_us(&self) -> bool {
        match self {
            Self::Syntax(_) | Self::Name(_) | Self::Beyond(_) => true,
            Self::Meaning(_) | Self::Python(_) => false,
        }
    }
}

impl Condition {
    /// Reads a marker or, failing that, an expression.
    pub(crate) fn parse(text: &str) -> Result<Self, Cause> {
        if text.len() > LONGEST {
            let message = format!("it has more than {LONGEST} letters");
            return Err(ConditionError::Meaning(message).into());
        }
        // Every marker compares; a lone name is an expression, and must not be looked for among the extras.
        let may_be_marker =
            text.contains(['"', '\'']) && !has_call(text) && marker_text::obstacle(text).is_none();
        if may_be_marker && let Ok(marker) = MarkerTree::parse_str::<VerbatimUrl>(text) {
            return Ok(Self::Marker(marker));
        }
        Ok(Self::Expression(expression::parse(text)?))
    }

    /// Whether it holds for an interpreter and its machine.
    pub(crate) fn holds(&self, facts: &Facts) -> Result<bool, Cause> {
        match self {
            Self::Marker(marker) => Ok(marker.evaluate(&environment(facts)?, &[])),
            Self::Expression(expression) => Ok(evaluate::evaluate(expression, facts)?.is_true()),
        }
    }
}

/// Whether something is called in it, which no marker does.
fn has_call(text: &str) -> bool {
    let mut before = text;
    let mut count = 0;
    while let Some((earlier, _)) = before.rsplit_once('(') {
        before = earlier;
        count += 1;
        let word = before.trim_end().rsplit(|letter: char| !letter.is_alphanumeric() && letter != '_');
        let word = word.into_iter().next().unwrap_or_default();
        if count > MOST_PARENTHESES || !matches!(word, "" | "and" | "or" | "not" | "in") {
            return true;
        }
    }
    false
}

fn environment(facts: &Facts) -> Result<MarkerEnvironment, Cause> {
    let marker = |name: &str| facts.markers.get(name).map_or("", String::as_str);
    let builder = MarkerEnvironmentBuilder {
        implementation_name: marker("implementation_name"),
        implementation_version: marker("implementation_version"),
        os_name: marker("os_name"),
        platform_machine: marker("platform_machine"),
        platform_python_implementation: marker("platform_python_implementation"),
        platform_release: marker("platform_release"),
        platform_system: marker("platform_system"),
        platform_version: marker("platform_version"),
        python_full_version: marker("python_full_version"),
        python_version: marker("python_version"),
        sys_platform: marker("sys_platform"),
    };
    Ok(MarkerEnvironment::try_from(builder)?)
}

/// What a usual interpreter on a usual machine says of itself, to try conditions with.
pub(crate) fn example_facts() -> Facts {
    let markers = [
        ("implementation_name", "cpython"),
        ("implementation_version", "3.11.2"),
        ("os_name", "posix"),
        ("platform_machine", "x86_64"),
        ("platform_python_implementation", "CPython"),
        ("platform_release", "6.1.0-18-amd64"),
        ("platform_system", "Linux"),
        ("platform_version", "#1 SMP"),
        ("python_full_version", "3.11.2"),
        ("python_version", "3.11"),
        ("sys_platform", "linux"),
    ];
    Facts {
        executable: "/usr/bin/python3".into(),
        version: "3.11.2".to_owned(),
        major: 3,
        minor: 11,
        prefix: "/usr".into(),
        site_directories: Vec::new(),
        platform: "linux-x86_64".to_owned(),
        extension_suffix: None,
        glibc: None,
        release_level: ("final".to_owned(), 0),
        bits: 64,
        big_endian: false,
        markers: markers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    }
}

#[cfg(test)]
mod tests;
