//! `zc.recipe.egg`: distributions and the scripts that start their programs.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `eggs` | requirements, one on each line | the part's name |
//! | `scripts` | names of the scripts to write, `name` or `name=new-name`; empty: none | all |
//! | `entry-points` | further programs, `name=module:attribute` | |
//! | `interpreter` | name of an interpreter to write that knows the distributions | |
//! | `initialization` | Python statements that run before each program | |
//! | `arguments` | text between the parentheses of the call | |
//! | `extra-paths` | further directories for `sys.path`, one on each line | |
//! | `dependent-scripts` | scripts of all distributions, not only of `eggs` | `false` |
//! | `relative-paths` | paths relative to the script | that of `[buildout]`, or `false` |
//! | `find-links` | directories, pages and files to look at | that of `[buildout]` |
//! | `index` | index to look at | that of `[buildout]` |
//! | `EGG-patches` | patches for one of the distributions, each `place` or `place#md5` | |
//! | `EGG-patch-options`, `EGG-patch-binary` | how they are applied | `-p0`, `patch` |
//! | `EGG-patch-revision` | number behind `+SlapOSPatched` in the version | how many patches there are |
//!
//! `zc.recipe.egg:eggs` takes `eggs`, `find-links` and `index` and writes no scripts. Update does what install does.

pub(crate) mod source_options;

use std::collections::BTreeMap;

use buildout::eggs::scripts::{
    ScriptSettings, entry_point_script, file_script, interpreter_script, write_script,
};
use buildout::eggs::{EntryPoint, Requirement, WorkingSet};
use buildout::{EggSettings, Level, OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section};
use camino::Utf8PathBuf;

/// `zc.recipe.egg` and `zc.recipe.egg:scripts`: distributions and their scripts.
pub(crate) struct Scripts;

/// `zc.recipe.egg:eggs`: distributions only.
pub(crate) struct OnlyEggs;

const EGGS: OptionDoc = OptionDoc::with_default("eggs", "requirements, one on each line", "the part's name");
pub(crate) const FIND_LINKS: OptionDoc =
    OptionDoc::with_default("find-links", "directories, pages and files to look at", "that of [buildout]");
pub(crate) const INDEX: OptionDoc =
    OptionDoc::with_default("index", "index to look at", "that of [buildout]");

impl RecipeKind for Scripts {
    fn names(&self) -> &'static [&'static str] {
        &["zc.recipe.egg", "zc.recipe.egg:scripts", "zc.recipe.egg:script"]
    }

    fn summary(&self) -> &'static str {
        "Install Python distributions and write the scripts that start their programs"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const OPTIONS: &[OptionDoc] = &[
            EGGS,
            OptionDoc::with_default(
                "scripts",
                "names of the scripts to write, `name` or `name=new-name`",
                "all",
            ),
            OptionDoc::optional("entry-points", "further programs, `name=module:attribute`"),
            OptionDoc::optional(
                "interpreter",
                "name of an interpreter to write that knows the distributions",
            ),
            OptionDoc::optional("initialization", "Python statements that run before each program"),
            OptionDoc::optional("arguments", "text between the parentheses of the call"),
            OptionDoc::optional("extra-paths", "further directories for `sys.path`, one on each line"),
            OptionDoc::with_default(
                "dependent-scripts",
                "scripts of all distributions, not only of `eggs`",
                "false",
            ),
            OptionDoc::with_default(
                "relative-paths",
                "paths relative to the script",
                "that of [buildout], or false",
            ),
            FIND_LINKS,
            INDEX,
        ];
        OPTIONS
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let eggs = set_egg_options(section)?;
        let bin_directory = directory_of(section, "bin-directory")?;
        section.set("bin-directory", &bin_directory);
        section.set("_b", bin_directory);

        let directory = section.directory().to_owned();
        let extra_paths: Vec<Utf8PathBuf> = lines(&section.get("extra-paths")?.unwrap_or_default())
            .map(|path| directory.join(path))
            .collect();
        if !extra_paths.is_empty() {
            let text: Vec<&str> = extra_paths.iter().map(|path| path.as_str()).collect();
            section.set("extra-paths", text.join("\n"));
        }
        let relative = match section.get("relative-paths")? {
            Some(own) => own,
            None => section.other("buildout", "relative-paths")?.unwrap_or_default(),
        };
        let relative_to = boolean("relative-paths", &relative)?.then(|| directory.clone());
        if relative_to.is_some() {
            section.set("buildout-directory", directory.as_str());
        }
        Ok(Box::new(ScriptsPart { eggs, extra_paths, relative_to }))
    }
}

impl RecipeKind for OnlyEggs {
    fn names(&self) -> &'static [&'static str] {
        &["zc.recipe.egg:eggs"]
    }

    fn summary(&self) -> &'static str {
        "Install Python distributions without writing scripts"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const OPTIONS: &[OptionDoc] = &[EGGS, FIND_LINKS, INDEX];
        OPTIONS
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        Ok(Box::new(EggsPart(set_egg_options(section)?)))
    }
}

