//! What a recipe says when a part cannot be made.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::run::line_range;
use crate::{BuildError, Excerpt};

/// A failure that a person can do something about: what failed, why, and what to try.
#[derive(Debug)]
pub struct RecipeError {
    message: Box<str>,
    source: Option<Box<dyn Error + Send + Sync>>,
    hints: Vec<String>,
    option: Option<String>,
    code: &'static str,
    engine: Option<Box<BuildError>>,
    besides: Option<Box<Besides>>,
}

/// What few errors have.
#[derive(Debug, Default)]
struct Besides {
    /// How foreign code came to fail.
    trace: Option<String>,
    /// The whole message in the words of the Python engine, where its form is another one.
    message: Option<String>,
    /// What was being done inside of the recipe.
    doing: Option<String>,
    /// A line of a file that is no profile.
    shown: Option<Excerpt>,
}

impl RecipeError {
    /// An error that says what failed, lowercase and without full stop unless the text is a known one.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into().into_boxed_str(),
            source: None,
            hints: Vec::new(),
            option: None,
            code: "E-recipe-failed",
            engine: None,
            besides: None,
        }
    }

    /// Adds why it failed.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds what to do next: a command or an edit.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Names the option of the part that is to blame, so that its line in the profile can be shown.
    #[must_use]
    pub fn option(mut self, option: impl Into<String>) -> Self {
        self.option = Some(option.into());
        self
    }

    /// Shows a line, from 1, of a file that the error is about, which is no profile.
    #[must_use]
    pub fn shows(mut self, file: impl Into<String>, text: &str, line: usize) -> Self {
        let number = u32::try_from(line).unwrap_or(u32::MAX);
        let range = line_range(text, number);
        let shown = Excerpt { file: file.into(), text: Arc::from(text), range, label: String::new() };
        self.besides.get_or_insert_default().shown = Some(shown);
        self
    }

    /// What [`RecipeError::shows`] was given.
    pub(crate) fn shown(&self) -> Option<&Excerpt> {
        self.besides.as_ref()?.shown.as_ref()
    }

    /// Sets the code under which the manual explains it; `E-recipe-failed` otherwise.
    #[must_use]
    pub fn code(mut self, code: &'static str) -> Self {
        self.code = code;
        self
    }

    /// Adds how code that is no part of this program came to fail, for who mends that code. An error with it is taken
    /// for a fault of the recipe, not of the profile.
    #[must_use]
    pub fn trace(mut self, trace: impl Into<String>) -> Self {
        self.besides.get_or_insert_default().trace = Some(trace.into());
        self
    }

    /// How foreign code came to fail, in the form of its language.
    #[must_use]
    pub fn foreign_trace(&self) -> Option<&str> {
        self.besides.as_ref()?.trace.as_deref()
    }

    /// The whole message in the words of the Python engine, and what that would say it was doing.
    #[must_use]
    pub(crate) fn in_classic_words(mut self, message: impl Into<String>, doing: Option<String>) -> Self {
        let classic = self.besides.get_or_insert_default();
        classic.message = Some(message.into());
        classic.doing = doing;
        self
    }

    /// What [`RecipeError::in_classic_words`] was given: the message, and what was being done.
    pub(crate) fn classic_words(&self) -> (Option<&str>, Option<&str>) {
        let classic = self.besides.as_deref();
        (
            classic.and_then(|classic| classic.message.as_deref()),
            classic.and_then(|classic| classic.doing.as_deref()),
        )
    }

    /// What to do next.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// The option that is to blame.
    #[must_use]
    pub fn blamed_option(&self) -> Option<&str> {
        self.option.as_deref()
    }

    /// The code under which the manual explains it.
    #[must_use]
    pub fn error_code(&self) -> &'static str {
        self.engine.as_ref().map_or(self.code, |error| error.code())
    }

    /// The error of the engine that this one only passes on.
    pub(crate) fn into_engine(self) -> Result<BuildError, Self> {
        match self.engine {
            Some(error) => Ok(*error),
            None => Err(self),
        }
    }
}

impl fmt::Display for RecipeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.engine {
            Some(error) => error.fmt(formatter),
            None => formatter.write_str(&self.message),
        }
    }
}

impl Error for RecipeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.engine {
            Some(error) => error.source(),
            None => self.source.as_deref().map(|source| source as &(dyn Error + 'static)),
        }
    }
}

impl From<BuildError> for RecipeError {
    fn from(error: BuildError) -> Self {
        Self { engine: Some(Box::new(error)), ..Self::new("") }
    }
}
