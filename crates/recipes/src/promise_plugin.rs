//! `slapos.cookbook:promise.plugin`: writes a promise, the Python file that checks whether an instance is well.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `module` | Python module that has the class; one beside the profile is found too | this or `file` |
//! | `file` | Python file that has the class | this or `module` |
//! | `class` | name of the class | `RunPromise` |
//! | `output` | file to write, in `etc/plugin` of the instance | required |
//! | `eggs` | distributions that the promise imports, one on each line | none |
//! | `mode` | mode of the file, in octal | `0644` |
//! | `config-*` | parameters of the promise, without the `config-`; the promise reads them by `getConfig` | |
//!
//! Offers `eggs-directory` and `develop-eggs-directory`. Install and update write the file when it differs. Without
//! `eggs`, or when the distributions do not hold the class that promises derive from, the node's own is used.

use buildout::{OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section, Value};
use camino::{Utf8Path, Utf8PathBuf};

use crate::options::{filled, lines, mode};
use crate::output_file::write;
use crate::pretty;

/// The recipe.
#[derive(Debug)]
pub(crate) struct PromisePlugin;

struct Plugin {
    content: String,
    requirements: Vec<String>,
    /// Directory of a module that lies beside the profile.
    beside: Option<String>,
    parameters: Vec<(Value, Value)>,
    output: Utf8PathBuf,
    mode: u32,
}

impl RecipeKind for PromisePlugin {
    fn names(&self) -> &'static [&'static str] {
        &["slapos.cookbook:promise.plugin"]
    }

    fn summary(&self) -> &'static str {
        "writes a promise, which checks whether an instance is well"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const {
            &[
                OptionDoc::optional("module", "Python module that has the class"),
                OptionDoc::optional("file", "Python file that has the class"),
                OptionDoc::with_default("class", "name of the class", "RunPromise"),
                OptionDoc::required("output", "file to write, in etc/plugin of the instance"),
                OptionDoc::optional("eggs", "distributions that the promise imports, one on each line"),
                OptionDoc::with_default("mode", "mode of the file, in octal", "0644"),
                OptionDoc::optional("config-*", "parameters of the promise, without the `config-`"),
            ]
        }
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        for directory in ["eggs-directory", "develop-eggs-directory"] {
            let path = section.require_other("buildout", directory)?;
            section.set(directory, path);
        }
        let class = class(section)?;
        let (content, beside) = match (filled(section, "module")?, filled(section, "file")?) {
            (Some(module), None) => {
                let beside = module_beside(section, &module);
                (import_of_module(&module, class.as_deref())?, beside)
            }
            (None, Some(file)) => (import_of_file(&file, class.as_deref()), None),
            _ => {
                return Err(RecipeError::new("Either 'module' or 'file' is required but not both")
                    .hint("write `module = package.module`, or `file = …` with the path of a Python file"));
            }
        };
        let mut parameters = Vec::new();
        for option in section.option_names() {
            if let Some(name) = option.strip_prefix("config-") {
                let value = section.value(&option)?.unwrap_or(Value::None);
                parameters.push((Value::from(name), value));
            }
        }
        let eggs = section.get("eggs")?.unwrap_or_default();
        let output = section.require("output")?;
        Ok(Box::new(Plugin {
            content,
            requirements: lines(&eggs).map(str::to_owned).collect(),
            beside,
            parameters,
            output: section.resolve(&output),
            mode: mode(section, "mode")?.unwrap_or(0o644),
        }))
    }
}

/// The class's name when it is not the usual one.
fn class(section: &mut Section<'_>) -> Result<Option<String>, RecipeError> {
    match filled(section, "class")?.filter(|class| class != "RunPromise") {
        Some(class) if !is_python_name(&class) => {
            Err(RecipeError::new(format!("'{class}' is not a valid class name"))
                .option("class")
                .hint("a class is named by letters, digits and underscores"))
        }
        class => Ok(class),
    }
}

const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

fn is_python_name(name: &str) -> bool {
    let starts_well = name.starts_with(|first: char| first == '_' || first.is_alphabetic());
    starts_well && name.chars().all(|next| next == '_' || next.is_alphanumeric()) && !KEYWORDS.contains(&name)
}

