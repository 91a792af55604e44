//! A part while its recipe installs or updates it.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use camino::Utf8PathBuf;
use host::process::{Finished, Program};

use crate::desk::Desk;
use crate::engine::Engine;
use crate::window::Sight;
use crate::{Event, RecipeError, Window};

/// A part that is being installed or updated. What is set here is seen by others and not recorded.
pub struct Part<'a> {
    window: Window<'a>,
    created: Vec<Utf8PathBuf>,
}

impl<'a> Deref for Part<'a> {
    type Target = Window<'a>;

    fn deref(&self) -> &Self::Target {
        &self.window
    }
}

impl DerefMut for Part<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.window
    }
}

impl<'a> Part<'a> {
    pub(crate) fn new(engine: &'a mut Engine, name: &'a str) -> Self {
        Self { window: Window { sight: Sight::Build(engine), name }, created: Vec::new() }
    }

    /// A part that is worked on beside others.
    pub(crate) fn beside(desk: &'a Desk, name: &'a str) -> Self {
        Self { window: Window { sight: Sight::Desk(desk), name }, created: Vec::new() }
    }

    /// Tells of a path that is to be removed if the installation fails.
    pub fn created(&mut self, path: impl Into<Utf8PathBuf>) {
        self.created.push(path.into());
    }

    /// Prints a text as it is, line breaks included.
    pub fn print(&self, text: impl Into<String>) {
        let sink = match &self.window.sight {
            Sight::Build(engine) => engine.sink(),
            Sight::Desk(desk) => desk.sink(),
        };
        sink.event(Event::Text { text: text.into() });
    }

    /// Runs a program in the buildout directory, unless it has a directory of its own, with its output going into the
    /// progress of the build line by line. The program's own environment is all that it gets; a make in it shares the
    /// processors with the other parts.
    ///
    /// # Errors
    /// It could not be started. A program that ends badly is no error here.
    pub fn run(&mut self, program: Program) -> Result<Finished, RecipeError> {
        let program = if program.has_directory() { program } else { program.directory(self.directory()) };
        let name = self.window.name.to_owned();
        let (sink, jobs, holds_token) = match &self.window.sight {
            Sight::Build(engine) => (engine.sink(), Arc::clone(&engine.jobs), false),
            // Whoever gave the part its desk has taken a token for it.
            Sight::Desk(desk) => (desk.sink(), Arc::clone(desk.jobs()), true),
        };
        let _token = (!holds_token).then(|| jobs.token());
        // What a killed build has started must not go on writing where the next one builds.
        let program = jobs.lend(program).guarded();
        let finished = program.run(None, &mut |line| {
            sink.event(Event::PartOutput { part: name.clone(), line: line.to_owned() });
        });
        finished.map_err(|error| RecipeError::new(format!("cannot run {}", program.path())).because(error))
    }

    pub(crate) fn into_created(self) -> Vec<Utf8PathBuf> {
        self.created
    }
}
