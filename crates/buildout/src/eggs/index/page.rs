//! Pages of an index: the links that they hold, whichever of the two formats they come in.
//!
//! The format is decided by looking at the body, because servers send either under the name of the other.

use serde_json::Value;
use shacache::{Algorithm, Checksum};
use url::Url;

/// The algorithms of checksums that are known, the strongest first.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::Sha512, Algorithm::Sha256, Algorithm::Md5];

/// One file that a page offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// Its address, without fragment.
    pub url: Url,
    /// Its name.
    pub file_name: String,
    /// The checksum promised for it.
    pub checksum: Option<Checksum>,
    /// The Python versions that it is for.
    pub requires_python: Option<String>,
    /// Whether its author withdrew it.
    pub yanked: bool,
    /// Whether its metadata can be had apart, at its address with `.metadata` added; and the checksum of that.
    pub metadata: Option<Option<Checksum>>,
}

/// Reads `sha256=…`, as in the fragment of a link. Digits that no hash has are kept: nothing can be what they promise.
#[must_use]
pub(crate) fn promised(fragment: &str) -> Option<Checksum> {
    fragment.split('&').find_map(|part| {
        let (name, digits) = part.split_once('=')?;
        Some(Checksum::new(algorithm(name)?, digits))
    })
}

fn algorithm(name: &str) -> Option<Algorithm> {
    ALGORITHMS.into_iter().find(|algorithm| algorithm.name() == name)
}

/// A body that is neither of the two formats.
#[derive(Debug, thiserror::Error)]
#[error("the page is neither HTML nor a JSON list of files")]
pub(crate) struct PageError;

/// Reads a page that was found at `base`.
///
/// # Errors
/// It looks like JSON and is not a list of files.
pub(crate) fn parse(body: &str, base: &Url) -> Result<Vec<Link>, PageError> {
    let start = body.trim_start_matches('\u{feff}').trim_start();
    if start.starts_with('{') {
        parse_json(start, base).ok_or(PageError)
    } else {
        Ok(parse_html(start, base))
    }
}

fn parse_json(body: &str, base: &Url) -> Option<Vec<Link>> {
    let page: Value = serde_json::from_str(body).ok()?;
    let checksum = |hashes: &Value| -> Option<Checksum> {
        ALGORITHMS
            .into_iter()
            .find_map(|algorithm| Some(Checksum::new(algorithm, hashes.get(algorithm.name())?.as_str()?)))
    };
    let link = |file: &Value| -> Option<Link> {
        let mut url = base.join(file.get("url")?.as_str()?).ok()?;
        url.set_fragment(None);
        let metadata = file.get("core-metadata").or_else(|| file.get("dist-info-metadata"));
        Some(Link {
            file_name: plain_name(file.get("filename")?.as_str()?)?,
            checksum: file.get("hashes").and_then(checksum),
            requires_python: file.get("requires-python").and_then(Value::as_str).map(str::to_owned),
            yanked: file
                .get("yanked")
                .is_some_and(|yanked| !matches!(yanked, Value::Bool(false) | Value::Null)),
            metadata: metadata.and_then(|offered| match offered {
                Value::Bool(true) => Some(None),
                Value::Object(_) => Some(checksum(offered)),
                _ => None,
            }),
            url,
        })
    };
    Some(page.get("files")?.as_array()?.iter().filter_map(link).collect())
}

fn parse_html(body: &str, base: &Url) -> Vec<Link> {
    let mut base = base.clone();
    let mut links = Vec::new();
    let mut rest = body;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let (tag, attributes, after) = read_tag(rest);
        rest = after;
        match tag.as_str() {
            "base" => {
                if let Some(url) = find(&attributes, "href").and_then(|href| base.join(href).ok()) {
                    base = url;
                }
            }
            "a" => links.extend(html_link(&attributes, &base)),
            _ => {}
        }
    }
    links
}

fn html_link(attributes: &[(String, String)], base: &Url) -> Option<Link> {
    let mut url = base.join(find(attributes, "href")?.trim()).ok()?;
    let checksum = url.fragment().and_then(promised);
    url.set_fragment(None);
    let metadata =
        find(attributes, "data-core-metadata").or_else(|| find(attributes, "data-dist-info-metadata"));
    Some(Link {
        file_name: file_name(&url)?,
        checksum,
        requires_python: find(attributes, "data-requires-python")
            .filter(|text| !text.is_empty())
            .map(str::to_owned),
        yanked: find(attributes, "data-yanked").is_some(),
        metadata: metadata.filter(|value| *value != "false").map(promised),
        url,
    })
}

/// The last segment of an address, decoded.
#[must_use]
pub(crate) fn file_name(url: &Url) -> Option<String> {
    let segment = url.path_segments()?.next_back()?;
    plain_name(&percent_decode(segment))
}

