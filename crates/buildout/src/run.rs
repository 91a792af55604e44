//! One run of the engine, from settings to outcome.

mod annotate;
mod books;
mod develop;
mod extensions;
mod install;
mod launcher;
mod locate;
mod look;
mod parts;
mod past;
mod query;
mod rebootstrap;
mod record;
mod sequence;
mod setup;
mod show_graph;
mod show_plan;
mod strip;
mod team;
mod territory;
mod why;
mod work;

#[cfg(test)]
mod tests;

pub(crate) use locate::line_range;

use crate::engine::{Activity, Engine};
use crate::{BuildError, Command, Event, Outcome, Settings, load};

/// Profiles may nest references deeper than the stack of a main thread reaches. Only what is used of it takes memory.
const STACK: usize = 256 * 1024 * 1024;

/// Does what the command line of `settings` asks for.
///
/// # Errors
/// Everything that a profile, a recipe or the machine can do wrong; what was installed before is recorded, so that the
/// next run goes on where this one failed.
pub fn run(settings: Settings) -> Result<Outcome, BuildError> {
    on_deep_stack(|| run_here(settings))
}

/// Does `work` where references may nest as deep as the engine lets them.
pub(crate) fn on_deep_stack<T: Send>(
    work: impl FnOnce() -> Result<T, BuildError> + Send,
) -> Result<T, BuildError> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("buildout".to_owned()).stack_size(STACK);
        let running = thread
            .spawn_scoped(scope, work)
            .map_err(|source| BuildError::file("cannot start a thread", source))?;
        running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn run_here(mut settings: Settings) -> Result<Outcome, BuildError> {
    let mut engine = Engine::new(&settings);
    let outcome = dispatch(&mut engine, &mut settings).map_err(|error| {
        let error = with_excerpts(&engine, error);
        if settings.command_line.debug {
            let text = engine.post_mortem(&error);
            return error.with_post_mortem(text);
        }
        error
    })?;
    engine.sink().event(Event::Done);
    Ok(outcome)
}

/// The error with the lines of the profiles that it is about.
pub(crate) fn with_excerpts(engine: &Engine, error: BuildError) -> BuildError {
    let excerpts = locate::excerpts(engine, &error);
    error.with_excerpts(excerpts)
}

fn dispatch(engine: &mut Engine, settings: &mut Settings) -> Result<Outcome, BuildError> {
    match settings.command_line.command {
        Command::Help => {
            engine.sink().event(Event::Text { text: USAGE.to_owned() });
            return Ok(Outcome::default());
        }
        Command::Version => {
            let text = format!("buildout version {}\n", env!("CARGO_PKG_VERSION"));
            engine.sink().event(Event::Text { text });
            return Ok(Outcome::default());
        }
        _ => {}
    }
    engine.doing(Activity::Plain("Initializing."), |engine| {
        if settings.command_line.command == Command::Init {
            setup::write_first_profile(engine, settings)?;
        }
        load::load(engine, settings)?;
        load::initialise_buildout(engine, settings)
    })?;
    let arguments = settings.command_line.arguments.clone();
    match settings.command_line.command {
        Command::Install => install::install(engine, settings, &arguments),
        Command::Init if !arguments.is_empty() => {
            setup::bootstrap(engine, settings)?;
            install::install(engine, settings, &[])
        }
        Command::Bootstrap | Command::Init => setup::bootstrap(engine, settings),
        Command::Annotate => annotate::annotate(engine, &arguments),
        Command::Query => query::query(engine, &arguments),
        Command::Plan => show_plan::show_plan(engine, settings, &arguments),
        Command::Why => why::why(engine, settings, &arguments),
        Command::Graph => show_graph::show_graph(engine, settings, &arguments),
        Command::Setup => setup::run_script(engine, &arguments),
        Command::Help | Command::Version => Ok(Outcome::default()),
    }
}

const USAGE: &str = "\
Usage: buildout [options] [assignments] [command [command arguments]]

Options:

  -c config_file

    Specify the path to the buildout configuration file to be used.
    This defaults to the file named \"buildout.cfg\" in the current
    working directory.  It may be a URL.

  -U

    Do not read the user's defaults, ~/.buildout/default.cfg, or default.cfg
    in the directory that the environment variable BUILDOUT_HOME names.

  -o, -O

    Do not, or do, use the network.

  -n, -N

    Do, or do not, look for newer distributions than those that are installed.

  -t seconds

    How long to wait for a server.

  -v, -q

    Say more, or less.  May be repeated.

  -D

    When the build fails, show how that came about: the options of the
    sections that were at work, as the profiles have them and expanded, and
    the trace of Python code.

  --python path

    The Python to use where the profile names none, instead of the python3
    of PATH: conditions of sections and recipes depend on it.

  --dry-run

    Say what would be done, and do nothing.

  --skip-signature-check

    Keep parts of which only the dependencies changed.

  --dialect slapos|upstream

    Whose rules hold where they differ: those of SlapOS, the default, or those
    of zc.buildout.

  -h, --help

    Print this text.

  --version

    Print the version.

Options of one letter combine (-UNv), and mix with assignments.

Assignments are of the form section:option=value, with += and -= too; the
section is buildout when none is given.

Commands:

  install [parts]

    Bring the directory to what the profile says; the default.

  bootstrap

    Make the directories and bin/buildout.

  init [requirements]

    Write a first profile, then bootstrap; with requirements, install them and
    an interpreter that has them.

  annotate [sections]

    Show every option with where it comes from; with -v, its whole history.

  query [section:]option

    Show one option, as the profile has it.

  plan [parts]

    Tell what install would do, and why; nothing is changed, as with the next
    two.

  why part

    Tell which option of which line makes a part be built again.

  graph

    Draw parts and what they refer to, as DOT; --format dot|svg|json,
    --profiles or --parts.

  setup script [words]

    Run a setup script, or that of a directory, with setuptools at hand.
";
