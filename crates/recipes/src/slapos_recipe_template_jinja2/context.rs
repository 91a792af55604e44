//! The option `context`: the variables of a template.

use buildout::{RecipeError, Section, Value as OptionValue};
use minijinja::Value;

use super::{key, words};
use crate::jinja;
use crate::options::lines;

/// Variables by name. Templates may change what they get, so every rendering gets values of its own.
pub(super) struct Context(Vec<(String, Variable)>);

enum Variable {
    Option(OptionValue),
    Json(serde_json::Value),
    Module(String),
}

impl Variable {
    fn value(&self) -> Value {
        match self {
            Self::Option(value) => jinja::from_option(value),
            Self::Json(document) => jinja::from_json(document),
            Self::Module(name) => jinja::import(name).unwrap_or(Value::UNDEFINED),
        }
    }
}

impl Context {
    /// Reads the option, and with it the sections that it names.
    pub(super) fn read(section: &mut Section<'_>) -> Result<Self, RecipeError> {
        let mut variables: Vec<(String, Variable)> = Vec::new();
        let mut defined = Vec::new();
        let text = section.get("context")?.unwrap_or_default();
        for line in lines(&text) {
            let [kind, name, expression] = words(line, "context")?;
            let variable = variable(section, kind, expression)?;
            if jinja::is_builtin(name) || !jinja::define(&mut defined, name, variable.value()) {
                return Err(RecipeError::new(format!("Duplicate context entry '{name}'"))
                    .option("context")
                    .hint("give the variable another name"));
            }
            variables.push((name.to_owned(), variable));
        }
        Ok(Self(variables))
    }

    /// The first imported module that needs Python.
    pub(super) fn missing_module(&self) -> Option<&str> {
        self.0.iter().find_map(|(_, variable)| match variable {
            Variable::Module(name) if jinja::import(name).is_none() => Some(name.as_str()),
            _ => None,
        })
    }

    /// What to do about a name that the template uses and that has no value, when there are variables at all.
    pub(super) fn hint_for(&self, unknown: &str) -> Option<String> {
        let names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        match buildout::nearest(unknown, names.iter().copied()).as_slice() {
            [near, ..] => Some(format!("did you mean `{near}`?")),
            [] if names.is_empty() => None,
            [] => Some(format!(
                "`context` has {}; add a line to it, such as `key {unknown} section:option`",
                names.join(", ")
            )),
        }
    }

    /// The variables as a template gets them.
    pub(super) fn values(&self) -> Vec<(String, Value)> {
        let mut values = Vec::with_capacity(self.0.len());
        for (name, variable) in &self.0 {
            jinja::define(&mut values, name, variable.value());
        }
        values
    }
}

fn variable(section: &mut Section<'_>, kind: &str, expression: &str) -> Result<Variable, RecipeError> {
    match kind {
        "raw" => Ok(Variable::Option(OptionValue::from(expression))),
        "key" => key(section, expression, "context").map(Variable::Option),
        "json" => json(expression),
        "jsonkey" => match key(section, expression, "context")? {
            OptionValue::Str(text) => json(&text),
            other => {
                let message = format!("{expression} is not text but a {}", other.type_name());
                Err(RecipeError::new(message).option("context"))
            }
        },
        "section" => section_options(section, expression).map(Variable::Option),
        "import" => Ok(Variable::Module(expression.to_owned())),
        other => Err(RecipeError::new(format!("`{other}` is no kind of variable"))
            .option("context")
            .hint("the kinds are raw, key, json, jsonkey, section and import")),
    }
}

fn section_options(section: &mut Section<'_>, name: &str) -> Result<OptionValue, RecipeError> {
    let options = section.section(name)?;
    let mut entries = Vec::new();
    for option in options.keys().filter(|option| !matches!(option.as_str(), "<" | "_buildout_section_name_"))
    {
        let value = section.other_value(name, option)?.unwrap_or(OptionValue::None);
        entries.push((OptionValue::Str(option.clone()), value));
    }
    Ok(OptionValue::Dict(entries))
}

fn json(text: &str) -> Result<Variable, RecipeError> {
    serde_json::from_str(text).map(Variable::Json).map_err(|error| {
        RecipeError::new(format!("`{text}` is no JSON document")).because(error).option("context")
    })
}
