//! `slapos buildout`, and the program `buildout`: builds what a profile says, in the directory of that profile.

mod interruption;
mod progress;
mod user;

use std::sync::Arc;

use buildout::foreign::{PythonRecipes, WORKER_LOST};
use buildout::{BuildError, CommandLine, Dialect, Settings, Sink, report};
use camino::Utf8PathBuf;
use host::clock::Clock;

use self::progress::Progress;
use crate::command::{Example, Group, Habit, Subcommand};
use crate::context::Context;
use crate::env::Environment;
use crate::failure::{Failure, Kind};

/// Build what a profile says
///
/// `slapos buildout --help` lists its options and commands, `slapos buildout COMMAND --help` shows one with examples. As a
/// program named `buildout` it takes the place of that of zc.buildout.
#[derive(Debug, clap::Args)]
pub(crate) struct Buildout {
    /// What the classic program takes: options, section:option=value assignments, a command and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

impl Subcommand for Buildout {
    const NAME: &'static str = "buildout";
    const GROUP: Group = Group::Other;
    const HABIT: Habit = Habit::Raw;
    const EXIT_CODES: &'static [(u8, &'static str)] =
        &[(5, "not root, and asked to build as another user"), (130, "interrupted")];
    const EXAMPLES: &'static [Example] = &[
        ("slapos buildout -c software.cfg", "build a profile here"),
        ("slapos buildout -c software.cfg annotate", "every option, and where it comes from"),
        ("slapos buildout plan", "what a build would do here, and why"),
        ("slapos buildout graph --format svg > parts.svg", "the parts and what they refer to"),
        ("slapos buildout --user builder -c software.cfg", "as root, build as another user"),
    ];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        host::signals::survive_too_large_files();
        let environment = context.environment;
        let mut command_line = match CommandLine::parse(self.words) {
            Ok(line) => line,
            Err(error) => {
                let dialect = error.dialect;
                return Ok(tell(context, &error.into(), dialect, false));
            }
        };
        if context.output.is_json() && command_line.answers() {
            command_line.arguments.push("--output=json".to_owned());
        }
        let dialect = command_line.dialect;
        let home = user::settle(&command_line, context)?;
        let environment = &home.map_or_else(|| environment.clone(), |account| environment.of_user(&account));
        let mut engine = vec![environment.program.to_string(), "buildout".to_owned()];
        if dialect == Dialect::Upstream {
            engine.extend(["--dialect", "upstream"].map(str::to_owned));
        }
        // Before there are threads.
        interruption::watch(&context.output)?;
        let clock: Arc<dyn Clock> = Arc::new(context.clock);
        let progress = Progress::new(&context.output, Arc::clone(&clock), command_line.answers());
        let settings = Settings {
            environment: environment
                .variables
                .iter()
                .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value.to_str()?.to_owned())))
                .collect(),
            user_defaults: user_defaults(environment),
            registry: recipes::REGISTRY,
            hooks: recipes::hooks(),
            foreign: Some(Arc::new(PythonRecipes::default())),
            python_cache: environment.cache.as_ref().map(|cache| cache.join("python")),
            sink: Arc::clone(&progress) as Arc<dyn Sink>,
            clock,
            dialect,
            engine,
            shared_store: environment.cache.as_ref().map(|cache| cache.join("eggs")),
            ..Settings::new(command_line, environment.working_directory.clone())
        };
        let (dialect, debug) = (settings.dialect, settings.command_line.debug);
        let wants_document = settings.command_line.wants_document();
        let is_ours = dialect == Dialect::Slapos;
        match progress.during(is_ours, &context.output, || buildout::run(settings)) {
            Ok(_) => Ok(0),
            Err(error) => {
                if wants_document {
                    context.output.say(&format!("{:#}", report::document(&error)));
                    return Ok(1);
                }
                if dialect == Dialect::Upstream && error.code() == WORKER_LOST {
                    // The Python engine has ended with the recipe, and can say nothing.
                    return Ok(1);
                }
                let code = tell(context, &error, dialect, debug);
                Ok(if host::process::is_ending() { Kind::Interrupted.exit_code() } else { code })
            }
        }
    }
}

/// Prints why a build failed; gives its exit code.
fn tell(context: &Context<'_>, error: &BuildError, dialect: Dialect, debug: bool) -> u8 {
    // The block that programs look for comes first, the full message last; the suite of zc.buildout knows the block
    // alone.
    let mut text = report::classic(error);
    if dialect == Dialect::Slapos || debug {
        text.push_str(&report::render(error, context.output.color));
    }
    if let Some(post_mortem) = error.post_mortem() {
        text = format!("{post_mortem}\n{text}");
    }
    context.output.say(&text);
    1
}

/// Where the user's defaults are.
fn user_defaults(environment: &Environment) -> Option<Utf8PathBuf> {
    let below_home = || environment.home.as_ref().map(|home| home.join(".buildout"));
    let directory = environment.buildout_home.clone().or_else(below_home)?;
    Some(environment.working_directory.join(directory).join("default.cfg"))
}
