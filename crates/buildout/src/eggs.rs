//! Eggs: the distributions that parts need, installed under the pins of `[versions]`.
//!
//! What the profile says about them comes in [`crate::EggSettings`], which `Section::egg_settings` and
//! `Part::egg_settings` give. There is no solver: profiles pin everything, so requirements are walked, and
//! what is missing is downloaded and unpacked into one directory per distribution, in the form that zc.buildout gives
//! it. A set that is installed already is found from its own metadata, without network and without Python.

mod archive;
mod at_once;
mod build;
mod choice;
mod compile;
mod distribution;
mod egg_file;
mod error;
mod index;
mod install;
mod metadata;
mod name;
mod network_cache;
mod picked;
mod pins;
mod places;
mod record;
mod requirement;
mod resolve;
pub mod scripts;
mod service;
mod session;
mod setup_script;
mod shelf;
mod source;
#[cfg(test)]
mod source_trials;
mod tags;
mod told;
#[cfg(test)]
mod trials;
mod wheel;
mod working_set;

pub use build::EggBuild;
pub use error::{EggError, Missing};
pub use metadata::EntryPoint;
pub use name::ProjectName;
pub use pins::{Pin, Pins};
pub use requirement::{Requirement, RequirementError};
pub use service::{EggMemory, Eggs};
pub(crate) use setup_script::SetupScript;
pub use told::Notice;
pub use working_set::WorkingSet;

/// Writes a wheel with these files into the page of its project in an index of files.
#[cfg(test)]
pub(crate) fn wheel_for_trials(
    index: &camino::Utf8Path,
    project: &str,
    version: &str,
    files: &[(&str, &str)],
) {
    let name = ProjectName::new(project);
    let directory = index.join(name.as_str());
    fs_err::create_dir_all(&directory).expect("the index of a trial can be written");
    let stem = format!("{}-{version}", name.as_str().replace('-', "_"));
    let metadata = (format!("{stem}.dist-info/METADATA"), format!("Name: {project}\nVersion: {version}\n\n"));
    let format = (format!("{stem}.dist-info/WHEEL"), "Wheel-Version: 1.0\n".to_owned());
    let standard = [metadata, format];
    let standard = standard.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let all: Vec<(&str, &str)> = files.iter().copied().chain(standard).collect();
    wheel::tests::write_wheel(&directory, &format!("{stem}-py3-none-any.whl"), &all);
}
