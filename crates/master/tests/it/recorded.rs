//! The exchanges that were recorded from the Python master, in `fixtures/wire/proxy.json`: every document is read and
//! written back to the same bytes, and our master answers the same to the same requests.

use std::collections::HashMap;

use camino::Utf8Path;
use serde::Deserialize;
use serde_json::Value as Json;
use slap::wire::Marshalled;

use crate::harness::TestMaster;

#[derive(Deserialize)]
struct Exchange {
    name: String,
    method: String,
    path: String,
    form: Option<HashMap<String, String>>,
    status: u16,
    body: String,
}

fn exchanges() -> Vec<Exchange> {
    let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/wire/proxy.json");
    serde_json::from_str(&fs_err::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_recorded_document_is_written_back_to_the_same_bytes() {
    let mut documents = 0;
    for exchange in exchanges() {
        let sent = exchange.form.iter().flat_map(HashMap::values);
        for document in sent.chain([&exchange.body]).filter(|text| text.starts_with("<marshal>")) {
            let value = Marshalled::read(document).unwrap();
            assert_eq!(value.write().unwrap(), *document, "{}", exchange.name);
            documents += 1;
        }
    }
    assert!(documents > 100, "{documents}");
}

#[test]
fn every_recorded_request_is_answered_as_it_was() {
    let master = TestMaster::start();
    let (mut theirs, mut ours) = (Timestamps::default(), Timestamps::default());
    for exchange in exchanges() {
        let form: Option<Vec<(&str, &str)>> =
            exchange.form.as_ref().map(|form| form.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect());

        let answer = master.send(&exchange.method, &exchange.path, form.as_deref());

        assert_eq!(answer.status, exchange.status, "{}: {}", exchange.name, answer.body);
        if exchange.body.starts_with("<marshal>") {
            let expected = theirs.normal(Marshalled::read(&exchange.body).unwrap());
            let found = ours.normal(Marshalled::read(&answer.body).unwrap());
            assert_eq!(found, correct(&exchange.name, expected), "{}", exchange.name);
        } else if exchange.body.starts_with('{') {
            compare_json(&exchange, &answer.body, &master);
        } else if exchange.status == 200 && exchange.body != "Ignored" {
            assert_eq!(answer.body, exchange.body, "{}", exchange.name);
        }
    }
}

/// Where the recorded answer is wrong, what it should have been.
fn correct(name: &str, mut expected: Marshalled) -> Marshalled {
    let (attribute, value) = match name {
        // The reference says `started` of an instance that is kept stopped.
        "keep stopped root" => ("_requested_state", Marshalled::text("stopped")),
        // The reference never forgets what was published for a shared instance.
        "destroy shared root again" => ("_connection_dict", Marshalled::Map(vec![])),
        _ => return expected,
    };
    let Marshalled::Object { attributes, .. } = &mut expected else { panic!("{name} is no object") };
    let (_, present) = attributes.iter_mut().find(|(name, _)| name == attribute).unwrap();
    assert_ne!(*present, value, "{name} is not wrong");
    *present = value;
    expected
}

/// Replaces timestamps by their numbers in the order of their first appearance: two masters that change them at the
/// same requests give the same numbers. Also takes away what only ours says.
#[derive(Default)]
struct Timestamps(Vec<String>);

impl Timestamps {
    fn normal(&mut self, value: Marshalled) -> Marshalled {
        match value {
            Marshalled::Map(entries) => Marshalled::Map(
                entries
                    .into_iter()
                    .filter(|(key, _)| *key != Marshalled::text("full_ip_list"))
                    .map(|(key, value)| match (key, value) {
                        (Marshalled::Text(key), Marshalled::Text(text)) if key == "timestamp" => {
                            (Marshalled::Text(key), self.number(text))
                        }
                        (key, value) => (key, self.normal(value)),
                    })
                    .collect(),
            ),
            Marshalled::Object { class, arguments, attributes } => Marshalled::Object {
                class,
                arguments,
                attributes: attributes
                    .into_iter()
                    .filter(|(name, _)| name != "_access_status" && name != "_filter_dict")
                    .map(|(name, value)| (name, self.normal(value)))
                    .collect(),
            },
            Marshalled::List(items) => {
                Marshalled::List(items.into_iter().map(|item| self.normal(item)).collect())
            }
            other => other,
        }
    }

    fn number(&mut self, text: String) -> Marshalled {
        let position = self.0.iter().position(|known| *known == text).unwrap_or_else(|| {
            self.0.push(text);
            self.0.len() - 1
        });
        Marshalled::Text(format!("timestamp {position}"))
    }
}

fn compare_json(exchange: &Exchange, body: &str, master: &TestMaster) {
    let expected: Json = serde_json::from_str(&exchange.body).unwrap();
    let found: Json = serde_json::from_str(body).unwrap();
    let name = &exchange.name;
    if let Some(rows) = expected.pointer("/_embedded/contents").and_then(Json::as_array) {
        let found = found.pointer("/_embedded/contents").and_then(Json::as_array).unwrap();
        assert_eq!(found.len(), rows.len(), "{name}: {body}");
        for (row, found) in rows.iter().zip(found) {
            for column in ["title", "url_string", "relative_url"] {
                assert_eq!(found.get(column), row.get(column), "{name}: {column}");
            }
        }
    } else if let Some(fields) = expected.pointer("/_embedded/_view").and_then(Json::as_object) {
        for (field, expected) in fields {
            let found = &found["_embedded"]["_view"][field];
            assert_eq!(
                (&found["default"], &found["type"]),
                (&expected["default"], &expected["type"]),
                "{name}: {field}"
            );
        }
        assert_eq!(found["_links"], expected["_links"], "{name}");
    } else {
        for link in ["raw_search", "traverse"] {
            let expected = expected["_links"][link]["href"].as_str().unwrap();
            let expected = expected.replace("http://127.0.0.1:16190", &master.url());
            assert_eq!(found["_links"][link]["href"], Json::String(expected), "{name}");
        }
    }
}
