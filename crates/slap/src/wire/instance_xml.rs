//! The document in which parameters, published parameters and constraints are stored and shown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::marshal::Marshalled;
use super::{WireError, xml};
use crate::value::{Parameters, Value};

/// Parameters as a stand-alone master keeps them: texts by name. An empty text and nothing are the same.
pub type TextParameters = BTreeMap<String, String>;

/// Turns a marshalled mapping into texts, as `str()` of Python does with each key and value.
///
/// # Errors
/// A value that is no mapping (nothing counts as an empty one).
pub fn stringify(value: &Marshalled) -> Result<TextParameters, WireError> {
    match value {
        Marshalled::None => Ok(TextParameters::new()),
        Marshalled::Map(entries) => {
            Ok(entries.iter().map(|(key, value)| (key.python_str(), value.python_str())).collect())
        }
        _ => Err(WireError::unexpected("the parameters are not a mapping")),
    }
}

/// The parameters that a client reads: texts, and nothing for the empty ones.
#[must_use]
pub fn as_parameters(texts: &TextParameters) -> Parameters {
    texts
        .iter()
        .map(|(name, text)| {
            (name.clone(), if text.is_empty() { Value::None } else { Value::Text(text.clone()) })
        })
        .collect()
}

/// Writes the document.
///
/// # Errors
/// A text with a character that XML cannot carry.
pub fn write(parameters: &TextParameters) -> Result<String, WireError> {
    let mut output = String::from("<?xml version='1.0' encoding='utf-8'?>\n<instance");
    if parameters.is_empty() {
        output.push_str("/>\n");
        return Ok(output);
    }
    output.push_str(">\n");
    for (name, text) in parameters {
        output.push_str("  <parameter id=\"");
        escape(name, true, &mut output)?;
        output.push_str("\">");
        escape(text, false, &mut output)?;
        output.push_str("</parameter>\n");
    }
    output.push_str("</instance>\n");
    Ok(output)
}

/// Reads the document; an empty text is an empty set.
///
/// # Errors
/// A document that is not well-formed.
pub fn read(document: &str) -> Result<TextParameters, WireError> {
    let mut parameters = TextParameters::new();
    if document.trim().is_empty() {
        return Ok(parameters);
    }
    let root = xml::parse(document)?;
    for element in root.children.into_iter().filter(|element| element.name == "parameter") {
        let Some(name) = element.attribute("id").map(str::to_owned) else { continue };
        parameters
            .entry(name)
            .and_modify(|present: &mut String| {
                let _ = write!(present, " {}", element.text);
            })
            .or_insert(element.text);
    }
    Ok(parameters)
}

fn escape(text: &str, is_attribute: bool, output: &mut String) -> Result<(), WireError> {
    xml::check(text)?;
    for character in text.chars() {
        match character {
            '&' => output.push_str("&amp;"),
            '<' => output.push_str("&lt;"),
            '>' => output.push_str("&gt;"),
            '\r' => output.push_str("&#13;"),
            '"' if is_attribute => output.push_str("&quot;"),
            '\n' if is_attribute => output.push_str("&#10;"),
            '\t' if is_attribute => output.push_str("&#9;"),
            _ => output.push(character),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_written_as_the_reference_writes_it() {
        let parameters = TextParameters::from([
            ("url".to_owned(), "http://a/?b&c".to_owned()),
            ("domain".to_owned(), "example.org".to_owned()),
            ("e".to_owned(), String::new()),
        ]);

        let written = write(&parameters).unwrap();

        assert_eq!(
            written,
            "<?xml version='1.0' encoding='utf-8'?>\n<instance>\n  <parameter id=\"domain\">example.org</parameter>\n  \
             <parameter id=\"e\"></parameter>\n  <parameter id=\"url\">http://a/?b&amp;c</parameter>\n</instance>\n"
        );
        assert_eq!(read(&written).unwrap(), parameters);
        assert_eq!(
            write(&TextParameters::new()).unwrap(),
            "<?xml version='1.0' encoding='utf-8'?>\n<instance/>\n"
        );
    }

    #[test]
    fn repeated_names_are_joined_and_strangers_ignored() {
        let read = read(
            "<instance><parameter id=\"a\">1</parameter><x/><parameter id=\"a\">2</parameter></instance>",
        )
        .unwrap();

        assert_eq!(read, TextParameters::from([("a".to_owned(), "1 2".to_owned())]));
    }

    #[test]
    fn an_empty_text_comes_back_as_nothing() {
        let texts =
            stringify(&Marshalled::map([("e", Marshalled::text("")), ("n", Marshalled::Int(3))])).unwrap();

        let parameters = as_parameters(&texts);

        assert_eq!(parameters["e"], Value::None);
        assert_eq!(parameters["n"], Value::from("3"));
    }
}
