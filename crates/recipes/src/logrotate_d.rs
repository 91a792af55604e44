//! `slapos.cookbook:logrotate.d`: one entry of log rotation.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `logrotate-entries` | directory of the entries | required |
//! | `name` | name of the entry's file | required |
//! | `log` | the logs, as the rotation program reads them: paths and patterns | required |
//! | `backup` | directory of the old logs | required |
//! | `post` | shell text to run after a rotation | |
//! | `pre` | shell text to run before a rotation | |
//!
//! Logs are rotated daily, kept for ten years and compressed from the second day. Install and update write the entry
//! when it differs.

use buildout::{OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section};
use camino::Utf8PathBuf;

use crate::output_file::write;

/// The recipe.
#[derive(Debug)]
pub(crate) struct LogrotateEntry;

struct Entry {
    path: Utf8PathBuf,
    text: String,
}

const POLICY: &str =
    "daily\ndateext\nrotate 3650\ncompress\ndelaycompress\nnotifempty\nsharedscripts\ncreate\n";

impl RecipeKind for LogrotateEntry {
    fn names(&self) -> &'static [&'static str] {
        &["slapos.cookbook:logrotate.d"]
    }

    fn summary(&self) -> &'static str {
        "writes one entry of log rotation"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const {
            &[
                OptionDoc::required("logrotate-entries", "directory of the entries"),
                OptionDoc::required("name", "name of the entry's file"),
                OptionDoc::required("log", "the logs: paths and patterns"),
                OptionDoc::required("backup", "directory of the old logs"),
                OptionDoc::optional("post", "shell text to run after a rotation"),
                OptionDoc::optional("pre", "shell text to run before a rotation"),
            ]
        }
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let mut text =
            format!("{} {{\n{POLICY}olddir {}\n", section.require("log")?, section.require("backup")?);
        for (option, keyword) in [("post", "postrotate"), ("pre", "prerotate")] {
            if let Some(commands) = section.get(option)? {
                text = format!("{text}{keyword}\n{commands}\nendscript\n");
            }
        }
        let (directory, name) = (section.require("logrotate-entries")?, section.require("name")?);
        Ok(Box::new(Entry { path: section.resolve(&directory).join(name), text: format!("{text}}}\n") }))
    }
}

impl Recipe for Entry {
    fn install(&mut self, _: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        write(&self.path, &self.text, 0o600)?;
        Ok(vec![self.path.clone()])
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.install(part)
    }
}
