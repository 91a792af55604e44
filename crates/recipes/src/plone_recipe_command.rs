//! `plone.recipe.command`: runs shell text.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `command` | shell text to run at installation | required |
//! | `update-command` | shell text to run at each later build | none |
//! | `location` | paths that the command makes, separated by blanks; they are removed with the part | none |
//! | `stop-on-error` | whether a command that fails ends the build: `yes`, `on`, `true` or `no`, `off`, `false` | `false` |
//! | `independent` | promise that the command uses only what the options of this section name, and makes only what `location` names: it then runs beside other parts | `false` |
//!
//! The text is run by `/bin/sh` in the buildout directory with the environment of the build.

use buildout::{Action, Level, OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section, Turn};
use camino::Utf8PathBuf;
use host::process::Program;

use crate::options::is_yes;

/// The recipe.
#[derive(Debug)]
pub(crate) struct Command;

struct Commands {
    install: Option<String>,
    update: Option<String>,
    paths: Vec<Utf8PathBuf>,
    stops_on_error: bool,
    is_independent: bool,
}

impl RecipeKind for Command {
    fn names(&self) -> &'static [&'static str] {
        &["plone.recipe.command"]
    }

    fn summary(&self) -> &'static str {
        "runs shell text"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const {
            &[
                OptionDoc::required("command", "shell text to run at installation"),
                OptionDoc::optional("update-command", "shell text to run at each later build"),
                OptionDoc::optional("location", "paths that the command makes, separated by blanks"),
                OptionDoc::with_default(
                    "stop-on-error",
                    "whether a command that fails ends the build",
                    "false",
                ),
                OptionDoc::with_default(
                    "independent",
                    "promise that the command uses only what the options of this section name, and makes only what \
                     `location` names: it then runs beside other parts",
                    "false",
                ),
            ]
        }
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let is_independent = section.get("independent")?.is_some_and(|value| is_yes(&value));
        let stops_on_error =
            match section.get("stop-on-error")?.map(|value| value.to_ascii_lowercase()).as_deref() {
                None | Some("" | "no" | "off" | "false" | "n" | "0") => false,
                Some("yes" | "on" | "true" | "y" | "1") => true,
                Some(other) => {
                    return Err(RecipeError::new(format!("`{other}` is neither yes nor no"))
                        .option("stop-on-error")
                        .hint("write `stop-on-error = true` or `stop-on-error = false`"));
                }
            };
        let location = section.get("location")?.unwrap_or_default();
        let paths = location.split_whitespace().map(|path| section.resolve(path)).collect();
        let (install, update) = (section.get("command")?, section.get("update-command")?);
        Ok(Box::new(Commands { install, update, paths, stops_on_error, is_independent }))
    }
}

impl Commands {
    fn run(&self, part: &mut Part<'_>, text: &str) -> Result<(), RecipeError> {
        part.log(Level::Info, format!("Running '{text}'"));
        let program = Program::new("/bin/sh").arg("-c").arg(text).envs(part.environment().clone());
        let finished = part.run(program)?;
        if finished.success() {
            return Ok(());
        }
        let message = match finished.status.code().filter(|_| !finished.timed_out) {
            Some(code) => format!("Non zero exit code ({code}) while running command."),
            None => format!("The command ended with {}.", finished.verdict()),
        };
        if self.stops_on_error {
            return Err(RecipeError::new(message)
                .option("command")
                .hint("the output of the command is above; the same text can be run in a shell to try it"));
        }
        part.log(Level::Warning, message);
        Ok(())
    }
}

impl Recipe for Commands {
    fn turn(&self, action: Action) -> Turn {
        if action == Action::Update && self.update.as_deref().is_none_or(str::is_empty) {
            return Turn::Quick;
        }
        // Shell text may use and change anything; only who wrote it knows.
        if self.is_independent { Turn::Beside } else { Turn::InOrder }
    }

    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        let Some(command) = self.install.clone().filter(|command| !command.is_empty()) else {
            return Err(RecipeError::new("No command specified")
                .option("command")
                .hint("add `command = …` with the shell text to run"));
        };
        for path in &self.paths {
            part.created(path.clone());
        }
        self.run(part, &command)?;
        Ok(self.paths.clone())
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        if let Some(command) = self.update.clone().filter(|command| !command.is_empty()) {
            self.run(part, &command)?;
        }
        Ok(Vec::new())
    }
}