/// Where this part's distributions come from, if the section says so itself.
pub(crate) struct Sources {
    find_links: Option<String>,
    index: Option<String>,
}

struct EggsPart(Sources);

struct ScriptsPart {
    eggs: Sources,
    extra_paths: Vec<Utf8PathBuf>,
    relative_to: Option<Utf8PathBuf>,
}

/// Adds the options that every recipe of the family offers.
fn set_egg_options(section: &mut Section<'_>) -> Result<Sources, RecipeError> {
    let sources = Sources::of(section)?;
    for (option, alias) in [("eggs-directory", "_e"), ("develop-eggs-directory", "_d")] {
        let directory = directory_of(section, option)?;
        section.set(option, &directory);
        section.set(alias, directory);
    }
    Ok(sources)
}

impl Sources {
    /// Reads them, and sets the options to what holds in the end.
    pub(crate) fn of(section: &mut Section<'_>) -> Result<Self, RecipeError> {
        let own_links = section.get("find-links")?;
        let links = match &own_links {
            Some(own) => own.clone(),
            None => section.other("buildout", "find-links")?.unwrap_or_default(),
        };
        if !links.trim().is_empty() {
            section.set("find-links", links.split_whitespace().collect::<Vec<_>>().join("\n"));
        }
        let own_index = section.get("index")?;
        let index = match &own_index {
            Some(own) => Some(own.clone()),
            None => section.other("buildout", "index")?,
        };
        if let Some(index) = index {
            section.set("index", index);
        }
        Ok(Self { find_links: own_links, index: own_index })
    }

    /// The settings of the build with these sources.
    pub(crate) fn settings(&self, part: &mut Part<'_>) -> Result<EggSettings, RecipeError> {
        let mut settings = part.egg_settings()?;
        if let Some(links) = &self.find_links {
            settings.find_links = links.split_whitespace().map(str::to_owned).collect();
        }
        if let Some(index) = &self.index {
            settings.index = Some(index.clone()).filter(|index| !index.trim().is_empty());
        }
        Ok(settings)
    }
}

/// A directory of `[buildout]`; it is not absolute yet when `[buildout]` itself refers to this part.
pub(crate) fn directory_of(section: &mut Section<'_>, option: &str) -> Result<String, RecipeError> {
    let directory = section.require_other("buildout", option)?;
    Ok(section.resolve(&directory).to_string())
}

impl Sources {
    /// Installs what the part asks for; gives the requirements of its own and everything that they need.
    fn install(&self, part: &mut Part<'_>) -> Result<(Vec<String>, WorkingSet), RecipeError> {
        let text = match part.get("eggs")? {
            Some(text) => text,
            None => part.name().to_owned(),
        };
        let requirements: Vec<String> = lines(&text).map(str::to_owned).collect();
        let settings = self.settings(part)?;
        for requirement in &requirements {
            build_patched(part, &settings, requirement)?;
        }
        let set = part.install_eggs(&settings, &requirements).map_err(|error| error.option("eggs"))?;
        part.set("executable", set.python().as_str());
        Ok((requirements, set))
    }
}

/// Builds a distribution for which the part has patches, unless it is there.
fn build_patched(part: &mut Part<'_>, settings: &EggSettings, requirement: &str) -> Result<(), RecipeError> {
    let Ok(parsed) = requirement.parse::<Requirement>() else { return Ok(()) };
    let project = &parsed.written;
    let patches = part.get(&format!("{project}-patches"))?.unwrap_or_default();
    if patches.trim().is_empty() || part.is_offline() {
        return Ok(());
    }
    let (build, _patches) = source_options::egg_build(part, Some(project), &BTreeMap::new(), &[])?;
    part.build_egg(settings, requirement, &build, &settings.eggs_directory)?;
    Ok(())
}

impl Recipe for EggsPart {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.0.install(part)?;
        Ok(Vec::new())
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.install(part)
    }
}

impl Recipe for ScriptsPart {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        let (requirements, set) = self.eggs.install(part)?;
        let wanted = part.get("scripts")?.map(|text| Wanted::parse(&text));
        if wanted.as_ref().is_some_and(|wanted| wanted.0.is_empty()) {
            return Ok(Vec::new());
        }
        let mut path = set.path();
        path.extend(self.extra_paths.iter().cloned());
        let script_settings = ScriptSettings {
            python: set.python().to_owned(),
            path,
            initialization: part.get("initialization")?.unwrap_or_default(),
            arguments: part.get("arguments")?.unwrap_or_default(),
            relative_to: self.relative_to.clone(),
        };
        let mut writer = Writer {
            directory: Utf8PathBuf::from(part.require("bin-directory")?),
            settings: script_settings,
            wanted,
            written: Vec::new(),
        };
        let further = parse_entry_points(&part.get("entry-points")?.unwrap_or_default())?;
        let mut requirements = requirements;
        if boolean("dependent-scripts", &part.get("dependent-scripts")?.unwrap_or_default())? {
            for (name, _) in set.versions() {
                if name != "setuptools" && !requirements.iter().any(|known| known == name) {
                    requirements.push(name.to_owned());
                }
            }
        }
        writer.write_all(part, &set, &requirements, &further)?;
        if let Some(name) = part.get("interpreter")?.filter(|name| !name.is_empty()) {
            let target = writer.directory.join(name);
            let text = interpreter_script(&writer.settings, &target);
            writer.write(part, target, &text, "interpreter")?;
        }
        Ok(writer.written)
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.install(part)
    }
}

