//! `slapos.cookbook:wrapper`: writes a script that becomes a program.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `command-line` | the program's path and its arguments, quoted as in a shell; the script's own arguments follow | required |
//! | `wrapper-path` | file to write; in `etc/service` or `etc/run` of an instance it is supervised | required |
//! | `environment` | variables, `NAME = value`, one on each line | none |
//! | `sig-ign` | signal to ignore until the program has a handler for it, such as `USR1` or `RTMIN+1` | none |
//! | `wait-for-files` | files that must exist before the program starts, separated by blanks | none |
//! | `pidfile` | file that gets the number of the process; the program is not started while it runs | none |
//! | `private-tmpfs` | file systems in memory that only the program sees: size and directory, one on each line | none |
//! | `reserve-cpu` | ask the node for a processor of its own | `false` |
//! | `redirect-stdout`, `redirect-stderr` | files that get the output, opened anew when the script gets the signal of `sig-ign`, else `USR1` | none |
//! | `redirect-signal` | signal that is then sent to the program | none |
//! | `hash-files` | files of this build, separated by blanks: their hash becomes part of the script's name, so that a change of them restarts the service | none |
//! | `hash-existing-files` | files that exist before this build, for the same | none |
//!
//! Install writes the script, with mode 0700. Update only checks that the name is still the same. The options from
//! `wait-for-files` to `redirect-signal` make the script start this program, which prepares the process and becomes
//! the other one.

use std::collections::BTreeMap;

use buildout::{OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section};
use camino::Utf8PathBuf;
use host::launcher::{Launcher, Redirection, signal_number};

use crate::options::{filled, is_yes, lines};
use crate::output_file::write;
use crate::shell;
use crate::wrapper_script::script;

mod hashes;

use hashes::Hashes;

/// The recipe.
#[derive(Debug)]
pub(crate) struct Wrapper;

struct Script {
    path: Utf8PathBuf,
    hashes: Hashes,
    text: String,
}

impl RecipeKind for Wrapper {
    fn names(&self) -> &'static [&'static str] {
        &["slapos.cookbook:wrapper"]
    }

    fn summary(&self) -> &'static str {
        "writes a script that becomes a program"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const {
            &[
                OptionDoc::required(
                    "command-line",
                    "the program's path and its arguments, quoted as in a shell",
                ),
                OptionDoc::required("wrapper-path", "file to write"),
                OptionDoc::optional("environment", "variables, `NAME = value`, one on each line"),
                OptionDoc::optional("sig-ign", "signal to ignore until the program has a handler for it"),
                OptionDoc::optional("wait-for-files", "files that must exist before the program starts"),
                OptionDoc::optional("pidfile", "file that gets the number of the process"),
                OptionDoc::optional("private-tmpfs", "file systems in memory that only the program sees"),
                OptionDoc::with_default("reserve-cpu", "ask the node for a processor of its own", "false"),
                OptionDoc::optional("redirect-stdout", "file that gets the standard output"),
                OptionDoc::optional("redirect-stderr", "file that gets the standard error"),
                OptionDoc::optional(
                    "redirect-signal",
                    "signal sent to the program when the files are opened anew",
                ),
                OptionDoc::optional("hash-files", "files of this build whose hash becomes part of the name"),
                OptionDoc::optional("hash-existing-files", "other files whose hash becomes part of the name"),
            ]
        }
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        for (option, directory) in [("_d", "develop-eggs-directory"), ("_e", "eggs-directory")] {
            // Compatibility: a part is built again when one of these changes.
            let path = section.require_other("buildout", directory)?;
            section.set(option, path);
        }
        let hashes = Hashes::read(section)?;
        let command = command(section)?;
        let environment = environment(section)?;
        let launcher = launcher(section)?;
        let ignored = filled(section, "sig-ign")?;
        let text = if launcher == Launcher::default() {
            script(&command, &environment, ignored.as_deref())
        } else {
            launched(section, Launcher { ignored_signal: ignored, ..launcher }, &command, environment)?
        };
        let path = section.require("wrapper-path")?;
        Ok(Box::new(Script { path: section.resolve(&path), hashes, text }))
    }
}

fn command(section: &mut Section<'_>) -> Result<Vec<String>, RecipeError> {
    let text = section.require("command-line")?;
    let words = shell::split(&text).map_err(|error| {
        RecipeError::new("the command line cannot be split into words")
            .because(error)
            .option("command-line")
            .hint("close the quotation, or write a backslash before a quotation mark that is meant as such")
    })?;
    if words.is_empty() {
        return Err(RecipeError::new("the command line is empty")
            .option("command-line")
            .hint("name a program"));
    }
    Ok(words)
}

