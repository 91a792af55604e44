//! `slapos.cookbook:free_port`: finds a port that nobody uses, and keeps to it.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `minimum` | first port to try | `1024` |
//! | `maximum` | where to stop, not included | `49151` |
//! | `ip` | address on which the port must be free | none: the port is `0` |
//!
//! Offers `port`: what the record of installed parts says, unless that is `0`; else the first port that can be bound,
//! or `0` when there is none, in which case the next build tries again. When `minimum` and `maximum` are equal that is
//! the port. A part of this recipe has no files.

use std::net::{IpAddr, TcpListener};

use buildout::{Level, OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section};
use camino::Utf8PathBuf;

use crate::output_file::refused;

/// The recipe.
#[derive(Debug)]
pub(crate) struct FreePort;

/// A part without files.
struct Found;

impl RecipeKind for FreePort {
    fn names(&self) -> &'static [&'static str] {
        &["slapos.cookbook:free_port"]
    }

    fn summary(&self) -> &'static str {
        "finds a port that nobody uses, and keeps to it"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const {
            &[
                OptionDoc::with_default("minimum", "first port to try", "1024"),
                OptionDoc::with_default("maximum", "where to stop, not included", "49151"),
                OptionDoc::optional("ip", "address on which the port must be free"),
            ]
        }
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        if let Some(port) = recorded_port(section)?.filter(|port| port != "0") {
            section.set("port", port);
            return Ok(Box::new(Found));
        }
        let (minimum, maximum) = (number(section, "minimum", 1024)?, number(section, "maximum", 49151)?);
        let ip = section.get("ip")?.and_then(|ip| ip.trim().parse::<IpAddr>().ok());
        let port = match ip {
            _ if minimum == maximum => minimum,
            None => 0,
            Some(ip) => {
                let free = (minimum..maximum).find(|port| TcpListener::bind((ip, *port)).is_ok());
                if free.is_none() {
                    let message =
                        format!("no port of {ip} from {minimum} to {} is free", maximum.saturating_sub(1));
                    section.log(Level::Warning, message);
                }
                free.unwrap_or(0)
            }
        };
        section.set("port", port.to_string());
        Ok(Box::new(Found))
    }
}

/// The port that the record of installed parts has for this part: its service may be using it.
fn recorded_port(section: &mut Section<'_>) -> Result<Option<String>, RecipeError> {
    let record = section.other("buildout", "installed")?.filter(|path| !path.is_empty());
    let Some(record) = record.map(|path| section.resolve(&path)) else { return Ok(None) };
    let text = host::files::read_text_if_present(&record).map_err(|error| refused(&record, error))?;
    Ok(port_of(text.as_deref().unwrap_or_default(), section.name()))
}

fn port_of(record: &str, part: &str) -> Option<String> {
    let header = format!("[{part}]");
    let own =
        record.lines().skip_while(|line| *line != header).skip(1).take_while(|line| !line.starts_with('['));
    own.filter_map(|line| line.strip_prefix("port = ")).next().map(|port| port.trim().to_owned())
}

fn number(section: &mut Section<'_>, option: &str, default: u16) -> Result<u16, RecipeError> {
    let Some(text) = section.get(option)? else { return Ok(default) };
    text.trim().parse().map_err(|_| {
        RecipeError::new(format!("`{text}` is no port")).option(option).hint("write a number from 1 to 65535")
    })
}

impl Recipe for Found {
    fn install(&mut self, _: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_part_itself_gives_its_port() {
        let record = "[buildout]\nparts = a b\n\n[a]\nport = 1\n\n[b]\nip = ::1\nport = 2\n";

        assert_eq!(port_of(record, "b"), Some("2".to_owned()));
        assert_eq!(port_of(record, "buildout"), None);
        assert_eq!(port_of("", "b"), None);
    }
}
