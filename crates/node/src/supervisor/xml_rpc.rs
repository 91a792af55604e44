//! XML-RPC as the supervisor's clients speak it: values, calls and answers, in the text form of Python's `xmlrpc`.
//!
//! This is the only place of the crate that knows this notation; it has nothing to do with the master's.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

/// One value of a call or an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Nil,
    /// A truth value.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Double(f64),
    /// Text.
    Text(String),
    /// A list.
    Array(Vec<Self>),
    /// Named members, in order.
    Struct(Vec<(String, Self)>),
}

/// An answer that says that a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Fault {
    /// The number, one of [`code`].
    pub code: i64,
    /// The text, which starts with the name of the number.
    pub text: String,
}

/// The numbers of [`Fault`].
#[expect(missing_docs, reason = "the names say it, and the notation gives nothing more")]
pub mod code {
    pub const UNKNOWN_METHOD: i64 = 1;
    pub const INCORRECT_PARAMETERS: i64 = 2;
    pub const BAD_ARGUMENTS: i64 = 3;
    pub const SHUTDOWN_STATE: i64 = 6;
    pub const BAD_NAME: i64 = 10;
    pub const BAD_SIGNAL: i64 = 11;
    pub const NO_FILE: i64 = 20;
    pub const NOT_EXECUTABLE: i64 = 21;
    pub const FAILED: i64 = 30;
    pub const ABNORMAL_TERMINATION: i64 = 40;
    pub const SPAWN_ERROR: i64 = 50;
    pub const ALREADY_STARTED: i64 = 60;
    pub const NOT_RUNNING: i64 = 70;
    pub const SUCCESS: i64 = 80;
    pub const ALREADY_ADDED: i64 = 90;
    pub const STILL_RUNNING: i64 = 91;
    pub const CANT_REREAD: i64 = 92;
}

impl Fault {
    /// The fault of that number about `what`, which may be empty.
    #[must_use]
    pub fn new(code: i64, what: &str) -> Self {
        let name = match code {
            code::UNKNOWN_METHOD => "UNKNOWN_METHOD",
            code::INCORRECT_PARAMETERS => "INCORRECT_PARAMETERS",
            code::BAD_ARGUMENTS => "BAD_ARGUMENTS",
            code::SHUTDOWN_STATE => "SHUTDOWN_STATE",
            code::BAD_NAME => "BAD_NAME",
            code::BAD_SIGNAL => "BAD_SIGNAL",
            code::NO_FILE => "NO_FILE",
            code::NOT_EXECUTABLE => "NOT_EXECUTABLE",
            code::ABNORMAL_TERMINATION => "ABNORMAL_TERMINATION",
            code::SPAWN_ERROR => "SPAWN_ERROR",
            code::ALREADY_STARTED => "ALREADY_STARTED",
            code::NOT_RUNNING => "NOT_RUNNING",
            code::SUCCESS => "SUCCESS",
            code::ALREADY_ADDED => "ALREADY_ADDED",
            code::STILL_RUNNING => "STILL_RUNNING",
            code::CANT_REREAD => "CANT_REREAD",
            _ => "FAILED",
        };
        let text = if what.is_empty() { name.to_owned() } else { format!("{name}: {what}") };
        Self { code, text }
    }
}

/// Text that is not the XML-RPC that was expected.
#[derive(Debug, thiserror::Error)]
pub enum NotationError {
    /// Not XML.
    #[error("malformed XML")]
    Xml(#[from] quick_xml::Error),
    /// XML, but not of this notation.
    #[error("unexpected {found} in an XML-RPC document")]
    Unexpected {
        /// What was there.
        found: String,
    },
}

impl Value {
    /// The member of a structure.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Struct(members) => {
                members.iter().find(|(member, _)| member == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The text, when it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The whole number, when it is one.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    /// The elements, when it is a list; else none.
    #[must_use]
    pub fn elements(&self) -> &[Self] {
        if let Self::Array(elements) = self { elements } else { &[] }
    }

    /// A list of texts.
    #[must_use]
    pub fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::Array(texts.into_iter().map(|text| Self::Text(text.into())).collect())
    }

