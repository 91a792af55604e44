//! How a software release wants its parameters written, and the forms in which people give them.

use serde_json::{Value as Json, json};
use slap::wire::instance_xml;
use slap::{Parameters, SoftwareUrl, Value};

use crate::env::Environment;
use crate::failure::{Failure, Kind};

/// How parameters are written on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Serialisation {
    /// One element for each parameter.
    Xml,
    /// One parameter `_` that holds a JSON object.
    JsonInXml,
}

/// What a release on this machine says of itself in the file `<profile>.json`; those that say nothing, and those of
/// other machines, are taken to want the first form.
pub(crate) fn of_release(release: &SoftwareUrl, software_type: Option<&str>) -> Serialisation {
    let path = release.as_str().strip_prefix("file://").unwrap_or(release.as_str());
    let description = fs_err::read_to_string(format!("{path}.json")).unwrap_or_default();
    let description: Json = serde_json::from_str(&description).unwrap_or_default();
    let of_type =
        description.pointer(&format!("/software-type/{}/serialisation", software_type.unwrap_or("default")));
    match of_type.or_else(|| description.get("serialisation")).and_then(Json::as_str) {
        Some("json-in-xml") => Serialisation::JsonInXml,
        _ => Serialisation::Xml,
    }
}

/// Puts the parameters into the one parameter `_`, unless they already are.
pub(crate) fn wrapped(parameters: Parameters) -> Parameters {
    if parameters.len() == 1 && parameters.contains_key("_") {
        return parameters;
    }
    let json = Json::from(Value::Map(parameters));
    Parameters::from([("_".to_owned(), Value::Text(format!("{json:#}")))])
}

/// The object inside the one parameter `_`; anything else as it is.
pub(crate) fn unwrapped(connection: Json) -> Json {
    let inner = connection.get("_").and_then(Json::as_str).and_then(|text| serde_json::from_str(text).ok());
    inner.unwrap_or(connection)
}

/// Reads `name=value` pairs.
pub(crate) fn pairs(option: &str, pairs: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let mut found: Vec<(String, String)> = Vec::new();
    for pair in pairs {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            Failure::new(Kind::Usage, format!("{option}: `{pair}` is not a pair"))
                .hint("write name=value")
                .code("E-usage")
        })?;
        if found.iter().any(|(known, _)| known == name) {
            return Err(Failure::new(
                Kind::Usage,
                format!("{option}: there is more than one value for `{name}`"),
            )
            .hint("give one of them")
            .code("E-usage"));
        }
        found.push((name.to_owned(), value.to_owned()));
    }
    Ok(found)
}

/// Reads a file of parameters: XML by its extension, else JSON.
pub(crate) fn from_file(
    environment: &Environment,
    path: &str,
    serialisation: Serialisation,
) -> Result<Parameters, Failure> {
    let path = environment.absolute(path);
    let refused = |because: String, hint: &str| {
        Failure::new(Kind::Failed, format!("cannot read the parameters in {path}"))
            .because(because)
            .hint(hint)
            .code("E-parameters-file")
    };
    let text =
        fs_err::read_to_string(&path).map_err(|error| refused(error.to_string(), "correct the path"))?;
    match path.extension() {
        Some("xml") => {
            // Pasted from another request as it is, hence never wrapped.
            let texts = instance_xml::read(&text).map_err(|error| {
                refused(
                    error.to_string(),
                    "it must be an <instance> of <parameter id=\"NAME\">VALUE</parameter>",
                )
            })?;
            Ok(instance_xml::as_parameters(&texts))
        }
        Some("yaml" | "yml") => Err(refused("YAML is not read".to_owned(), "write the same as JSON")),
        _ => {
            let json: Json = serde_json::from_str(&text)
                .map_err(|error| refused(error.to_string(), "it must be one JSON object"))?;
            match Value::from(json) {
                Value::Map(parameters) if serialisation == Serialisation::JsonInXml => {
                    Ok(wrapped(parameters))
                }
                Value::Map(parameters) => Ok(parameters),
                _ => Err(refused("it is no JSON object".to_owned(), "it must be one JSON object")),
            }
        }
    }
}

/// The classic look of connection parameters: a Python dictionary, on one line if it fits 80 columns.
pub(crate) fn as_python(parameters: &Json) -> String {
    let Json::Object(fields) = parameters else { return python_value(parameters) };
    let mut items: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}: {}", python_value(&json!(name)), python_value(value)))
        .collect();
    items.sort();
    let line = format!("{{{}}}", items.join(", "));
    if line.chars().count() <= 80 { line } else { format!("{{{}}}", items.join(",\n ")) }
}

fn python_value(value: &Json) -> String {
    match value {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => {
            let escaped =
                text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t").replace('\r', "\\r");
            if text.contains('\'') && !text.contains('"') {
                format!("\"{escaped}\"")
            } else {
                format!("'{}'", escaped.replace('\'', "\\'"))
            }
        }
        Json::Array(items) => format!("[{}]", items.iter().map(python_value).collect::<Vec<_>>().join(", ")),
        Json::Object(_) => as_python(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_wrapped_once() {
        let parameters = Parameters::from([("a".to_owned(), Value::Int(1))]);

        let once = wrapped(parameters);

        assert_eq!(once["_"].as_text(), Some("{\n  \"a\": 1\n}"));
        assert_eq!(wrapped(once.clone()), once);
        assert_eq!(unwrapped(json!({ "_": "{\"a\": 1}" })), json!({ "a": 1 }));
    }

    #[test]
    fn connection_parameters_look_as_python_prints_them() {
        assert_eq!(
            as_python(&json!({ "url": "http://x/", "it's": null })),
            r#"{"it's": None, 'url': 'http://x/'}"#
        );
        assert_eq!(as_python(&json!({})), "{}");
        let long = "x".repeat(60);
        assert_eq!(
            as_python(&json!({ "b": long, "a": "1", "c": "some more text" })),
            format!("{{'a': '1',\n 'b': '{long}',\n 'c': 'some more text'}}")
        );
    }

    #[test]
    fn repeated_and_malformed_pairs_are_refused() {
        let of = |words: &[&str]| {
            pairs("--parameters", &words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
        };

        assert_eq!(of(&["a=b=c"]).unwrap(), [("a".to_owned(), "b=c".to_owned())]);
        assert_eq!(of(&["a"]).unwrap_err().exit_code(), 2);
        assert_eq!(of(&["a=1", "a=2"]).unwrap_err().exit_code(), 2);
    }
}
