//! One run of the engine, from settings to outcome.

mod annotate;
mod books;
mod conducts;
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
mod usage;
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
            let text = usage::usage(settings.command_line.arguments.first().map(String::as_str));
            engine.sink().event(Event::Text { text });
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
        Command::Annotate => annotate::annotate(engine, settings, &arguments),
        Command::Query => query::query(engine, &arguments),
        Command::Plan => show_plan::show_plan(engine, settings, &arguments),
        Command::Why => why::why(engine, settings, &arguments),
        Command::Graph => show_graph::show_graph(engine, settings, &arguments),
        Command::Setup => setup::run_script(engine, &arguments),
        Command::Help | Command::Version => Ok(Outcome::default()),
    }
}
