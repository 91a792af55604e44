//! The tagged XML encoding of values in which masters, nodes and recipes talk.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::WireError;
use super::python_text::float_text;
use super::xml::{self, Element};
use crate::value::{Parameters, Value};

/// More values than this in one document, references expanded, are an attack.
const MAXIMUM_VALUES: usize = 2_000_000;

/// The classes of which objects may travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A computer with its releases and partitions.
    Computer,
    /// A partition.
    Partition,
    /// A software release.
    Release,
    /// An answer to a request.
    Instance,
}

impl Class {
    fn wire_name(self) -> &'static str {
        match self {
            Self::Computer => "Computer",
            Self::Partition => "ComputerPartition",
            Self::Release => "SoftwareRelease",
            Self::Instance => "SoftwareInstance",
        }
    }

    fn from_wire_name(name: &str) -> Option<Self> {
        [Self::Computer, Self::Partition, Self::Release, Self::Instance]
            .into_iter()
            .find(|c| c.wire_name() == name)
    }
}

/// The module that all travelling classes are said to be in.
const MODULE: &str = "slapos.slap.slap";

/// A value as it travels.
#[derive(Debug, Clone, PartialEq)]
pub enum Marshalled {
    /// Nothing.
    None,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer too large for [`Self::Int`], in decimal.
    Long(String),
    /// A number with a fraction.
    Float(f64),
    /// A text.
    Text(String),
    /// An immutable sequence.
    Tuple(Vec<Self>),
    /// A sequence.
    List(Vec<Self>),
    /// A set.
    Set(Vec<Self>),
    /// A mapping; written in the order of its keys.
    Map(Vec<(Self, Self)>),
    /// An object.
    Object {
        /// Of which class.
        class: Class,
        /// What its constructor was given.
        arguments: Vec<Self>,
        /// Its attributes; written in the order of their names.
        attributes: Vec<(String, Self)>,
    },
}

impl Marshalled {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A mapping with names as keys.
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(entries.into_iter().map(|(name, value)| (Self::text(name), value)).collect())
    }

    /// Reads a document.
    ///
    /// # Errors
    /// A document that is not well-formed, of unknown elements or classes, or larger than any honest one.
    pub fn read(document: &str) -> Result<Self, WireError> {
        let root = xml::parse(document)?;
        if root.name != "marshal" {
            return Err(WireError::unexpected(format!("the root is `{}`, not `marshal`", root.name)));
        }
        let [child] = root.children.as_slice() else {
            return Err(WireError::unexpected("`marshal` must contain one value"));
        };
        ValueReader { containers: HashMap::new(), budget: MAXIMUM_VALUES }.read(child).map(|(value, _)| value)
    }

    /// Writes the document: ASCII, without declaration, in one line but for line feeds inside texts.
    ///
    /// # Errors
    /// A text with a character that XML cannot carry.
    pub fn write(&self) -> Result<String, WireError> {
        let mut writer = ValueWriter { output: String::with_capacity(4096), last_id: 1 };
        writer.output.push_str("<marshal>");
        writer.write(self)?;
        writer.output.push_str("</marshal>");
        Ok(writer.output)
    }
}

impl From<&Value> for Marshalled {
    fn from(value: &Value) -> Self {
        match value {
            Value::None => Self::None,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(integer) => Self::Int(*integer),
            Value::Float(float) => Self::Float(*float),
            Value::Text(text) => Self::text(text),
            Value::List(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Map(entries) => Self::from(entries),
        }
    }
}

impl From<&Parameters> for Marshalled {
    fn from(parameters: &Parameters) -> Self {
        Self::map(parameters.iter().map(|(name, value)| (name, Self::from(value))))
    }
}

impl From<Marshalled> for Value {
    /// Keys become texts, all sequences lists, and an object the mapping of its attributes.
    fn from(marshalled: Marshalled) -> Self {
        match marshalled {
            Marshalled::None => Self::None,
            Marshalled::Bool(value) => Self::Bool(value),
            Marshalled::Int(integer) => Self::Int(integer),
            Marshalled::Float(float) => Self::Float(float),
            Marshalled::Text(text) | Marshalled::Long(text) => Self::Text(text),
            Marshalled::Tuple(items) | Marshalled::List(items) | Marshalled::Set(items) => {
                Self::List(items.into_iter().map(Self::from).collect())
            }
            Marshalled::Map(entries) => Self::Map(
                entries.into_iter().map(|(key, value)| (key.python_str(), Self::from(value))).collect(),
            ),
            Marshalled::Object { attributes, .. } => {
                Self::Map(attributes.into_iter().map(|(name, value)| (name, Self::from(value))).collect())
            }
        }
    }
}

struct ValueReader {
    /// What `<reference>` may refer to, with the number of values each holds.
    containers: HashMap<String, (Marshalled, usize)>,
    budget: usize,
}

impl ValueReader {
    /// Returns the value and the number of values it holds.
    fn read(&mut self, element: &Element) -> Result<(Marshalled, usize), WireError> {
        self.spend(1)?;
        let text = || element.text.trim();
        let value = match element.name.as_str() {
            "none" => Marshalled::None,
            "bool" => Marshalled::Bool(!matches!(text(), "0" | "")),
            "int" | "long" => integer(text())?,
            "float" => Marshalled::Float(float(text())?),
            "string" | "unicode" => Marshalled::Text(unescape(&element.text)),
            "reference" => return self.referred(element),
            _ => return self.read_container(element),
        };
        Ok((value, 1))
    }

