//! `extensions` of `[buildout]`: what is done around the parts. Those that releases use are part of this engine; others
//! are distributions with entry points.

use super::strip;
use crate::engine::Engine;
use crate::foreign::Moment;
use crate::{Build, BuildError, Fault};

/// Extensions that the engine has taken over, and refuses so that nobody waits for what they did.
const TAKEN_OVER: [&str; 2] = ["buildout-versions", "buildout.dumppickedversions"];

/// The extensions of a build.
#[derive(Default)]
pub(super) struct Extensions {
    strips: bool,
    marks_shared: bool,
    foreign: Vec<String>,
}

impl Extensions {
    /// Makes the extensions of `[buildout]` ready, and lets them change the build before anything is done.
    pub(super) fn load(engine: &mut Engine) -> Result<Self, BuildError> {
        let wanted = engine.buildout_option("extensions")?.unwrap_or_default();
        let mut extensions = Self::default();
        for extension in wanted.split_whitespace() {
            match extension {
                // Its work is done where the profile is read.
                "slapos.rebootstrap" => {}
                "slapos.extension.strip" => extensions.strips = true,
                "slapos.extension.shared" => extensions.marks_shared = true,
                taken_over if TAKEN_OVER.contains(&taken_over) => {
                    let message = "Buildout now includes 'buildout-versions' (and part of the older \
                        'buildout.dumppickedversions').\n\
                        Remove the extension from your configuration and look at the 'show-picked-versions' option \
                        in buildout's documentation.";
                    return Err(Fault::Refused {
                        message: message.to_owned(),
                        hint: Some("set `show-picked-versions = true` in [buildout]".to_owned()),
                        code: "E-extension-missing",
                    }
                    .into());
                }
                other => extensions.foreign.push(other.to_owned()),
            }
        }
        extensions.call(engine, Moment::Load)?;
        Ok(extensions)
    }

    /// Lets the extensions do what comes after the parts.
    pub(super) fn unload(&self, engine: &mut Engine) -> Result<(), BuildError> {
        if self.marks_shared && engine.buildout_option("shared-parts")?.is_some() {
            let path = engine.directory().join(".shared");
            fs_err::write(&path, "")
                .map_err(|source| BuildError::file(format!("cannot write {path}"), source))?;
        }
        self.call(engine, Moment::Unload)?;
        if self.strips {
            strip::strip(engine)?;
        }
        Ok(())
    }

    fn call(&self, engine: &mut Engine, moment: Moment) -> Result<(), BuildError> {
        if self.foreign.is_empty() {
            return Ok(());
        }
        let Some(foreign) = engine.foreign.clone() else {
            let message = format!("the extension {} does not exist here", self.foreign[0]);
            let hint = Some("remove it from `extensions` in [buildout]".to_owned());
            return Err(Fault::Refused { message, hint, code: "E-extension-missing" }.into());
        };
        foreign
            .extend(&self.foreign, moment, &mut Build::new(engine))
            .map_err(|error| BuildError::from_recipe("buildout", error))
    }
}
