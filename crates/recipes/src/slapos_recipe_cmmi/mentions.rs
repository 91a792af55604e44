//! Whether the commands of a part may use, or change, what belongs to no section that the part refers to.
//!
//! Commands reach what other parts have made through references, which are known, or by paths of the buildout
//! directory, such as a script in `bin`, which are not. Paths below the parts directory and the roots of shared parts
//! come from references.

use buildout::{RecipeError, Section};

use crate::options::{filled, lines};
use crate::part_environment::PartEnvironment;

/// The options whose text a part uses to find things.
const TEXTS: [&str; 10] = [
    "url",
    "pre-configure",
    "configure-command",
    "configure-options",
    "pre-build",
    "make-binary",
    "make-options",
    "pre-install",
    "make-targets",
    "post-install",
];

/// Whether the part has a path of the buildout directory that no part owns.
///
/// # Errors
/// An option cannot be had.
pub(super) fn what_nobody_owns(
    section: &mut Section<'_>,
    environment: &PartEnvironment,
) -> Result<bool, RecipeError> {
    let mut places = vec![section.directory().to_string()];
    for option in ["bin-directory", "eggs-directory", "develop-eggs-directory"] {
        if let Some(path) = filled_of_buildout(section, option)? {
            places.push(path);
        }
    }
    let mut owned: Vec<String> = filled_of_buildout(section, "parts-directory")?.into_iter().collect();
    let roots = section.other("buildout", "shared-part-list")?.unwrap_or_default();
    owned.extend(lines(&roots).map(|root| section.resolve(root).to_string()));
    let mut texts = environment.texts(section)?;
    for option in TEXTS {
        texts.extend(filled(section, option)?);
    }
    Ok(texts.iter().any(|text| mentions(text, &places, &owned)))
}

fn filled_of_buildout(section: &mut Section<'_>, option: &str) -> Result<Option<String>, RecipeError> {
    let path = section.other("buildout", option)?.filter(|path| !path.is_empty());
    Ok(path.map(|path| section.resolve(&path).to_string()))
}

/// Whether a text has a path that is one of `places` or in it, and not inside of one of `owned`.
fn mentions(text: &str, places: &[String], owned: &[String]) -> bool {
    let is_owned = |rest: &str| {
        owned.iter().any(|owner| rest.strip_prefix(owner.as_str()).is_some_and(|rest| rest.starts_with('/')))
    };
    places.iter().filter(|place| place.len() > 1).any(|place| {
        text.match_indices(place.as_str()).any(|(start, _)| {
            let after = text[start + place.len()..].chars().next();
            let goes_on = after.is_some_and(|next| next.is_alphanumeric() || "-_.+".contains(next));
            !goes_on && !is_owned(&text[start..])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_build_that_no_part_owns_are_found() {
        let places = ["/b".to_owned(), "/elsewhere/bin".to_owned()];
        let owned = ["/b/parts".to_owned(), "/b/shared".to_owned()];
        let found = |text: &str| mentions(text, &places, &owned);

        assert!(found("PATH=/b/bin:/bin") && found("cp x /b") && found("/elsewhere/bin/x"));
        assert!(found("-rpath=/b/parts") && found("/b/parts/x and /b/etc"));
        assert!(!found("/b/parts/zlib/lib") && !found("/b/shared/zlib/0123/lib"));
        assert!(!found("/build/x") && !found("/b-2/bin") && !found("/usr/bin"));
    }
}