    fn read_container(&mut self, element: &Element) -> Result<(Marshalled, usize), WireError> {
        let mut size = 1;
        let mut items = Vec::with_capacity(element.children.len());
        for child in &element.children {
            let (item, item_size) = self.read(child)?;
            size += item_size;
            items.push(item);
        }
        let value = match element.name.as_str() {
            "tuple" => Marshalled::Tuple(items),
            "list" => Marshalled::List(items),
            "set" => Marshalled::Set(items),
            "dictionary" => Marshalled::Map(pairs(items)?),
            "object" => object(element, items)?,
            other => return Err(WireError::unexpected(format!("`{other}` is not an element of a value"))),
        };
        if let Some(id) = element.attribute("id") {
            self.containers.insert(id.to_owned(), (value.clone(), size));
        }
        Ok((value, size))
    }

    fn referred(&mut self, element: &Element) -> Result<(Marshalled, usize), WireError> {
        let id = element.attribute("id").unwrap_or_default();
        let Some((value, size)) = self.containers.get(id) else {
            return Err(WireError::unexpected(format!("the reference `{id}` refers to nothing before it")));
        };
        let (value, size) = (value.clone(), *size);
        self.spend(size)?;
        Ok((value, size))
    }

    fn spend(&mut self, values: usize) -> Result<(), WireError> {
        self.budget = self.budget.checked_sub(values).ok_or(WireError::TooLarge)?;
        Ok(())
    }
}

fn integer(text: &str) -> Result<Marshalled, WireError> {
    if let Ok(integer) = text.parse() {
        return Ok(Marshalled::Int(integer));
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(WireError::unexpected(format!("`{text}` is not an integer")));
    }
    Ok(Marshalled::Long(text.strip_prefix('+').unwrap_or(text).to_owned()))
}

fn float(text: &str) -> Result<f64, WireError> {
    text.parse().map_err(|_| WireError::unexpected(format!("`{text}` is not a number")))
}

fn pairs(items: Vec<Marshalled>) -> Result<Vec<(Marshalled, Marshalled)>, WireError> {
    if !items.len().is_multiple_of(2) {
        return Err(WireError::unexpected("a dictionary has a key without a value"));
    }
    let mut entries = Vec::with_capacity(items.len() / 2);
    let mut items = items.into_iter();
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        entries.push((key, value));
    }
    Ok(entries)
}

fn object(element: &Element, items: Vec<Marshalled>) -> Result<Marshalled, WireError> {
    let name = element.attribute("class").unwrap_or_default();
    let class = Class::from_wire_name(name)
        .filter(|_| element.attribute("module") == Some(MODULE))
        .ok_or_else(|| WireError::unexpected(format!("objects of class `{name}` are not allowed")))?;
    let Ok([Marshalled::Tuple(arguments), Marshalled::Map(entries)]) = <[Marshalled; 2]>::try_from(items)
    else {
        return Err(WireError::unexpected("an object must consist of a tuple and a dictionary"));
    };
    let attributes = entries
        .into_iter()
        .map(|(key, value)| match key {
            Marshalled::Text(name) => Ok((name, value)),
            _ => Err(WireError::unexpected("an attribute of an object has no name")),
        })
        .collect::<Result<_, _>>()?;
    Ok(Marshalled::Object { class, arguments, attributes })
}

/// Undoes the inner of the two escapings of texts.
fn unescape(text: &str) -> String {
    if text.contains('&') {
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    } else {
        text.to_owned()
    }
}

struct ValueWriter {
    output: String,
    last_id: u32,
}

