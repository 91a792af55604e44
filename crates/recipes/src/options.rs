//! Reading option values: truth words, modes, lists of lines.

use buildout::{RecipeError, Section};

/// Whether an option says yes: `y`, `yes`, `1` or `true`, in any case. Everything else is no.
pub(crate) fn is_yes(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "y" | "yes" | "1" | "true")
}

/// An option that is `true` or `false`; `None` when it is absent.
///
/// # Errors
/// Any other text.
pub(crate) fn flag(section: &mut Section<'_>, option: &str) -> Result<Option<bool>, RecipeError> {
    match section.get(option)?.as_deref() {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(other) => Err(RecipeError::new(format!("`{other}` is neither `true` nor `false`"))
            .option(option)
            .hint(format!("write `{option} = true` or `{option} = false`"))),
    }
}

/// The value of an option, an empty one counting as absent.
///
/// # Errors
/// As `Section::get`.
pub(crate) fn filled(section: &mut Section<'_>, option: &str) -> Result<Option<String>, RecipeError> {
    Ok(section.get(option)?.filter(|value| !value.is_empty()))
}

/// An octal file mode; an empty option counts as absent.
///
/// # Errors
/// Text that is no octal number of at most four digits.
pub(crate) fn mode(section: &mut Section<'_>, option: &str) -> Result<Option<u32>, RecipeError> {
    let Some(text) = filled(section, option)? else { return Ok(None) };
    let digits = text.trim().trim_start_matches("0o");
    match u32::from_str_radix(digits, 8) {
        Ok(mode) if mode <= 0o7777 => Ok(Some(mode)),
        _ => Err(RecipeError::new(format!("`{text}` is no file mode"))
            .option(option)
            .hint("write a mode in octal, such as `0644` or `0755`")),
    }
}

/// The lines of an option that are not blank, stripped.
pub(crate) fn lines(value: &str) -> impl Iterator<Item = &str> {
    value.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Options that the engine adds to every section and that are no data of the profile.
pub(crate) fn is_added_by_engine(option: &str) -> bool {
    matches!(option, "<" | "_buildout_section_name_" | "_profile_base_location_" | "<part-dependencies>")
        || option.starts_with("__buildout_")
}