fn environment(section: &mut Section<'_>) -> Result<BTreeMap<String, String>, RecipeError> {
    let text = section.get("environment")?.unwrap_or_default();
    let variables = lines(&text).map(|line| match line.split_once('=') {
        Some((name, value)) => Ok((name.trim_end().to_owned(), value.trim_start().to_owned())),
        None => Err(RecipeError::new(format!("the line `{line}` sets no variable"))
            .option("environment")
            .hint("write `NAME = value`")),
    });
    variables.collect()
}

/// A signal's name, checked.
fn signal(section: &mut Section<'_>, option: &str) -> Result<Option<String>, RecipeError> {
    match filled(section, option)? {
        Some(name) if signal_number(&name).is_none() => {
            Err(RecipeError::new(format!("invalid signal value: {name}"))
                .option(option)
                .hint("name a signal without SIG, such as `USR1` or `RTMIN+1`"))
        }
        signal => Ok(signal),
    }
}

/// What a shell script cannot do for the program.
fn launcher(section: &mut Section<'_>) -> Result<Launcher, RecipeError> {
    signal(section, "sig-ign")?;
    let redirection = Redirection {
        signal: signal(section, "redirect-signal")?,
        stdout: filled(section, "redirect-stdout")?.map(|path| section.resolve(&path)),
        stderr: filled(section, "redirect-stderr")?.map(|path| section.resolve(&path)),
    };
    if redirection.signal.is_some() && redirection.stdout.is_none() && redirection.stderr.is_none() {
        return Err(RecipeError::new("redirect-signal without redirecting any output makes no sense")
            .option("redirect-signal")
            .hint("add `redirect-stdout` or `redirect-stderr`, or remove the option"));
    }
    let mut private_tmpfs = Vec::new();
    for line in lines(&section.get("private-tmpfs")?.unwrap_or_default()) {
        let (size, path) = line.split_once(char::is_whitespace).ok_or_else(|| {
            RecipeError::new(format!("failed to split '{line}' into size and path"))
                .option("private-tmpfs")
                .hint("write a line such as `100M /path/of/directory`")
        })?;
        private_tmpfs.push((size.to_owned(), Utf8PathBuf::from(path.trim_start())));
    }
    let wait_for = section.get("wait-for-files")?.unwrap_or_default();
    Ok(Launcher {
        wait_for: wait_for.split_whitespace().map(|path| section.resolve(path)).collect(),
        pid_file: filled(section, "pidfile")?.map(|path| section.resolve(&path)),
        private_tmpfs,
        reserve_cpu: section.get("reserve-cpu")?.is_some_and(|value| is_yes(&value)),
        redirection: (redirection != Redirection::default()).then_some(redirection),
        ..Launcher::default()
    })
}

/// The script that starts this program, which does the rest.
fn launched(
    section: &Section<'_>,
    launcher: Launcher,
    command: &[String],
    environment: BTreeMap<String, String>,
) -> Result<String, RecipeError> {
    let program = section.program().ok_or_else(|| {
        RecipeError::new("this build does not know the path of its own program, which such a wrapper starts")
    })?;
    let launcher = Launcher {
        command: command.iter().map(Into::into).collect(),
        environment: environment.into_iter().collect(),
        ..launcher
    };
    let mut words = vec![program.to_owned(), "wrapper-launch".to_owned()];
    words.extend(launcher.to_words());
    Ok(script(&words, &BTreeMap::new(), None))
}

impl Script {
    fn final_path(&self) -> Result<Utf8PathBuf, RecipeError> {
        Ok(match self.hashes.digest()? {
            Some(digest) => Utf8PathBuf::from(format!("{}-{digest}", self.path)),
            None => self.path.clone(),
        })
    }
}

impl Recipe for Script {
    fn install(&mut self, _: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.hashes.refuse_foreign()?;
        let path = self.final_path()?;
        write(&path, &self.text, 0o700)?;
        Ok(vec![path])
    }

    fn update(&mut self, _: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        let path = self.final_path()?;
        if path.is_file() {
            return Ok(Vec::new());
        }
        Err(RecipeError::new(format!("unstable wrapper path ('{path}')"))
            .option("hash-files")
            .hint("a file of `hash-files` changed although no part that it depends on did; name its part in an option"))
    }
}
