//! `urllib.parse`: quoting, and taking addresses apart.

use std::fmt::Write;

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::super::arguments::Arguments;
use super::super::builtins::Builtin;
use super::super::objects::{AsText, failure, iterate, pairs, type_name};
use super::super::text::display;
use super::Module;

pub(super) fn package() -> Value {
    Module::value("urllib", vec![("parse", module())])
}

pub(super) fn module() -> Value {
    let functions = vec![
        (
            "quote",
            Builtin::function("quote", |_, args| {
                Ok(Value::from(quote(
                    &octets(args.require(0, "string")?)?,
                    args.optional_text(1, "safe")?.unwrap_or("/"),
                )))
            }),
        ),
        (
            "quote_plus",
            Builtin::function("quote_plus", |_, args| {
                Ok(Value::from(quote_plus(
                    &octets(args.require(0, "string")?)?,
                    args.optional_text(1, "safe")?.unwrap_or(""),
                )))
            }),
        ),
        (
            "unquote",
            Builtin::function("unquote", |_, args| unquote(args.text(0, "string")?).map(Value::from)),
        ),
        (
            "unquote_plus",
            Builtin::function("unquote_plus", |_, args| {
                unquote(&args.text(0, "string")?.replace('+', " ")).map(Value::from)
            }),
        ),
        ("urlencode", Builtin::function("urlencode", |_, args| urlencode(args).map(Value::from))),
        ("urlparse", Builtin::function("urlparse", |_, args| parse(args.text(0, "url")?, true))),
        ("urlsplit", Builtin::function("urlsplit", |_, args| parse(args.text(0, "url")?, false))),
        (
            "urlunparse",
            Builtin::function("urlunparse", |_, args| unparse(&iterate(args.require(0, "parts")?)?)),
        ),
        (
            "urlunsplit",
            Builtin::function("urlunsplit", |_, args| {
                let mut parts = iterate(args.require(0, "parts")?)?;
                if parts.len() == 5 {
                    parts.insert(3, Value::from(""));
                }
                unparse(&parts)
            }),
        ),
    ];
    Module::value("urllib.parse", functions)
}

fn octets(value: &Value) -> Result<Vec<u8>, Error> {
    match value.kind() {
        ValueKind::String => Ok(value.as_text().unwrap_or_default().as_bytes().to_vec()),
        ValueKind::Bytes => Ok(value.as_bytes().unwrap_or_default().to_vec()),
        _ => Err(failure(format!("quote_from_bytes() expected bytes, not {}", type_name(value)))),
    }
}

fn quote(bytes: &[u8], safe: &str) -> String {
    let mut text = String::new();
    for byte in bytes {
        if byte.is_ascii_alphanumeric()
            || b"_.-~".contains(byte)
            || (byte.is_ascii() && safe.as_bytes().contains(byte))
        {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn quote_plus(bytes: &[u8], safe: &str) -> String {
    quote(bytes, &format!("{safe} ")).replace(' ', "+")
}

fn unquote(text: &str) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        match rest.get(at + 1..at + 3).and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[at + 3..];
            }
            None => {
                bytes.push(b'%');
                rest = &rest[at + 1..];
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).map_err(|_| failure("the unquoted text is not UTF-8"))
}

fn urlencode(args: &Arguments) -> Result<String, Error> {
    args.limit(1, &["query"])?;
    let query = args.require(0, "query")?;
    let entries: Vec<(Value, Value)> = match pairs(query) {
        Some(entries) => entries,
        None => {
            let rows: Result<Vec<_>, Error> = iterate(query)?.iter().map(iterate).collect();
            rows?
                .into_iter()
                .filter_map(|row| <[Value; 2]>::try_from(row).ok())
                .map(|[key, value]| (key, value))
                .collect()
        }
    };
    let encode = |value: &Value| match value.kind() {
        ValueKind::Bytes => quote_plus(value.as_bytes().unwrap_or_default(), ""),
        _ => quote_plus(display(value).as_bytes(), ""),
    };
    Ok(entries
        .iter()
        .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
        .collect::<Vec<_>>()
        .join("&"))
}

/// Jinja2's filter `urlencode`, on text only.
pub(in crate::jinja) fn urlencode_filter(value: &Value) -> Result<String, Error> {
    match value.as_text() {
        Some(text) => Ok(quote(text.as_bytes(), "/")),
        None => Err(failure(format!("the filter `urlencode` of a '{}' is not supported", type_name(value)))),
    }
}

/// `urlparse` and, without parameters, `urlsplit`; what they return has names, and no places.
fn parse(url: &str, with_parameters: bool) -> Result<Value, Error> {
    let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|next| next.is_ascii_alphanumeric() || "+-.".contains(next))
    };
    let (scheme, rest) = match rest.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest),
        _ => (String::new(), rest),
    };
    let (netloc, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    if with_parameters && path.contains(';') {
        return Err(failure("the parameters of an address are not supported"));
    }
    let (login, host) = netloc.rsplit_once('@').map_or((None, netloc), |(login, host)| (Some(login), host));
    let (hostname, port) = host_and_port(host);
    let text = |text: Option<&str>| text.map_or_else(|| Value::from(()), Value::from);
    let port = match port {
        None => Value::from(()),
        Some(port) => port
            .parse::<u16>()
            .map(Value::from)
            .map_err(|_| failure("Port could not be cast to integer value"))?,
    };
    let hostname = Some(hostname.to_lowercase()).filter(|name| !name.is_empty());
    Ok(Module::value(
        "urllib.parse.ParseResult",
        vec![
            ("scheme", Value::from(scheme)),
            ("netloc", Value::from(netloc)),
            ("path", Value::from(path)),
            ("params", Value::from("")),
            ("query", Value::from(query)),
            ("fragment", Value::from(fragment)),
            ("username", text(login.map(|login| login.split(':').next().unwrap_or_default()))),
            ("password", text(login.and_then(|login| login.split_once(':')).map(|(_, password)| password))),
            ("hostname", text(hostname.as_deref())),
            ("port", port),
        ],
    ))
}

fn host_and_port(host: &str) -> (&str, Option<&str>) {
    if let Some((inner, rest)) = host.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        return (inner, rest.strip_prefix(':').filter(|port| !port.is_empty()));
    }
    host.split_once(':')
        .map_or((host, None), |(name, port)| (name, Some(port).filter(|port| !port.is_empty())))
}

fn unparse(parts: &[Value]) -> Result<Value, Error> {
    let texts: Option<Vec<&str>> = parts.iter().map(AsText::as_text).collect();
    let Some([scheme, netloc, path, "", query, fragment]) = texts.as_deref() else {
        return Err(failure("an address is put together from six texts, without parameters"));
    };
    if netloc.is_empty() {
        return Err(failure("an address without a host is not supported"));
    }
    let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
    let mut url = format!("//{netloc}{slash}{path}");
    if !scheme.is_empty() {
        url = format!("{scheme}:{url}");
    }
    for (mark, part) in [('?', query), ('#', fragment)] {
        if !part.is_empty() {
            url = format!("{url}{mark}{part}");
        }
    }
    Ok(Value::from(url))
}
