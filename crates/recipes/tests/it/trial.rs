//! A directory with a profile, and what building it gives.

use std::error::Error;
use std::sync::{Arc, Mutex};

use buildout::{BuildError, Command, CommandLine, Event, ForeignRecipes, Outcome, Settings, Sink};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

/// A buildout directory that vanishes with the trial.
pub(crate) struct Trial {
    _guard: tempfile::TempDir,
    root: Utf8PathBuf,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Sink for Log {
    fn event(&self, event: Event) {
        let line = match event {
            Event::Log { logger, message, .. } => format!("{}: {message}", logger.unwrap_or_default()),
            Event::PartOutput { line, .. } => line,
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

/// Keeps what is printed.
#[derive(Default)]
struct Said(Mutex<String>);

impl Sink for Said {
    fn event(&self, event: Event) {
        if let Event::Text { text } = event {
            *self.0.lock().unwrap() += &text;
        }
    }
}

impl Trial {
    /// An empty directory.
    pub(crate) fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(guard.path().canonicalize().unwrap()).unwrap();
        Self { _guard: guard, root, log: Arc::default() }
    }

    /// A directory with this `buildout.cfg`.
    pub(crate) fn with_profile(profile: &str) -> Self {
        let trial = Self::new();
        trial.write("buildout.cfg", profile);
        trial
    }

    /// The absolute path of something in the directory.
    pub(crate) fn path(&self, name: &str) -> Utf8PathBuf {
        self.root.join(name)
    }

    pub(crate) fn root(&self) -> &Utf8Path {
        &self.root
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        host::files::replace(&path, content, 0o644).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn mode(&self, name: &str) -> u32 {
        use std::os::unix::fs::PermissionsExt;
        fs::symlink_metadata(self.path(name)).unwrap().permissions().mode() & 0o7777
    }

    /// Builds `buildout.cfg`.
    pub(crate) fn build(&self) -> Result<Outcome, BuildError> {
        self.build_with(None)
    }

    /// Builds `buildout.cfg` with recipes written elsewhere.
    pub(crate) fn build_with(&self, foreign: Option<Arc<dyn ForeignRecipes>>) -> Result<Outcome, BuildError> {
        buildout::run(Settings { foreign, ..self.settings() })
    }

    /// Builds `buildout.cfg` with these variables, too.
    pub(crate) fn build_in(&self, variables: &[(&str, &str)]) -> Result<Outcome, BuildError> {
        let mut settings = self.settings();
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        settings.environment.extend(variables);
        buildout::run(settings)
    }

    /// What a command that only looks prints.
    pub(crate) fn look(&self, words: &[&str]) -> String {
        let mut settings = self.settings();
        settings.command_line.command = match words[0] {
            "plan" => Command::Plan,
            "why" => Command::Why,
            _ => Command::Graph,
        };
        settings.command_line.arguments = words[1..].iter().map(|word| (*word).to_owned()).collect();
        let said = Arc::new(Said::default());
        settings.sink = Arc::clone(&said) as Arc<dyn Sink>;
        settings.foreign = Some(Arc::new(buildout::foreign::PythonRecipes::default()));
        if let Err(error) = buildout::run(settings) {
            panic!("{}", buildout::report::render(&error, false));
        }
        said.0.lock().unwrap().replace(self.root.as_str(), "DIRECTORY")
    }

    /// Everything in the directory, with the time of its last change.
    pub(crate) fn state(&self) -> Vec<(Utf8PathBuf, std::time::SystemTime)> {
        let (mut found, mut todo) = (Vec::new(), vec![self.root.clone()]);
        while let Some(directory) = todo.pop() {
            for entry in directory.read_dir_utf8().unwrap() {
                let path = entry.unwrap().into_path();
                let metadata = path.symlink_metadata().unwrap();
                if metadata.is_dir() {
                    todo.push(path.clone());
                }
                found.push((path, metadata.modified().unwrap()));
            }
        }
        found.sort();
        found
    }

    fn settings(&self) -> Settings {
        let command_line = CommandLine::parse(["-c", self.path("buildout.cfg").as_str()]).unwrap();
        Settings {
            environment: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
            registry: recipes::REGISTRY,
            hooks: recipes::hooks(),
            sink: Arc::clone(&self.log) as Arc<dyn Sink>,
            engine: vec!["/opt/slapos".to_owned(), "buildout".to_owned()],
            ..Settings::new(command_line, self.root.clone())
        }
    }

    /// Builds, which must work.
    pub(crate) fn built(&self) -> Outcome {
        self.build().unwrap_or_else(|error| panic!("{}", buildout::report::render(&error, false)))
    }

    /// Builds, which must fail; what a person is told, with the directory's name replaced.
    pub(crate) fn refused(&self) -> String {
        let error = self.build().expect_err("the build must fail");
        let mut text = format!("{}: {error}", error.code());
        let mut said = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            // An error that only passes on its cause says the same.
            if cause.to_string() != said {
                said = cause.to_string();
                text = format!("{text}\n  because: {said}");
            }
            source = cause.source();
        }
        if let buildout::Fault::Recipe { error, .. } = error.fault() {
            for hint in error.hints() {
                text = format!("{text}\n  hint: {hint}");
            }
        }
        text.replace(self.root.as_str(), "DIRECTORY")
    }

    /// The lines that were logged so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.0.lock().unwrap().clone()
    }
}
