//! Writes calls and answers as Python's `xmlrpc` does.

use super::{Fault, Value};

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

impl Value {
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
