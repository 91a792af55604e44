//! The scripts that a part writes: which, under which names, and their entry points.

use buildout::eggs::scripts::{
    ScriptSettings, entry_point_script, file_script, interpreter_script, write_script,
};
use buildout::eggs::{EntryPoint, WorkingSet};
use buildout::{Level, Part, RecipeError};
use camino::Utf8PathBuf;

/// The scripts that a part asks for, with the names that they get.
pub(super) struct Wanted(Vec<(String, String)>);

impl Wanted {
    /// Reads the option `scripts`.
    pub(super) fn parse(text: &str) -> Self {
        let pair = |word: &str| {
            let (name, new) = word.split_once('=').unwrap_or((word, word));
            (name.to_owned(), new.to_owned())
        };
        Self(text.split_whitespace().map(pair).collect())
    }

    /// Whether the part asks for none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn target(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(wanted, _)| wanted == name).map(|(_, new)| new.as_str())
    }
}

/// Writes the scripts of one part.
pub(super) struct Writer {
    directory: Utf8PathBuf,
    settings: ScriptSettings,
    wanted: Option<Wanted>,
    written: Vec<Utf8PathBuf>,
}

impl Writer {
    /// For the scripts that are `wanted`, all without, in `directory`.
    pub(super) fn new(directory: Utf8PathBuf, settings: ScriptSettings, wanted: Option<Wanted>) -> Self {
        Self { directory, settings, wanted, written: Vec::new() }
    }

    /// The scripts of the required distributions, and those of `further` entry points.
    pub(super) fn write_all(
        &mut self,
        part: &mut Part<'_>,
        set: &WorkingSet,
        requirements: &[String],
        further: &[EntryPoint],
    ) -> Result<(), RecipeError> {
        let mut entry_points = Vec::new();
        let mut script_files = Vec::new();
        for requirement in requirements {
            entry_points.extend(set.entry_points(requirement, "console_scripts")?);
            script_files.extend(set.script_files(requirement)?);
        }
        entry_points.extend_from_slice(further);
        for point in &entry_points {
            if let Some(target) = self.target(&point.name) {
                let text = entry_point_script(&self.settings, &target, &point.module, &point.attribute);
                self.write(part, target, &text, "script")?;
            }
        }
        for (name, new) in self.wanted.iter().flat_map(|wanted| &wanted.0) {
            let known = entry_points.iter().any(|point| point.name == *name)
                || script_files.iter().any(|(file, _)| file == name);
            if !known {
                let source = if name == new { "it".to_owned() } else { format!("script '{name}'") };
                part.log_plainly(
                    Level::Warning,
                    format!(
                        "Could not generate script '{new}' as {source} is not defined in the egg entry points."
                    ),
                );
            }
        }
        for (name, text) in &script_files {
            if let Some(target) = self.target(name)
                && let Some(text) = file_script(&self.settings, &target, text)
            {
                self.write(part, target, &text, "script")?;
            }
        }
        Ok(())
    }

    /// An interpreter that knows the distributions.
    pub(super) fn write_interpreter(&mut self, part: &mut Part<'_>, name: &str) -> Result<(), RecipeError> {
        let target = self.directory.join(name);
        let text = interpreter_script(&self.settings, &target);
        self.write(part, target, &text, "interpreter")
    }

    /// The paths of everything that was written.
    pub(super) fn into_written(self) -> Vec<Utf8PathBuf> {
        self.written
    }

    /// Where a script goes; `None` when the part does not ask for it.
    fn target(&self, name: &str) -> Option<Utf8PathBuf> {
        let name = match &self.wanted {
            Some(wanted) => wanted.target(name)?,
            None => name,
        };
        Some(self.directory.join(name))
    }

    fn write(
        &mut self,
        part: &mut Part<'_>,
        target: Utf8PathBuf,
        text: &str,
        kind: &str,
    ) -> Result<(), RecipeError> {
        part.created(target.clone());
        if write_script(&target, text)? {
            part.log_plainly(Level::Info, format!("Generated {kind} '{target}'."));
        }
        self.written.push(target);
        Ok(())
    }
}

/// Reads the option `entry-points`.
pub(super) fn parse_entry_points(text: &str) -> Result<Vec<EntryPoint>, RecipeError> {
    let is_path = |text: &str| {
        text.split('.').all(|word| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_'))
    };
    text.split_whitespace()
        .map(|word| {
            let parsed = word.split_once('=').and_then(|(name, object)| {
                let (module, attribute) = object.split_once(':')?;
                let sound = !name.is_empty() && is_path(module) && is_path(attribute);
                sound.then(|| EntryPoint {
                    name: name.into(),
                    module: module.into(),
                    attribute: attribute.into(),
                })
            });
            parsed.ok_or_else(|| {
                RecipeError::new("Invalid entry point")
                    .hint(format!("write `{word}` as `name=module:attribute`"))
                    .option("entry-points")
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_points_are_names_of_objects() {
        let points = parse_entry_points("run=a.b:main\n  x=c:D.e").unwrap();

        assert_eq!((points[1].module.as_str(), points[1].attribute.as_str()), ("c", "D.e"));
        for bad in ["run", "run=a", "=a:b", "run=a:", "run=a-b:c", "run=a:b()"] {
            assert_eq!(parse_entry_points(bad).unwrap_err().to_string(), "Invalid entry point", "{bad}");
        }
    }

    #[test]
    fn scripts_can_get_other_names() {
        let wanted = Wanted::parse("flask gunicorn=serve\n");

        assert_eq!(wanted.target("flask"), Some("flask"));
        assert_eq!(wanted.target("gunicorn"), Some("serve"));
        assert_eq!(wanted.target("other"), None);
    }
}