/// A name that files are kept under, and so must lead nowhere else.
fn plain_name(name: &str) -> Option<String> {
    (!matches!(name, "" | "." | "..") && !name.contains(['/', '\\', '\0'])).then(|| name.to_owned())
}

/// Replaces `%41` by what it stands for; bytes that are not UTF-8 are replaced.
#[must_use]
pub(crate) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let hex = (bytes[index] == b'%').then(|| text.get(index + 1..index + 3)).flatten();
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            decoded.push(byte);
            index += 3;
        } else {
            decoded.push(bytes[index]);
            index += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn find<'a>(attributes: &'a [(String, String)], name: &str) -> Option<&'a str> {
    attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// Reads a tag after its `<`: its name in lower case, its attributes, and the text after its `>`.
fn read_tag(text: &str) -> (String, Vec<(String, String)>, &str) {
    let end = text.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(text.len());
    let tag = text[..end].to_ascii_lowercase();
    let mut attributes = Vec::new();
    let mut rest = text[end..].trim_start_matches(|c: char| c.is_whitespace() || c == '/');
    loop {
        if let Some(after) = rest.strip_prefix('>') {
            return (tag, attributes, after);
        }
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>')).unwrap_or(rest.len());
        if end == 0 && !rest.starts_with('=') {
            return (tag, attributes, "");
        }
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
            let (raw, remaining) = match quote {
                Some(quote) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
                None => {
                    after.split_at(after.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(after.len()))
                }
            };
            value = unescape(raw);
            rest = remaining;
        }
        attributes.push((name, value));
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
    }
}

fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let entity = rest.find(';').map(|end| &rest[1..end]);
        let character = entity.and_then(|entity| match entity {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => {
                let number = entity.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)
            }
        });
        match (character, entity) {
            (Some(character), Some(entity)) => {
                plain.push(character);
                rest = &rest[entity.len() + 2..];
            }
            _ => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> Url {
        Url::parse("https://index.example/simple/a/").unwrap()
    }

    const DIGITS: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn html_links_keep_what_their_attributes_say() {
        let body = format!(
            "<!DOCTYPE html><html><!-- <a href='no-1.whl'> --><body>\
             <A HREF=\"../../f/a-1.0%2Blocal-py3-none-any.whl#sha256={DIGITS}\" data-requires-python='&gt;=3.8'\n\
             data-dist-info-metadata=\"sha256={DIGITS}\">a</a><br/>\
             <a href=a-0.9.tar.gz data-yanked>b</a><a name=x>c</a></body></html>"
        );

        let links = parse(&body, &base()).unwrap();

        assert_eq!(links.len(), 2);
        assert_eq!(links[0].url.as_str(), "https://index.example/f/a-1.0%2Blocal-py3-none-any.whl");
        assert_eq!(links[0].file_name, "a-1.0+local-py3-none-any.whl");
        assert_eq!(links[0].checksum, Some(Checksum::new(Algorithm::Sha256, DIGITS)));
        assert_eq!(links[0].requires_python.as_deref(), Some(">=3.8"));
        assert_eq!(links[0].metadata, Some(Some(Checksum::new(Algorithm::Sha256, DIGITS))));
        assert!(!links[0].yanked);
        assert!(links[1].yanked);
        assert_eq!(links[1].url.as_str(), "https://index.example/simple/a/a-0.9.tar.gz");
    }

    #[test]
    fn json_says_the_same() {
        let body = format!(
            r#"{{"meta": {{"api-version": "1.1"}}, "name": "a", "files": [
                {{"filename": "a-1-py3-none-any.whl", "url": "/f/a-1-py3-none-any.whl", "hashes": {{"sha256": "{DIGITS}"}},
                  "requires-python": ">=3.8", "core-metadata": true, "yanked": "broken"}},
                {{"filename": "a-2.tar.gz", "url": "a-2.tar.gz", "hashes": {{}}, "yanked": false}}]}}"#
        );

        let links = parse(&body, &base()).unwrap();

        assert_eq!(links[0].url.as_str(), "https://index.example/f/a-1-py3-none-any.whl");
        assert_eq!(links[0].metadata, Some(None));
        assert!(links[0].yanked && !links[1].yanked);
        assert_eq!(links[1].checksum, None);
    }

    #[test]
    fn a_base_element_moves_relative_links() {
        let links =
            parse("<base href='https://files.example/d/'><a href='a-1.tar.gz'>a</a>", &base()).unwrap();

        assert_eq!(links[0].url.as_str(), "https://files.example/d/a-1.tar.gz");
    }

    #[test]
    fn json_of_another_kind_is_refused() {
        assert!(parse("{\"message\": \"no\"}", &base()).is_err());
    }

    proptest! {
        #[test]
        fn no_body_panics(body in "[<>a-c=\"'&;#x/! -]{0,80}") {
            let _ = parse(&body, &base());
        }
    }
}