impl ValueWriter {
    fn write(&mut self, value: &Marshalled) -> Result<(), WireError> {
        match value {
            Marshalled::None => self.output.push_str("<none/>"),
            Marshalled::Bool(value) => self.leaf("bool", if *value { "1" } else { "0" }),
            // Compatibility: the reference writes integers of 25 digits and more under the other name.
            Marshalled::Long(digits) if digits.trim_start_matches('-').len() > 24 => {
                self.leaf("long", digits);
            }
            Marshalled::Long(digits) => self.leaf("int", digits),
            Marshalled::Int(integer) => {
                let _ = write!(self.output, "<int>{integer}</int>");
            }
            Marshalled::Float(float) => self.leaf("float", &float_text(*float)),
            Marshalled::Text(text) => self.text(text)?,
            Marshalled::Tuple(items) => self.sequence("tuple", None, items)?,
            Marshalled::List(items) => {
                let id = self.next_id();
                self.sequence("list", Some(id), items)?;
            }
            Marshalled::Set(items) => {
                let id = self.next_id();
                self.sequence("set", Some(id), items)?;
            }
            Marshalled::Map(entries) => {
                let mut sorted: Vec<_> = entries.iter().collect();
                sorted.sort_by(|(a, _), (b, _)| order(a, b));
                self.dictionary(sorted.into_iter().map(|(key, value)| (key, value)), entries.len())?;
            }
            Marshalled::Object { class, arguments, attributes } => {
                let id = self.next_id();
                let _ = write!(
                    self.output,
                    r#"<object id="i{id}" module="{MODULE}" class="{}">"#,
                    class.wire_name()
                );
                self.sequence("tuple", None, arguments)?;
                let mut sorted: Vec<_> =
                    attributes.iter().map(|(name, value)| (Marshalled::text(name), value)).collect();
                sorted.sort_by(|(a, _), (b, _)| order(a, b));
                self.dictionary(sorted.iter().map(|(name, value)| (name, *value)), attributes.len())?;
                self.output.push_str("</object>");
            }
        }
        Ok(())
    }

    fn next_id(&mut self) -> u32 {
        self.last_id += 1;
        self.last_id
    }

    fn leaf(&mut self, name: &str, text: &str) {
        let _ = write!(self.output, "<{name}>{text}</{name}>");
    }

    fn text(&mut self, text: &str) -> Result<(), WireError> {
        self.output.push_str("<string>");
        for character in text.chars() {
            match character {
                '&' => self.output.push_str("&amp;amp;"),
                '<' => self.output.push_str("&amp;lt;"),
                '>' => self.output.push_str("&amp;gt;"),
                '\r' => self.output.push_str("&#13;"),
                _ if !xml::is_xml_character(character) => return Err(WireError::Unrepresentable(character)),
                _ if character.is_ascii() => self.output.push(character),
                _ => {
                    let _ = write!(self.output, "&#{};", character as u32);
                }
            }
        }
        self.output.push_str("</string>");
        Ok(())
    }

    fn sequence(&mut self, name: &str, id: Option<u32>, items: &[Marshalled]) -> Result<(), WireError> {
        self.open(name, id, items.is_empty());
        for item in items {
            self.write(item)?;
        }
        self.close(name, items.is_empty());
        Ok(())
    }

    fn dictionary<'a>(
        &mut self,
        entries: impl Iterator<Item = (&'a Marshalled, &'a Marshalled)>,
        length: usize,
    ) -> Result<(), WireError> {
        let id = self.next_id();
        self.open("dictionary", Some(id), length == 0);
        for (key, value) in entries {
            self.write(key)?;
            self.write(value)?;
        }
        self.close("dictionary", length == 0);
        Ok(())
    }

    fn open(&mut self, name: &str, id: Option<u32>, is_empty: bool) {
        let _ = write!(self.output, "<{name}");
        if let Some(id) = id {
            let _ = write!(self.output, r#" id="i{id}""#);
        }
        self.output.push_str(if is_empty { "/>" } else { ">" });
    }

    fn close(&mut self, name: &str, is_empty: bool) {
        if !is_empty {
            let _ = write!(self.output, "</{name}>");
        }
    }
}

