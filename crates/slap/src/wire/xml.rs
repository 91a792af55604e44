//! Reads small XML documents into trees, and escapes what is written. Nothing is ever fetched or expanded.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::WireError;

/// Deeper documents are refused, so that no reader of a tree can exhaust its stack.
const MAXIMUM_DEPTH: usize = 200;

/// Documents of more elements are refused: ten thousand partitions need less.
const MAXIMUM_ELEMENTS: usize = 1_000_000;

/// An element with what it directly contains.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<Self>,
    /// The character data directly inside, joined.
    pub(super) text: String,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a document and returns its root.
pub(super) fn parse(document: &str) -> Result<Element, WireError> {
    let mut reader = Reader::from_str(document);
    // The element in front collects the root as its child; whatever else is outside the root is an error.
    let mut open = vec![Element::default()];
    let mut budget = MAXIMUM_ELEMENTS;
    loop {
        match reader.read_event().map_err(not_xml)? {
            Event::Start(start) => {
                if open.len() > MAXIMUM_DEPTH {
                    return Err(WireError::TooLarge);
                }
                open.push(element(&start, &mut budget)?);
            }
            Event::Empty(start) => attach(&mut open, element(&start, &mut budget)?)?,
            Event::End(_) => {
                let Some(closed) = open.pop() else { break };
                attach(&mut open, closed)?;
            }
            Event::Text(text) => append(&mut open, &text.xml10_content())?,
            Event::CData(text) => append(&mut open, &text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref().map_err(not_xml)? {
                    Some(character) => character,
                    None => named_entity(&reference)?,
                };
                append(&mut open, character.encode_utf8(&mut [0; 4]))?;
            }
            Event::DocType(_) => return Err(WireError::unexpected("a document type is not allowed")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    let Some(outside) = open.pop().filter(|_| open.is_empty()) else {
        return Err(WireError::NotXml("an element is not closed".to_owned()));
    };
    if !outside.text.trim().is_empty() {
        return Err(WireError::NotXml("there is text outside the root element".to_owned()));
    }
    let mut roots = outside.children.into_iter();
    match (roots.next(), roots.next()) {
        (Some(root), None) => Ok(root),
        (None, _) => Err(WireError::NotXml("there is no root element".to_owned())),
        (Some(_), Some(_)) => Err(WireError::NotXml("there is more than one root element".to_owned())),
    }
}

fn not_xml(error: impl std::fmt::Display) -> WireError {
    WireError::NotXml(error.to_string())
}

fn element(start: &BytesStart<'_>, budget: &mut usize) -> Result<Element, WireError> {
    *budget = budget.checked_sub(1).ok_or(WireError::TooLarge)?;
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(not_xml)?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(not_xml)?.into_owned();
        check(&value)?;
        attributes.push((attribute.key.as_ref().to_owned(), value));
    }
    Ok(Element { name: start.name().as_ref().to_owned(), attributes, ..Element::default() })
}

fn attach(open: &mut [Element], closed: Element) -> Result<(), WireError> {
    let parent = open.last_mut().ok_or_else(|| WireError::NotXml("an element is closed twice".to_owned()))?;
    parent.children.push(closed);
    Ok(())
}

fn append(open: &mut [Element], text: &str) -> Result<(), WireError> {
    check(text)?;
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
    Ok(())
}

fn named_entity(name: &str) -> Result<char, WireError> {
    match name {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(WireError::NotXml(format!("the entity `{name}` is not defined"))),
    }
}

/// Refuses the characters that XML 1.0 does not have.
pub(super) fn check(text: &str) -> Result<(), WireError> {
    match text.chars().find(|&c| !is_xml_character(c)) {
        Some(character) => Err(WireError::Unrepresentable(character)),
        None => Ok(()),
    }
}

/// Whether XML 1.0 can carry a character.
pub(super) fn is_xml_character(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        _ => character >= ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(document: &str) -> String {
        parse(document).unwrap_err().to_string()
    }

    #[test]
    fn a_tree_keeps_text_and_attributes() {
        let root = parse(
            "<?xml version='1.0'?>\n<a x=\"1 &amp; 2\">t&#233;xt<!-- c --><b/>&lt;<![CDATA[<c>]]></a>\n",
        )
        .unwrap();

        assert_eq!(root.attribute("x"), Some("1 & 2"));
        assert_eq!(root.text, "t\u{e9}xt<<c>");
        assert_eq!(root.children[0].name, "b");
    }

    #[test]
    fn line_ends_are_normalised_but_references_to_them_are_kept() {
        assert_eq!(parse("<a>x\r\ny&#13;</a>").unwrap().text, "x\ny\r");
    }

    #[test]
    fn what_is_not_one_well_formed_document_is_refused() {
        for document in [
            "",
            "  ",
            "x",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><b/>",
            "<a/>x",
            "<a x=1/>",
            "<a>&x;</a>",
            "<a>&#1;</a>",
        ] {
            assert!(parse(document).is_err(), "{document:?}");
        }
    }

    #[test]
    fn entities_of_a_document_are_never_expanded() {
        let attack = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>";

        insta::assert_snapshot!(message(attack), @"unexpected document: a document type is not allowed");
    }

    #[test]
    fn a_document_as_long_as_an_attack_is_refused() {
        let attack = format!("<a>{}</a>", "<b/>".repeat(MAXIMUM_ELEMENTS));

        assert!(matches!(parse(&attack), Err(WireError::TooLarge)));
    }

    #[test]
    fn a_document_as_deep_as_an_attack_is_refused() {
        let attack = "<a>".repeat(100_000);

        assert!(matches!(parse(&attack), Err(WireError::TooLarge)));
    }
}
