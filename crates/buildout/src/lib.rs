//! The build engine: profile -> sections -> parts -> installed files; the trait of recipes; eggs.
//!
//! [`run()`] reads a profile with everything that it extends, initialises the sections that its parts need, and brings
//! the buildout directory to what they say. It knows nothing of SlapOS, never prints, never exits and never reads the
//! environment: all of that comes in [`Settings`] and goes out through a [`Sink`].

pub mod eggs;
pub mod foreign;
#[doc(hidden)]
pub mod fuzzing;
pub mod report;

mod build_error;
mod command_line;
mod condition;
mod desk;
mod download;
mod egg_door;
mod egg_settings;
mod engine;
mod event;
mod fault;
mod graph;
mod hook;
mod installed;
mod jobs;
mod load;
mod marker_text;
mod merged;
mod nearest;
mod outline;
mod part;
mod plan;
mod profiles;
mod recipe;
mod recipe_error;
mod run;
mod schedule;
mod section;
mod settings;
mod shared_part;
mod sources;
mod syntax;
mod table;
mod unfinished;
mod value;
mod window;

pub use build_error::{BuildError, Excerpt};
pub use command_line::{Command, CommandLine, CommandLineAssignment, UsageError};
pub use download::{Download, DownloadError, Downloaded, Mismatch, Place};
pub use egg_settings::EggSettings;
pub use event::{Action, Event, Level, Sink};
pub use fault::{Fault, Reference, SubstitutionProblem};
pub use foreign::ForeignRecipes;
pub use hook::{Build, BuildHook};
pub use merged::{Merged, merge};
pub use nearest::nearest;
pub use outline::{OutlineOption, OutlineSection, buildout_options, normalised, outline};
pub use part::Part;
pub use recipe::{OptionDoc, Recipe, RecipeKind, Turn, Uninstall};
pub use recipe_error::RecipeError;
pub use run::run;
pub use section::Section;
pub use settings::{Dialect, Outcome, Settings};
pub use shared_part::SharedPart;
pub use syntax::{SyntaxError, SyntaxErrorKind};
pub use value::{Value, ValueError, python_text};
pub use window::Window;

pub use shacache::{Algorithm, Checksum};
