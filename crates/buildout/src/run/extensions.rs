//! `extensions` of `[buildout]`: what is done around the parts.

use crate::engine::Engine;
use crate::{BuildError, Fault, Level};

/// Extensions whose work this engine does itself.
const BUILT_IN_EXTENSIONS: [&str; 1] = ["slapos.rebootstrap"];
/// Extensions without which a build means the same.
const OPTIONAL_EXTENSIONS: [&str; 2] = ["slapos.extension.shared", "slapos.extension.strip"];

/// Makes the extensions of `[buildout]` ready, or says which cannot be.
pub(super) fn load(engine: &mut Engine) -> Result<(), BuildError> {
    let wanted = engine.buildout_option("extensions")?.unwrap_or_default();
    for extension in wanted.split_whitespace() {
        if BUILT_IN_EXTENSIONS.contains(&extension) {
            continue;
        }
        if OPTIONAL_EXTENSIONS.contains(&extension) {
            engine.log(Level::Debug, None, format!("The extension {extension} is not done by this engine."));
            continue;
        }
        let (message, hint) = if matches!(extension, "buildout-versions" | "buildout.dumppickedversions") {
            let hint = "remove the extension and set `show-picked-versions = true` in [buildout]";
            (format!("the extension {extension} is part of the engine"), hint)
        } else {
            (
                format!("the extension {extension} does not exist here"),
                "remove it from `extensions` in [buildout]",
            )
        };
        return Err(
            Fault::Refused { message, hint: Some(hint.to_owned()), code: "E-extension-missing" }.into()
        );
    }
    Ok(())
}
