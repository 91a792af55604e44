//! A view: a form whose fields carry the properties of a thing.

use serde_json::{Map, Value as Json, json};

use super::Document;

/// Builds a view field by field.
pub(super) struct View {
    kind: &'static str,
    fields: Map<String, Json>,
}

impl View {
    /// A view of a thing of this kind, shown by this form.
    pub(super) fn new(kind: &'static str, form: &str) -> Self {
        let form_id = json!({"type": "StringField", "key": "form_id", "default": form});
        Self { kind, fields: Map::from_iter([("form_id".to_owned(), form_id)]) }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        let value = value.into();
        let kind = if value.is_number() { "IntegerField" } else { "StringField" };
        let field = json!({"type": kind, "key": format!("field_my_{name}"), "default": value});
        self.fields.insert(format!("my_{name}"), field);
        self
    }

    pub(super) fn document(self) -> Document {
        Document(json!({"_embedded": {"_view": self.fields}, "_links": {"type": {"name": self.kind}}}))
    }
}
