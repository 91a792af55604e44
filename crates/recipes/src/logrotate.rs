//! `slapos.cookbook:logrotate`: the configuration and the start script of log rotation.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `conf` | configuration file to write | required |
//! | `wrapper` | script to write, which runs the rotation once | required |
//! | `logrotate-entries` | directory of the entries, see `slapos.cookbook:logrotate.d` | required |
//! | `logrotate-binary` | the program | required |
//! | `gzip-binary`, `gunzip-binary` | programs that compress and uncompress old logs | required |
//! | `state-file` | where the program keeps what it did | required |
//!
//! Install and update write both files when they differ.

use std::collections::BTreeMap;

use buildout::{OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section};
use camino::Utf8PathBuf;

use crate::output_file::write;
use crate::wrapper_script::script;

/// The recipe.
#[derive(Debug)]
pub(crate) struct Logrotate;

struct Rotation {
    configuration: (Utf8PathBuf, String),
    wrapper: (Utf8PathBuf, String),
}

impl RecipeKind for Logrotate {
    fn names(&self) -> &'static [&'static str] {
        &["slapos.cookbook:logrotate"]
    }

    fn summary(&self) -> &'static str {
        "writes the configuration and the start script of log rotation"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const {
            &[
                OptionDoc::required("conf", "configuration file to write"),
                OptionDoc::required("wrapper", "script to write, which runs the rotation once"),
                OptionDoc::required("logrotate-entries", "directory of the entries"),
                OptionDoc::required("logrotate-binary", "the program"),
                OptionDoc::required("gzip-binary", "program that compresses old logs"),
                OptionDoc::required("gunzip-binary", "program that uncompresses them"),
                OptionDoc::required("state-file", "where the program keeps what it did"),
            ]
        }
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let lines = [
            format!("compresscmd {}", section.require("gzip-binary")?),
            "compressoptions -9".to_owned(),
            format!("uncompresscmd {}", section.require("gunzip-binary")?),
            format!("include {}", section.require("logrotate-entries")?),
        ];
        let configuration = section.require("conf")?;
        let configuration = section.resolve(&configuration);
        let state_file = section.require("state-file")?;
        let command =
            [section.require("logrotate-binary")?, "-s".to_owned(), state_file, configuration.to_string()];
        let wrapper = section.require("wrapper")?;
        let wrapper = (section.resolve(&wrapper), script(&command, &BTreeMap::new(), None));
        Ok(Box::new(Rotation { configuration: (configuration, lines.join("\n")), wrapper }))
    }
}

impl Recipe for Rotation {
    fn install(&mut self, _: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        write(&self.configuration.0, &self.configuration.1, 0o600)?;
        write(&self.wrapper.0, &self.wrapper.1, 0o700)?;
        Ok(vec![self.wrapper.0.clone(), self.configuration.0.clone()])
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.install(part)
    }
}
