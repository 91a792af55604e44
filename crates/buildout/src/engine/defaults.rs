//! The defaults of the `[buildout]` section.

use super::Engine;
use crate::syntax::Operator;
use crate::table::{Origin, Step};

/// Options of `[buildout]` that always have a value. `executable` is not among them: finding a Python costs time that
/// many builds need not spend, so it is found when somebody asks.
pub(crate) const DEFAULTS: [(&str, &str); 20] = [
    ("allow-hosts", "*"),
    ("allow-picked-versions", "true"),
    ("allow-unknown-extras", "false"),
    ("bin-directory", "bin"),
    ("develop-eggs-directory", "develop-eggs"),
    ("eggs-directory", "eggs"),
    ("find-links", ""),
    ("install-from-cache", "false"),
    ("installed", ".installed.cfg"),
    ("log-format", ""),
    ("log-level", "INFO"),
    ("newest", "true"),
    ("offline", "false"),
    ("parts-directory", "parts"),
    ("prefer-final", "true"),
    ("python", "buildout"),
    ("show-picked-versions", "false"),
    ("socket-timeout", ""),
    ("update-versions-file", ""),
    ("use-dependency-links", "true"),
];

impl Engine {
    pub(crate) fn apply_defaults(&mut self) {
        for (option, value) in DEFAULTS {
            let step = Step { operator: Operator::Set, value: value.to_owned(), origin: Origin::Default };
            self.table.assign("buildout", option, step);
        }
    }
}