/// The scripts that a part asks for, with the names that they get.
struct Wanted(Vec<(String, String)>);

impl Wanted {
    fn parse(text: &str) -> Self {
        let pair = |word: &str| {
            let (name, new) = word.split_once('=').unwrap_or((word, word));
            (name.to_owned(), new.to_owned())
        };
        Self(text.split_whitespace().map(pair).collect())
    }

    fn target(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(wanted, _)| wanted == name).map(|(_, new)| new.as_str())
    }
}

struct Writer {
    directory: Utf8PathBuf,
    settings: ScriptSettings,
    wanted: Option<Wanted>,
    written: Vec<Utf8PathBuf>,
}

impl Writer {
    fn write_all(
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

fn parse_entry_points(text: &str) -> Result<Vec<EntryPoint>, RecipeError> {
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

fn boolean(option: &'static str, text: &str) -> Result<bool, RecipeError> {
    match text {
        "true" => Ok(true),
        "false" | "" => Ok(false),
        other => Err(RecipeError::new(format!("Invalid value for {option} option: {other}"))
            .hint("write `true` or `false`")
            .option(option)),
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;
    use host::python::Interpreter;

    use super::*;

    /// Writes an egg directory that holds nothing but its metadata.
    fn write_egg(root: &Utf8Path, python: &str, name: &str, version: &str, files: &[(&str, &str)]) {
        let information = root.join(format!("eggs/{name}-{version}-py{python}.egg/EGG-INFO"));
        let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n");
        for (file, text) in [("PKG-INFO", metadata.as_str())].iter().chain(files) {
            let path = information.join(file);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
    }

    #[test]
    fn scripts_and_record_are_those_of_the_python_recipe() {
        let guard = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(fs_err::canonicalize(guard.path()).unwrap()).unwrap();
        let interpreter = Interpreter::discover(None, "/usr/bin:/bin", None).unwrap();
        let python = interpreter.short_version();
        let egg = |name, version, files: &[(&str, &str)]| write_egg(&root, &python, name, version, files);
        let scripts = |text| ("entry_points.txt", text);
        egg(
            "one",
            "1.0",
            &[("requires.txt", "three\ntwo>=1\n"), scripts("[console_scripts]\none = one.cli:main\n")],
        );
        egg(
            "two",
            "2.0",
            &[
                ("requires.txt", "four\n\n[more]\nfive\n"),
                scripts("[console_scripts]\ntwo = two:Main.run\n"),
                ("scripts/run.py", "#!python\nimport sys\nprint(sys.argv)\n"),
            ],
        );
        egg("three", "3.0", &[]);
        egg("four", "4.0", &[("requires.txt", "three\n")]);
        egg("five", "5.0", &[]);
        fs_err::write(root.join("buildout.cfg"), include_str!("../../../fixtures/zc_recipe_egg/profile.cfg"))
            .unwrap();
        let mut settings = buildout::Settings::new(buildout::CommandLine::default(), root.clone());
        settings.environment = [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into();
        settings.registry = crate::REGISTRY;

        buildout::run(settings).unwrap();

        let mut names: Vec<String> = root
            .join("bin")
            .read_dir_utf8()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_owned())
            .collect();
        names.sort();
        // The body of the interpreter is our own.
        names.retain(|name| name != "py");
        let mut found = String::new();
        for name in names.iter().map(|name| format!("bin/{name}")).chain([".installed.cfg".to_owned()]) {
            let text = fs_err::read_to_string(root.join(&name)).unwrap();
            let kept = text.split_inclusive('\n').filter(|line| !line.starts_with("__buildout_signature__"));
            found.extend(["==> ", name.as_str(), " <==\n"].into_iter().chain(kept));
        }
        let found = found
            .replace(root.as_str(), "@ROOT@")
            .replace(interpreter.path().as_str(), "@PYTHON@")
            .replace(&format!("py{python}"), "py@VERSION@");
        assert_eq!(found, include_str!("../../../fixtures/zc_recipe_egg/expected.txt"));
    }

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

    #[test]
    fn only_true_and_false_are_booleans() {
        assert!(boolean("dependent-scripts", "true").unwrap());
        assert_eq!(
            boolean("dependent-scripts", "yes").unwrap_err().to_string(),
            "Invalid value for dependent-scripts option: yes"
        );
    }
}
