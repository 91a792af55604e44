//! Eggs: the distributions that parts need, installed under the pins of `[versions]`.
//!
//! What the profile says about them comes in [`crate::EggSettings`], which [`crate::Section::egg_settings`] and
//! [`crate::Part::egg_settings`] give. There is no solver: profiles pin everything, so requirements are walked, and
//! what is missing is downloaded and unpacked into one directory per distribution, in the form that zc.buildout gives
//! it. A set that is installed already is found from its own metadata, without network and without Python.

mod distribution;
mod error;
mod index;
mod install;
mod metadata;
mod name;
mod pins;
mod requirement;
mod resolve;
pub mod scripts;
mod service;
mod source;
mod tags;
#[cfg(test)]
mod trials;
mod wheel;
mod working_set;

pub use error::{EggError, Missing};
pub use metadata::EntryPoint;
pub use name::ProjectName;
pub use pins::{Pin, Pins};
pub use requirement::{Requirement, RequirementError};
pub use service::Eggs;
pub use working_set::WorkingSet;
