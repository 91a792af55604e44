//! Reads values: of known elements and classes only, and of no more than any honest document has.

use std::collections::HashMap;

use super::{Class, MODULE, Marshalled};
use crate::wire::WireError;
use crate::wire::xml::{self, Element};

/// More values than this in one document, references expanded, are an attack.
const MAXIMUM_VALUES: usize = 2_000_000;

impl Marshalled {
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
