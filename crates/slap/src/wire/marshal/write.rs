//! Writes values in the order, and with the numbers of containers, of the Python implementation.

use std::fmt::Write as _;

use super::{MODULE, Marshalled};
use crate::wire::python_text::float_text;
use crate::wire::{WireError, xml};

impl Marshalled {
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
