//! `develop` of `[buildout]`: source directories installed in development mode.

use crate::engine::Engine;
use crate::{BuildError, Fault};

pub(super) fn develop(engine: &mut Engine) -> Result<(), BuildError> {
    match engine.buildout_option("develop")? {
        None => Ok(()),
        Some(_) => {
            let message = "`develop` in [buildout] is not supported".to_owned();
            let hint = Some("make the distribution a part with the recipe zc.recipe.egg:develop".to_owned());
            Err(Fault::Refused { message, hint, code: "E-develop" }.into())
        }
    }
}
