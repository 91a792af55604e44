//! What `slapos up` was asked for, remembered so that it can be asked for again without being told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cloud::Cloud;
use crate::failure::{Failure, Kind};

/// One instance that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wish {
    /// Address of the release.
    pub(crate) url: String,
    /// Parameters of the request, as text.
    pub(crate) parameters: BTreeMap<String, String>,
}

/// All that was asked for, by title.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wishes {
    /// Title of the last one.
    pub(crate) last: Option<String>,
    /// Every one, by title.
    pub(crate) by_title: BTreeMap<String, Wish>,
}

impl Wishes {
    /// Reads what was asked for in a cloud; nothing when nothing was, or when the file is damaged.
    pub(crate) fn load(cloud: &Cloud) -> Self {
        let text = host::files::read_text_if_present(&cloud.request()).ok().flatten().unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Remembers them.
    pub(crate) fn store(&self, cloud: &Cloud) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(self).expect("texts become JSON");
        // Parameters may hold secrets.
        host::files::replace_if_changed(&cloud.request(), text + "\n", 0o600).map(drop)
    }

    /// The one to go on with when no profile is named.
    pub(crate) fn latest(&self) -> Result<(String, Wish), Failure> {
        let found =
            self.last.as_ref().and_then(|title| Some((title.clone(), self.by_title.get(title)?.clone())));
        found.ok_or_else(|| {
            Failure::new(Kind::Usage, "nothing was asked for in this cloud yet")
                .hint("name a profile: slapos up PROFILE")
                .code("E-usage")
        })
    }
}
