//! The option `import-list`: templates that a template may import, by alias.

use buildout::{RecipeError, Section, Value as OptionValue};
use camino::{Utf8Path, Utf8PathBuf};

use super::{key, words};
use crate::jinja::Loader;
use crate::options::{filled, lines};

/// Files and folders by alias.
#[derive(Debug, Clone)]
pub(super) struct Imports {
    entries: Vec<Entry>,
    delimiter: String,
}

#[derive(Debug, Clone)]
struct Entry {
    alias: String,
    path: Utf8PathBuf,
    is_folder: bool,
}

impl Imports {
    /// Reads the option, and with it the sections that it names.
    pub(super) fn read(section: &mut Section<'_>) -> Result<Self, RecipeError> {
        let delimiter = filled(section, "import-delimiter")?.unwrap_or_else(|| "/".to_owned());
        let mut entries: Vec<Entry> = Vec::new();
        let text = section.get("import-list")?.unwrap_or_default();
        for line in lines(&text) {
            let [kind, alias, expression] = words(line, "import-list")?;
            if entries.iter().any(|entry| entry.alias == alias) {
                return Err(
                    RecipeError::new(format!("Duplicate import-list entry '{alias}'")).option("import-list")
                );
            }
            let path = match kind {
                "rawfile" | "rawfolder" => expression.to_owned(),
                "file" | "folder" => match key(section, expression, "import-list")? {
                    OptionValue::Str(path) => path,
                    other => {
                        let message = format!("{expression} is not text but a {}", other.type_name());
                        return Err(RecipeError::new(message).option("import-list"));
                    }
                },
                other => {
                    return Err(RecipeError::new(format!("`{other}` is no kind of import"))
                        .option("import-list")
                        .hint("the kinds are rawfile, file, rawfolder and folder"));
                }
            };
            let path = section.resolve(&path);
            entries.push(Entry { alias: alias.to_owned(), path, is_folder: kind.ends_with("folder") });
        }
        Ok(Self { entries, delimiter })
    }

    fn path(&self, name: &str) -> Option<Utf8PathBuf> {
        let (alias, rest) = name.split_once(&self.delimiter).unwrap_or((name, ""));
        let entry = self.entries.iter().find(|entry| entry.alias == alias)?;
        if !entry.is_folder {
            return rest.is_empty().then(|| entry.path.clone());
        }
        let steps: Vec<&str> = rest.split(&self.delimiter).collect();
        // Nothing outside the folder can be imported.
        let is_inside = !steps.iter().any(|step| *step == ".." || step.starts_with('/'));
        is_inside.then(|| steps.iter().fold(entry.path.clone(), |path, step| path.join(step)))
    }
}

impl Loader for Imports {
    fn load(&self, name: &str) -> Result<Option<(String, String)>, String> {
        let Some(path) = self.path(name).filter(|path| path.is_file()) else { return Ok(None) };
        read(&path).map(|text| Some((path.into_string(), text)))
    }
}

fn read(path: &Utf8Path) -> Result<String, String> {
    fs_err::read_to_string(path).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_only_what_is_inside() {
        let entry = |alias: &str, is_folder| Entry {
            alias: alias.to_owned(),
            path: format!("/t/{alias}").into(),
            is_folder,
        };
        let imports = Imports {
            entries: vec![entry("one.jinja", false), entry("lib", true)],
            delimiter: "/".to_owned(),
        };

        assert_eq!(imports.path("one.jinja"), Some("/t/one.jinja".into()));
        assert_eq!(imports.path("one.jinja/x"), None);
        assert_eq!(imports.path("lib/a/b"), Some("/t/lib/a/b".into()));
        assert_eq!(imports.path("lib/../secret"), None);
        assert_eq!(imports.path("lib//etc"), Some("/t/lib/etc".into()));
        assert_eq!(imports.path("other"), None);
    }
}