/// The order of keys: texts among themselves by code points; anything else stays where it is.
fn order(a: &Marshalled, b: &Marshalled) -> std::cmp::Ordering {
    match (a, b) {
        (Marshalled::Text(a), Marshalled::Text(b)) => a.cmp(b),
        (Marshalled::Int(a), Marshalled::Int(b)) => a.cmp(b),
        _ => std::cmp::Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_escaped_twice() {
        let written = Marshalled::text("a & <b> \"é\"\r\n\t").write().unwrap();

        assert_eq!(
            written,
            "<marshal><string>a &amp;amp; &amp;lt;b&amp;gt; \"&#233;\"&#13;\n\t</string></marshal>"
        );
        assert_eq!(Marshalled::read(&written).unwrap(), Marshalled::text("a & <b> \"é\"\r\n\t"));
    }

    #[test]
    fn containers_are_numbered_and_sorted() {
        let value = Marshalled::map([
            ("b", Marshalled::List(vec![])),
            (
                "a",
                Marshalled::Tuple(vec![Marshalled::map([("k", Marshalled::None)]), Marshalled::Bool(true)]),
            ),
            ("", Marshalled::text("")),
        ]);

        insta::assert_snapshot!(
            value.write().unwrap(),
            @r#"<marshal><dictionary id="i2"><string></string><string></string><string>a</string><tuple><dictionary id="i3"><string>k</string><none/></dictionary><bool>1</bool></tuple><string>b</string><list id="i4"/></dictionary></marshal>"#
        );
    }

    #[test]
    fn a_reference_repeats_an_earlier_container() {
        let document =
            r#"<marshal><tuple><list id="i2"><int>1</int></list><reference id="i2"/></tuple></marshal>"#;
        let list = Marshalled::List(vec![Marshalled::Int(1)]);

        assert_eq!(Marshalled::read(document).unwrap(), Marshalled::Tuple(vec![list.clone(), list]));
    }

    #[test]
    fn references_cannot_multiply_a_document_without_bound() {
        let mut document = String::from(r#"<marshal><tuple><list id="i0"><int>1</int></list>"#);
        for level in 1..64 {
            let below = level - 1;
            let _ = write!(
                document,
                r#"<list id="i{level}"><reference id="i{below}"/><reference id="i{below}"/></list>"#
            );
        }
        document.push_str("</tuple></marshal>");

        assert!(matches!(Marshalled::read(&document), Err(WireError::TooLarge)));
    }

    #[test]
    fn only_the_four_classes_are_let_in() {
        let document = r#"<marshal><object id="i2" module="os" class="Computer"><tuple/><dictionary id="i3"/></object></marshal>"#;

        insta::assert_snapshot!(
            Marshalled::read(document).unwrap_err(),
            @"unexpected document: objects of class `Computer` are not allowed"
        );
    }

    #[test]
    fn integers_of_any_size_are_read_and_written() {
        let long = "1234567890123456789012345";
        let document = format!(
            "<marshal><tuple><int>-7</int><int>18446744073709551616</int><long>{long}</long></tuple></marshal>"
        );

        let value = Marshalled::read(&document).unwrap();

        assert_eq!(value.write().unwrap(), document);
    }

    #[test]
    fn what_is_not_a_value_is_refused() {
        for inner in [
            "",
            "<x/>",
            "<int>x</int>",
            "<int/>",
            "<float>x</float>",
            "<reference id=\"i9\"/>",
            "<none/><none/>",
            "<complex/>",
            "<code/>",
        ] {
            assert!(Marshalled::read(&format!("<marshal>{inner}</marshal>")).is_err(), "{inner}");
        }
        assert!(Marshalled::read("<marshal><dictionary><string>k</string></dictionary></marshal>").is_err());
        assert!(Marshalled::read("<none/>").is_err());
    }

    #[test]
    fn a_text_that_xml_cannot_carry_is_refused() {
        assert!(matches!(Marshalled::text("\u{7}").write(), Err(WireError::Unrepresentable('\u{7}'))));
    }

    fn any_value() -> impl Strategy<Value = Marshalled> {
        let text = "[ -~é\u{1F600}\t\r\n]{0,12}";
        let leaf = prop_oneof![
            Just(Marshalled::None),
            any::<bool>().prop_map(Marshalled::Bool),
            any::<i64>().prop_map(Marshalled::Int),
            any::<f64>().prop_filter("only equal to itself", |f| !f.is_nan()).prop_map(Marshalled::Float),
            text.prop_map(Marshalled::Text),
        ];
        leaf.prop_recursive(4, 48, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Marshalled::Tuple),
                prop::collection::vec(inner.clone(), 0..5).prop_map(Marshalled::List),
                prop::collection::btree_map(text, inner, 0..5).prop_map(Marshalled::map),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_is_read_back_as_it_was_written(value in any_value()) {
            let written = value.write().unwrap();
            prop_assert!(written.is_ascii());
            prop_assert_eq!(Marshalled::read(&written).unwrap(), value);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,200}") {
            let _ = Marshalled::read(&text);
            let _ = Marshalled::read(&format!("<marshal>{text}</marshal>"));
        }
    }
}
