//! Whole builds with tiny recipes: the life cycle of parts, and what people see.

mod develop;
mod extensions;
mod failures;
mod hooks;
mod life_cycle;
mod looking;
mod messages;
mod parallel;
mod rebootstrap;
mod remote;

use std::sync::{Arc, Mutex};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    BuildError, CommandLine, Download, Event, ForeignRecipes, OptionDoc, Outcome, Part, Recipe, RecipeError,
    RecipeKind, Section, Settings, Sink, Uninstall,
};

/// Keeps the log. Of a part that failed it makes the file `PART-failed`, so that other parts can wait for it.
#[derive(Default)]
struct Listener {
    root: Utf8PathBuf,
    log: Mutex<String>,
}

impl Sink for Listener {
    fn event(&self, event: Event) {
        let mut log = self.log.lock().unwrap();
        match event {
            Event::Log { logger: None, message, .. } => log.push_str(&(message + "\n")),
            Event::Log { logger: Some(name), message, .. } => {
                log.push_str(&[name, ": ".to_owned(), message, "\n".to_owned()].concat());
            }
            Event::Text { text } => *log += &text,
            Event::PartOutput { line, .. } => log.push_str(&(line + "\n")),
            Event::PartFailed { part, .. } => {
                fs_err::write(self.root.join(part + "-failed"), "").unwrap();
            }
            _ => {}
        }
    }
}

/// A buildout directory of a test.
struct Bench {
    _guard: tempfile::TempDir,
    root: Utf8PathBuf,
}

struct Done {
    log: String,
    result: Result<Outcome, BuildError>,
}

impl Bench {
    fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(guard.path().canonicalize().unwrap()).unwrap();
        Self { _guard: guard, root }
    }

    fn with(profile: &str) -> Self {
        let bench = Self::new();
        bench.write("buildout.cfg", profile);
        bench
    }

    fn path(&self, path: &str) -> Utf8PathBuf {
        self.root.join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs_err::read_to_string(self.path(path)).unwrap()
    }

    fn run(&self, words: &str) -> Done {
        self.run_with(words, None)
    }

    fn run_with(&self, words: &str, foreign: Option<Arc<dyn ForeignRecipes>>) -> Done {
        let listener = Arc::new(Listener { root: self.root.clone(), ..Listener::default() });
        let mut settings = Settings::new(CommandLine::parse(words.split_whitespace()).unwrap(), &*self.root);
        settings.registry = RECIPES;
        settings.sink = listener.clone();
        settings.foreign = foreign;
        let result = crate::run(settings);
        let log = listener.log.lock().unwrap().replace(self.root.as_str(), "/dir");
        Done { log, result }
    }

    /// The log of a run that must end well.
    fn succeed(&self, words: &str) -> String {
        let done = self.run(words);
        if let Err(error) = done.result {
            panic!("{}", crate::report::render(&error, false));
        }
        done.log
    }

    /// Both messages of a run that must fail.
    fn fail(&self, words: &str) -> String {
        let error = self.run(words).result.expect_err("the build must fail");
        let text = format!("{}{}", crate::report::classic(&error), crate::report::render(&error, false));
        text.replace(self.root.as_str(), "/dir")
    }
}

const RECIPES: &[&dyn RecipeKind] =
    &[&FileKind, &NothingKind, &FetchKind, &parallel::BesideKind, &parallel::InOrderKind];

/// `test:file` writes `text` into `path`; options of its choice make it fail.
struct FileKind;
struct FileRecipe;

impl RecipeKind for FileKind {
    fn names(&self) -> &'static [&'static str] {
        &["test:file"]
    }

    fn summary(&self) -> &'static str {
        "write a file"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const OPTIONS: &[OptionDoc] =
            &[OptionDoc::required("path", "where"), OptionDoc::optional("text", "what")];
        OPTIONS
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let path = section.require("path")?;
        section.set("location", section.resolve(&path).into_string());
        if section.get("pins")?.is_some() {
            assert!(section.versions()?.contains_key("flask"));
        }
        if section.get("secret")?.is_some() {
            section.hide("secret");
        }
        if let Some(other) = section.get("reads")? {
            section.require_other(&other, "location")?;
        }
        if section.get("barrier")?.is_some() {
            section.barrier();
        }
        Ok(Box::new(FileRecipe))
    }

    fn uninstall(&self, part: &Uninstall<'_>) -> Result<(), RecipeError> {
        let log = part.directory.join("uninstalled");
        let before = host::files::read_text_if_present(&log).unwrap().unwrap_or_default();
        fs_err::write(log, format!("{before}{}\n", part.part)).unwrap();
        Ok(())
    }
}

impl Recipe for FileRecipe {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        let path = Utf8PathBuf::from(part.require("location")?);
        part.created(&path);
        let text = part.get("text")?.unwrap_or_default();
        fs_err::write(&path, text).unwrap();
        if let Some(mode) = part.get("mode")? {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(u32::from_str_radix(&mode, 8).unwrap());
            fs_err::set_permissions(&path, mode).unwrap();
        }
        if part.get("fail")?.as_deref() == Some("install") {
            return Err(RecipeError::new("the part refuses").option("fail").hint("set `fail = no`"));
        }
        Ok(vec![path])
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        if part.path_exists("fail-update") {
            return Err(RecipeError::new("the update fails"));
        }
        Ok(Vec::new())
    }
}

impl Part<'_> {
    fn path_exists(&self, path: &str) -> bool {
        self.resolve(path).exists()
    }
}

/// `test:fetch` fetches `url`.
struct FetchKind;
struct FetchRecipe;

impl RecipeKind for FetchKind {
    fn names(&self) -> &'static [&'static str] {
        &["test:fetch"]
    }

    fn summary(&self) -> &'static str {
        "fetch a file"
    }

    fn options(&self) -> &'static [OptionDoc] {
        &[]
    }

    fn initialise(&self, _: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        Ok(Box::new(FetchRecipe))
    }
}

impl Recipe for FetchRecipe {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        let download = Download::new(part.require("url")?).md5(part.get("md5sum")?);
        part.download(&download)?;
        Ok(Vec::new())
    }
}

/// `test` does nothing.
struct NothingKind;
struct NothingRecipe;

impl RecipeKind for NothingKind {
    fn names(&self) -> &'static [&'static str] {
        &["test"]
    }

    fn summary(&self) -> &'static str {
        "do nothing"
    }

    fn options(&self) -> &'static [OptionDoc] {
        &[]
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        section.options()?;
        Ok(Box::new(NothingRecipe))
    }
}

impl Recipe for NothingRecipe {
    fn install(&mut self, _: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        Ok(Vec::new())
    }

    fn late_option(&mut self, option: &str) -> Result<Option<String>, RecipeError> {
        Ok(option.strip_prefix("late-").map(str::to_owned))
    }
}

fn exists(path: impl AsRef<Utf8Path>) -> bool {
    path.as_ref().exists()
}
