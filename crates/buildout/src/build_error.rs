//! A build that failed: its fault, what was being done, and the lines of profiles that it is about.

use std::fmt;

use crate::{Fault, RecipeError};

/// Of what was being done, so many lines at the beginning and at the end are told.
const MOST_ACTIVITIES: usize = 30;

/// A build that failed: why, and what was being done.
#[derive(Debug)]
pub struct BuildError(Box<Details>);

#[derive(Debug)]
struct Details {
    fault: Fault,
    activities: Vec<String>,
    excerpts: Vec<Excerpt>,
    section: Option<String>,
    at_work: Vec<String>,
    expanding: Vec<(String, String)>,
    post_mortem: Option<String>,
}

/// Lines of a profile that an error is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The profile, as its path or URL.
    pub file: String,
    /// Its whole text.
    pub text: std::sync::Arc<str>,
    /// Bytes of the text to point at.
    pub range: std::ops::Range<usize>,
    /// What to say there.
    pub label: String,
}

impl BuildError {
    /// What went wrong.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.0.fault
    }

    /// What was being done, the outermost first: `Installing.`, `Getting section a.`, …
    #[must_use]
    pub fn activities(&self) -> &[String] {
        &self.0.activities
    }

    /// The lines of profiles that it is about, the most telling first.
    #[must_use]
    pub fn excerpts(&self) -> &[Excerpt] {
        &self.0.excerpts
    }

    /// The code under which the manual explains it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.fault.code()
    }

    /// The section whose recipe was at work, when it failed through the engine.
    #[must_use]
    pub fn section(&self) -> Option<&str> {
        self.0.section.as_deref()
    }

    /// How the sections that were at work looked when the build failed; when the command line asks for it.
    #[must_use]
    pub fn post_mortem(&self) -> Option<&str> {
        self.0.post_mortem.as_deref()
    }

    pub(crate) fn with_post_mortem(mut self, text: String) -> Self {
        self.0.post_mortem = Some(text);
        self
    }

    /// Options that were being expanded, as sections and names: each refers to the next.
    #[must_use]
    pub fn expanding(&self) -> &[(String, String)] {
        &self.0.expanding
    }

    /// Keeps which sections were at work, and which options were being expanded; the first time counts, since it is
    /// the innermost.
    pub(crate) fn among(
        mut self,
        sections: impl FnOnce() -> Vec<String>,
        expanding: impl FnOnce() -> Vec<(String, String)>,
    ) -> Self {
        if self.0.at_work.is_empty() {
            self.0.at_work = sections();
            self.0.expanding = expanding();
        }
        self
    }

    /// The sections that were at work, the innermost first.
    pub(crate) fn sections_at_work(&self) -> Vec<&str> {
        let own = match self.fault() {
            Fault::Recipe { section, .. }
            | Fault::UnknownRecipe { section, .. }
            | Fault::MissingOption { section, .. } => Some(section.as_str()),
            _ => None,
        };
        let mut sections: Vec<&str> = own.into_iter().chain(self.section()).collect();
        for section in self.0.at_work.iter().rev().map(String::as_str) {
            if !sections.contains(&section) {
                sections.push(section);
            }
        }
        sections
    }

    /// Keeps what was being done; the first time counts, since it is the innermost.
    pub(crate) fn during(mut self, activities: impl FnOnce() -> Vec<String>) -> Self {
        if self.0.activities.is_empty() {
            self.0.activities = activities();
            if let Fault::Recipe { error, .. } = &self.0.fault
                && let (_, Some(doing)) = error.classic_words()
            {
                self.0.activities.push(doing.to_owned());
            }
            let count = self.0.activities.len();
            if count > 2 * MOST_ACTIVITIES {
                let left_out = MOST_ACTIVITIES..count - MOST_ACTIVITIES;
                let line = format!("({} more)", left_out.len());
                self.0.activities.splice(left_out, [line]);
            }
        }
        self
    }

    pub(crate) fn with_excerpts(mut self, excerpts: Vec<Excerpt>) -> Self {
        self.0.excerpts = excerpts;
        self
    }

    /// What a recipe gave back: its own error, or an error of the engine that it passed on.
    pub(crate) fn from_recipe(section: &str, error: RecipeError) -> Self {
        match error.into_engine() {
            Ok(mut error) => {
                // The innermost section is the one whose recipe failed.
                error.0.section.get_or_insert_with(|| section.to_owned());
                error
            }
            Err(error) => Fault::Recipe { section: section.to_owned(), error }.into(),
        }
    }

    pub(crate) fn file(doing: impl Into<String>, source: std::io::Error) -> Self {
        Fault::File { doing: doing.into(), source }.into()
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fault.fmt(formatter)
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.fault.source()
    }
}

impl<F: Into<Fault>> From<F> for BuildError {
    fn from(fault: F) -> Self {
        Self(Box::new(Details {
            fault: fault.into(),
            activities: Vec::new(),
            excerpts: Vec::new(),
            section: None,
            at_work: Vec::new(),
            expanding: Vec::new(),
            post_mortem: None,
        }))
    }
}
