//! What the command line shows of services and computers, read through links that the master gives.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::template::{Variable, expand};
use super::{Client, ClientError};
use crate::id::{ComputerId, InstanceTitle, SoftwareUrl};
use crate::service::{ComputerInfo, ComputerSummary, ServiceInfo, ServiceSummary};
use crate::wire::instance_xml;

const SERVICES: &str = r#"portal_type:"Instance Tree" AND validation_state:validated"#;
const COMPUTERS: &str = r#"portal_type:"Compute Node" AND validation_state:validated"#;

impl Client {
    /// Where the HATEOAS interface is: as configured, else as the master says.
    ///
    /// # Errors
    /// `NotFound` from a master that has none; else as [`Client::computer`].
    pub fn hateoas_url(&self) -> Result<String, ClientError> {
        match &self.rest_url {
            Some(url) => Ok(url.clone()),
            None => self.get("getHateoasUrl", &[]).map(|text| text.trim().to_owned()),
        }
    }

    /// All services.
    ///
    /// # Errors
    /// As [`Self::hateoas_url`].
    pub fn services(&self) -> Result<Vec<ServiceSummary>, ClientError> {
        let rows = self.search(SERVICES, &["title", "url_string"])?;
        Ok(rows
            .iter()
            .map(|row| ServiceSummary { title: text(row, "title"), release: release(row) })
            .collect())
    }

    /// One service, by the title of its root instance. `NotFound` when there is none.
    ///
    /// # Errors
    /// As [`Self::hateoas_url`].
    pub fn service_info(&self, title: &InstanceTitle) -> Result<ServiceInfo, ClientError> {
        let view =
            self.find(&format!("{SERVICES} AND title:={}", quoted(title.as_str())), "title", title.as_str())?;
        let parameters = instance_xml::read(&field_text(&view, "text_content"))
            .map_err(|source| ClientError::answer("service", source))?;
        Ok(ServiceInfo {
            reference: field_text(&view, "reference"),
            release: field_text(&view, "url_string").parse().ok(),
            software_type: Some(field_text(&view, "source_reference")).filter(|text| !text.is_empty()),
            shared: field(&view, "root_slave")
                .is_some_and(|v| v.as_bool() == Some(true) || v.as_i64() == Some(1)),
            requested_state: field_text(&view, "slap_state"),
            parameters: instance_xml::as_parameters(&parameters),
            connection: connection(field(&view, "connection_parameter_list"))?,
            news: field(&view, "news")
                .and_then(|news| news.get("instance"))
                .and_then(Json::as_array)
                .map(|news| news.iter().map(|entry| text(entry, "text")).collect()),
        })
    }

    /// All computers.
    ///
    /// # Errors
    /// As [`Self::hateoas_url`].
    pub fn computers(&self) -> Result<Vec<ComputerSummary>, ClientError> {
        let rows = self.search(COMPUTERS, &["title", "reference"])?;
        Ok(rows
            .iter()
            .map(|r| ComputerSummary { title: text(r, "title"), reference: text(r, "reference") })
            .collect())
    }

    /// One computer, by its id. `NotFound` when there is none.
    ///
    /// # Errors
    /// As [`Self::hateoas_url`].
    pub fn computer_info(&self, computer: &ComputerId) -> Result<ComputerInfo, ClientError> {
        let query = format!("{COMPUTERS} AND reference:={}", quoted(computer.as_str()));
        let view = self.find(&query, "reference", computer.as_str())?;
        Ok(ComputerInfo {
            reference: field_text(&view, "reference"),
            title: field_text(&view, "title"),
            news: field(&view, "news").and_then(|news| news.get("computer")).map(|news| text(news, "text")),
        })
    }

    fn search(&self, query: &str, columns: &[&str]) -> Result<Vec<Json>, ClientError> {
        let variables = [
            ("query", Variable::One(query)),
            ("select_list", Variable::Many(columns)),
            ("limit", Variable::One("1000")),
        ];
        let answer = self.follow("raw_search", &variables)?;
        match answer.pointer("/_embedded/contents") {
            Some(Json::Array(rows)) => Ok(rows.clone()),
            _ => Err(ClientError::answer("search", "the answer has no list of contents")),
        }
    }

    /// Searches for a single thing and returns the fields of its view.
    fn find(&self, query: &str, column: &str, wanted: &str) -> Result<Json, ClientError> {
        let rows = self.search(query, &[column, "relative_url"])?;
        let Some(row) = rows.iter().find(|row| text(row, column) == wanted) else {
            return Err(ClientError::NotFound { method: wanted.to_owned(), message: String::new() });
        };
        let relative_url = text(row, "relative_url");
        let variables =
            [("relative_url", Variable::One(&relative_url)), ("view", Variable::One("slaposjs_view"))];
        let mut answer = self.follow("traverse", &variables)?;
        match answer.pointer_mut("/_embedded/_view").map(Json::take) {
            Some(view @ Json::Object(_)) => Ok(view),
            _ => Err(ClientError::answer("traverse", "the answer has no view")),
        }
    }

    /// Reads the root document and follows one of its links.
    fn follow(&self, link: &str, variables: &[(&str, Variable<'_>)]) -> Result<Json, ClientError> {
        let root = self.json(&self.hateoas_url()?)?;
        let Some(template) = root.pointer(&format!("/_links/{link}/href")).and_then(Json::as_str) else {
            return Err(ClientError::answer("hateoas", format!("the root document has no link `{link}`")));
        };
        self.json(&expand(template, variables))
    }

    fn json(&self, url: &str) -> Result<Json, ClientError> {
        serde_json::from_str(&self.get_url(url)?).map_err(|source| ClientError::answer(url, source))
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn release(row: &Json) -> Option<SoftwareUrl> {
    text(row, "url_string").parse().ok()
}

fn text(object: &Json, name: &str) -> String {
    object.get(name).and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn field<'a>(view: &'a Json, name: &str) -> Option<&'a Json> {
    ["my_", "your_"].iter().find_map(|prefix| view.get(format!("{prefix}{name}"))?.get("default"))
}

fn field_text(view: &Json, name: &str) -> String {
    field(view, name).and_then(Json::as_str).unwrap_or_default().to_owned()
}

/// What was published: a parameter document from stand-alone masters, a list of pairs from production ones.
fn connection(value: Option<&Json>) -> Result<BTreeMap<String, String>, ClientError> {
    match value {
        Some(Json::String(document)) => {
            instance_xml::read(document).map_err(|source| ClientError::answer("service", source))
        }
        Some(Json::Array(pairs)) => {
            Ok(pairs.iter().map(|p| (text(p, "connection_key"), text(p, "connection_value"))).collect())
        }
        _ => Ok(BTreeMap::new()),
    }
}