    fn write(&self, out: &mut String) {
        out.push_str("<value>");
        match self {
            Self::Nil => out.push_str("<nil/>"),
            Self::Boolean(truth) => {
                out.push_str(if *truth { "<boolean>1</boolean>" } else { "<boolean>0</boolean>" });
            }
            Self::Integer(number) => out.extend(["<int>", &number.to_string(), "</int>"]),
            Self::Double(number) => out.extend(["<double>", &number.to_string(), "</double>"]),
            Self::Text(text) => {
                out.push_str("<string>");
                escape(text, out);
                out.push_str("</string>");
            }
            Self::Array(elements) => {
                out.push_str("<array><data>\n");
                for element in elements {
                    element.write(out);
                }
                out.push_str("</data></array>");
            }
            Self::Struct(members) => {
                out.push_str("<struct>\n");
                for (name, value) in members {
                    out.push_str("<member>\n<name>");
                    escape(name, out);
                    out.push_str("</name>\n");
                    value.write(out);
                    out.push_str("</member>\n");
                }
                out.push_str("</struct>");
            }
        }
        out.push_str("</value>\n");
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

/// Writes a call.
#[must_use]
pub fn write_call(method: &str, parameters: &[Value]) -> String {
    let mut out = String::from("<?xml version='1.0'?>\n<methodCall>\n<methodName>");
    escape(method, &mut out);
    out.push_str("</methodName>\n<params>\n");
    for parameter in parameters {
        out.push_str("<param>\n");
        parameter.write(&mut out);
        out.push_str("</param>\n");
    }
    out.push_str("</params>\n</methodCall>\n");
    out
}

/// Writes an answer.
#[must_use]
pub fn write_answer(answer: &Result<Value, Fault>) -> String {
    let mut out = String::from("<?xml version='1.0'?>\n<methodResponse>\n");
    match answer {
        Ok(value) => {
            out.push_str("<params>\n<param>\n");
            value.write(&mut out);
            out.push_str("</param>\n</params>\n");
        }
        Err(fault) => {
            out.push_str("<fault>\n");
            let members = vec![
                ("faultCode".to_owned(), fault.code.into()),
                ("faultString".to_owned(), fault.text.as_str().into()),
            ];
            Value::Struct(members).write(&mut out);
            out.push_str("</fault>\n");
        }
    }
    out.push_str("</methodResponse>\n");
    out
}

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

fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A log may hold any byte; XML may not.
            '\t' | '\n' | '\r' => out.push(character),
            control if control.is_control() || matches!(control, '\u{fffe}' | '\u{ffff}') => {
                out.push('\u{fffd}');
            }
            other => out.push(other),
        }
    }
}

fn unexpected(found: &str) -> NotationError {
    NotationError::Unexpected { found: found.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_answer_has_the_text_form_of_the_reference() {
        let state =
            Value::Struct(vec![("statecode".into(), 1.into()), ("statename".into(), "RUNNING".into())]);

        insta::assert_snapshot!(write_answer(&Ok(state)), @r"
        <?xml version='1.0'?>
        <methodResponse>
        <params>
        <param>
        <value><struct>
        <member>
        <name>statecode</name>
        <value><int>1</int></value>
        </member>
        <member>
        <name>statename</name>
        <value><string>RUNNING</string></value>
        </member>
        </struct></value>
        </param>
        </params>
        </methodResponse>
        ");
    }

    #[test]
    fn a_fault_is_read_back() {
        let fault = Fault::new(code::BAD_NAME, "nope");

        let read = read_answer(&write_answer(&Err(fault.clone()))).unwrap();

        assert_eq!(read, Err(fault));
    }

    #[test]
    fn a_value_without_type_is_text() {
        let document = "<methodCall><methodName>a.b</methodName><params><param><value>x &amp; &#65;</value></param></params></methodCall>";

        assert_eq!(read_call(document).unwrap(), ("a.b".to_owned(), vec!["x & A".into()]));
    }

    #[test]
    fn nesting_without_end_is_refused() {
        let document = "<value>".repeat(10_000);

        assert!(read_call(&document).is_err());
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::Boolean),
            any::<i64>().prop_map(Value::Integer),
            "[ -~\n]{0,20}".prop_map(Value::Text),
            Just(Value::Nil),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                proptest::collection::vec(("[a-z<&]{1,6}", inner), 0..4).prop_map(Value::Struct),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in value()) {
            let call = write_call("m", std::slice::from_ref(&value));
            prop_assert_eq!(read_call(&call).unwrap().1, vec![value]);
        }
    }
}
