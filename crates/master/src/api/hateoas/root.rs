//! The root document: where to search and how to look at what was found.

use serde_json::json;

use super::{Document, PublicUrl};

pub(super) fn document(url: &PublicUrl) -> Document {
    let root = url.absolute("hateoas/");
    Document(json!({
        "_links": {
            "raw_search": {"href": format!("{root}?mode=search&query={{query}}&select_list={{select_list}}")},
            "self": {"href": root.trim_end_matches('/')},
            "traverse": {"href": format!("{root}?mode=traverse&relative_url={{relative_url}}&view={{view}}")},
        }
    }))
}