fn import_of_module(module: &str, class: Option<&str>) -> Result<String, RecipeError> {
    if !module.split('.').all(is_python_name) {
        return Err(RecipeError::new(format!("'{module}' is not a valid module name"))
            .option("module")
            .hint("a module is named by its dotted path, such as `slapos.promise.plugin.check_socket_listening`"));
    }
    Ok(match class {
        Some(class) => format!("from {module} import {class} as RunPromise"),
        None => format!("from {module} import RunPromise"),
    })
}

/// Runs the file as if it were the plugin itself, with its own name in tracebacks.
fn import_of_file(file: &str, class: Option<&str>) -> String {
    let path = Value::from(file).representation().unwrap_or_default();
    let run = format!("with open({path}) as source:\n  exec(compile(source.read(), source.name, 'exec'))");
    match class {
        Some(class) => format!("{run}\n\nRunPromise = {class}"),
        None => run,
    }
}

/// The directory of the profile, when the module's file lies there. The profile of an instance is a copy: its release,
/// and what that was made from, are looked at too.
fn module_beside(section: &Section<'_>, module: &str) -> Option<String> {
    let release = section.resolve("software_release");
    let mut directories =
        vec![Utf8PathBuf::from(section.profile_base()), section.directory().to_owned(), release.clone()];
    directories.extend(made_from(&release.join("instance.cfg")));
    let first = module.split('.').next().unwrap_or(module);
    directories
        .into_iter()
        .find(|directory| {
            directory.join(format!("{first}.py")).is_file()
                || directory.join(first).join("__init__.py").is_file()
        })
        .map(Utf8PathBuf::into_string)
}

/// The directory that a release's instance profile was rendered from, which its first line names.
fn made_from(profile: &Utf8Path) -> Option<Utf8PathBuf> {
    let text = fs_err::read_to_string(profile).ok()?;
    let source = text.lines().next()?.strip_prefix("# Made from instance.cfg.in of ")?;
    Utf8Path::new(source.trim().trim_start_matches("file://")).parent().map(Utf8Path::to_owned)
}

/// The text of the plugin.
fn text(paths: Vec<String>, parameters: &[(Value, Value)], content: &str) -> Result<String, RecipeError> {
    let serialised = |value: &Value| {
        pretty::format(value)
            .map_err(|error| RecipeError::new("a parameter of the promise has no text").because(error))
    };
    let paths = serialised(&Value::Tuple(paths.into_iter().map(Value::Str).collect()))?;
    let parameters = serialised(&Value::Dict(parameters.to_vec()))?;
    Ok(format!(
        "# This promise is generated by slapgrid: changes are lost.\n\
         import sys\n\
         sys.path[0:0] = {paths}\n\
         \n\
         extra_config_dict = {parameters}\n\
         \n\
         # The process that runs promises may have imported other versions of these packages; with the path above they are\n\
         # to be imported anew.\n\
         for name in [name for name in sys.modules if 'slapos' in name or 'pkg_resources' in name]:\n  \
           del sys.modules[name]\n\
         \n\
         {content}\n"
    ))
}

impl Plugin {
    fn paths(&self, part: &mut Part<'_>) -> Result<Vec<String>, RecipeError> {
        let mut paths: Vec<String> = self.beside.iter().cloned().collect();
        if self.requirements.is_empty() {
            return Ok(paths);
        }
        let is_library = |requirement: &&String| {
            requirement.to_ascii_lowercase().replace(['_', '.'], "-") == "slapos-core"
        };
        let without: Vec<String> = self.requirements.iter().filter(|one| !is_library(one)).cloned().collect();
        let settings = part.egg_settings()?;
        let set = match part.install_eggs(&settings, &self.requirements) {
            // The node has the class that promises derive from, when the release does not install its library.
            Err(_) if without.is_empty() => return Ok(paths),
            Err(_) if without.len() < self.requirements.len() => part.install_eggs(&settings, &without)?,
            set => set?,
        };
        paths.extend(set.path().into_iter().map(Utf8PathBuf::into_string));
        Ok(paths)
    }
}

impl Recipe for Plugin {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        let paths = self.paths(part)?;
        write(&self.output, &text(paths, &self.parameters, &self.content)?, self.mode)?;
        Ok(vec![self.output.clone()])
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.install(part)
    }
}
