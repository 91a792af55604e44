//! Reads calls and answers.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use super::{Fault, NotationError, Value, code};

/// Reads a call: its method and parameters.
///
/// # Errors
/// The document is no call.
pub fn read_call(document: &str) -> Result<(String, Vec<Value>), NotationError> {
    let root = read_element(document, "methodCall")?;
    let method =
        root.child("methodName").ok_or_else(|| unexpected("a call without method"))?.text.trim().to_owned();
    let parameters = match root.child("params") {
        None => Vec::new(),
        Some(params) => params.children.iter().map(read_parameter).collect::<Result<_, _>>()?,
    };
    Ok((method, parameters))
}

/// Reads an answer.
///
/// # Errors
/// The document is no answer.
pub fn read_answer(document: &str) -> Result<Result<Value, Fault>, NotationError> {
    let root = read_element(document, "methodResponse")?;
    if let Some(fault) = root.child("fault") {
        let value = read_parameter(fault)?;
        let code = value.member("faultCode").and_then(Value::as_integer).unwrap_or(code::FAILED);
        let text = value.member("faultString").and_then(Value::as_text).unwrap_or_default().to_owned();
        return Ok(Err(Fault { code, text }));
    }
    let parameter = root.child("params").and_then(|params| params.child("param"));
    read_parameter(parameter.ok_or_else(|| unexpected("an answer without value"))?).map(Ok)
}

/// An element with its text and its child elements.
#[derive(Default)]
struct Element {
    name: String,
    text: String,
    children: Vec<Self>,
}

impl Element {
    fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// How deep elements may nest: a document of a client is never near it, and a hostile one must not exhaust the stack.
const DEEPEST: usize = 64;

fn read_element(document: &str, expected: &str) -> Result<Element, NotationError> {
    let mut reader = Reader::from_str(document);
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event()? {
            Event::Start(tag) => {
                if open.len() >= DEEPEST {
                    return Err(unexpected("nesting without end"));
                }
                let name = tag.name().into_inner().to_owned();
                open.push(Element { name, ..Element::default() });
            }
            Event::Empty(tag) => {
                let name = tag.name().into_inner().to_owned();
                innermost(&mut open).children.push(Element { name, ..Element::default() });
            }
            Event::End(_) => {
                let closed = open.pop().ok_or_else(|| unexpected("an end tag"))?;
                open.last_mut().ok_or_else(|| unexpected("an end tag"))?.children.push(closed);
            }
            Event::Text(text) => innermost(&mut open).text.push_str(&text),
            Event::CData(text) => innermost(&mut open).text.push_str(&text),
            Event::GeneralRef(reference) => innermost(&mut open).text.push(resolve(&reference)?),
            Event::Eof => break,
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_) => {}
        }
    }
    let mut roots = open.into_iter().next().map(|document| document.children).unwrap_or_default();
    match roots.pop() {
        Some(root) if root.name == expected => Ok(root),
        Some(other) => Err(unexpected(&format!("element `{}`", other.name))),
        None => Err(unexpected("end")),
    }
}

fn innermost(open: &mut [Element]) -> &mut Element {
    open.last_mut().expect("the document itself is never closed")
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, NotationError> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Ok(character);
    }
    let known = BTreeMap::from([("lt", '<'), ("gt", '>'), ("amp", '&'), ("quot", '"'), ("apos", '\'')]);
    let name: &str = reference;
    known.get(name).copied().ok_or_else(|| unexpected(&format!("reference `{name}`")))
}

fn read_parameter(holder: &Element) -> Result<Value, NotationError> {
    read_value(holder.child("value").ok_or_else(|| unexpected("a parameter without value"))?)
}

fn read_value(value: &Element) -> Result<Value, NotationError> {
    let Some(typed) = value.children.first() else { return Ok(Value::Text(value.text.clone())) };
    let wrong = || unexpected(&format!("`{}` as {}", typed.text, typed.name));
    Ok(match typed.name.as_str() {
        "nil" => Value::Nil,
        "boolean" => Value::Boolean(typed.text.trim() == "1"),
        "int" | "i4" | "i8" => Value::Integer(typed.text.trim().parse().map_err(|_| wrong())?),
        "double" => Value::Double(typed.text.trim().parse().map_err(|_| wrong())?),
        "string" => Value::Text(typed.text.clone()),
        "array" => match typed.child("data") {
            None => Value::Array(Vec::new()),
            Some(data) => Value::Array(data.children.iter().map(read_value).collect::<Result<_, _>>()?),
        },
        "struct" => {
            let mut members = Vec::new();
            for member in &typed.children {
                let name = member.child("name").ok_or_else(wrong)?.text.clone();
                members.push((name, read_parameter(member)?));
            }
            Value::Struct(members)
        }
        other => return Err(unexpected(&format!("type `{other}`"))),
    })
}

fn unexpected(found: &str) -> NotationError {
    NotationError::Unexpected { found: found.to_owned() }
}
