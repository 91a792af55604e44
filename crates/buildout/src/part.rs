//! A part while its recipe installs or updates it.

use std::ops::{Deref, DerefMut};

use camino::Utf8PathBuf;
use host::process::{Finished, Program};

use crate::engine::Engine;
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
        Self { window: Window { engine, name }, created: Vec::new() }
    }

    /// Tells of a path that is to be removed if the installation fails.
    pub fn created(&mut self, path: impl Into<Utf8PathBuf>) {
        self.created.push(path.into());
    }

    /// Changes the environment of processes that this build starts from here on.
    pub fn set_environment(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.window.engine.environment.insert(name.into(), value.into());
    }

    /// Runs a program in the buildout directory, unless it has a directory of its own, with its output going into the
    /// progress of the build line by line. The program's own environment is all that it gets.
    ///
    /// # Errors
    /// It could not be started. A program that ends badly is no error here.
    pub fn run(&mut self, program: Program) -> Result<Finished, RecipeError> {
        let program =
            if program.has_directory() { program } else { program.directory(self.window.engine.directory()) };
        let name = self.window.name.to_owned();
        let sink = self.window.engine.sink();
        let finished = program.run(None, &mut |line| {
            sink.event(Event::PartOutput { part: name.clone(), line: line.to_owned() });
        });
        finished.map_err(|error| RecipeError::new(format!("cannot run {}", program.path())).because(error))
    }

    pub(crate) fn into_created(self) -> Vec<Utf8PathBuf> {
        self.created
    }
}
