//! What cannot work, or should not be, in the profiles of a release: found by looking, without building.
//!
//! Each rule is a function over one `Profile`: a file with everything that it extends. A rule speaks only of what that
//! file itself says; where it extends what cannot be read, or is made by a template with loops, the rules that would
//! have to guess are silent.

mod instance_rules;
mod language_rules;
mod library;
mod profile;
mod section;
mod software_rules;

use camino::{Utf8Path, Utf8PathBuf};

use buildout::SyntaxError;

pub use library::Library;
use profile::Profile;

/// What a profile is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It installs a release.
    Software,
    /// It makes an instance.
    Instance,
}

impl Role {
    /// The role that the name of a file tells: `instance….cfg` and `instance….cfg.in` make instances.
    #[must_use]
    pub fn of(file_name: &str) -> Self {
        if file_name.starts_with("instance") { Self::Instance } else { Self::Software }
    }
}

/// One place to correct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The line, from 1.
    pub line: u32,
    /// The letter in it, from 1.
    pub column: u32,
    /// The stable name of the rule.
    pub code: &'static str,
    /// Whether it cannot work; else it should not be.
    pub is_error: bool,
    /// What is wrong.
    pub message: String,
    /// The correction.
    pub hint: String,
}

/// Looks at the text of the profile `path`. What it extends comes from `library`; `siblings` are profiles that may
/// extend it. The findings are in the order of their lines.
///
/// # Errors
/// Lines that are no profile language.
pub fn lint(
    path: &Utf8Path,
    text: &str,
    role: Role,
    library: &Library<'_>,
    siblings: &[Utf8PathBuf],
) -> Result<Vec<Finding>, SyntaxError> {
    let profile = Profile::read(path, text, library, siblings)?;
    let always: &[Rule] = &[
        language_rules::missing_profile,
        language_rules::set_twice,
        language_rules::misspelt_buildout_option,
        language_rules::unknown_recipe,
        language_rules::unknown_option,
    ];
    let rules: &[Rule] = match role {
        Role::Software => &[
            software_rules::no_checksum,
            software_rules::not_an_archive,
            software_rules::bare_python,
            software_rules::one_name_for_two_interpreters,
        ],
        Role::Instance => &[
            instance_rules::wrapper_that_nobody_starts,
            instance_rules::directory_of_the_release,
            instance_rules::listens_everywhere,
            instance_rules::service_without_promise,
        ],
    };
    let mut findings: Vec<Finding> = always.iter().chain(rules).flat_map(|rule| rule(&profile)).collect();
    if is_whole(path, &profile) {
        findings.extend(never_built(&profile));
        if role == Role::Software {
            findings.extend(software_rules::unpinned_egg(&profile));
        }
    }
    findings.retain(|finding| finding.line > 0);
    findings.sort_by_key(|finding| (finding.line, finding.column, finding.code));
    // Sections with a base in common share its lines.
    findings.dedup();
    Ok(findings)
}

/// Whether a profile says all that it needs: sections and eggs of any other may be there for those that extend it.
fn is_whole(path: &Utf8Path, profile: &Profile) -> bool {
    let name = path.file_name().unwrap_or_default();
    let is_root = ["software", "instance", "buildout."].iter().any(|start| name.starts_with(start));
    !profile.is_in_library && (is_root || !profile.extends)
}

type Rule = fn(&Profile) -> Vec<Finding>;

/// A section with a recipe that neither `parts` nor another section names.
fn never_built(profile: &Profile) -> Vec<Finding> {
    let Some(reached) = profile.reached_from_parts() else { return Vec::new() };
    profile
        .sections()
        .filter(|section| !section.recipe().is_empty() && !reached.contains(section.name.as_str()))
        // Recipes know this one by its name.
        .filter(|section| section.name != "slap-configuration")
        .map(|section| Finding {
            line: section.line,
            column: 1,
            code: "L-never-built",
            is_error: false,
            message: format!("the section [{}] is never built: nothing names it", section.name),
            hint: format!("add `{}` to `parts` of [buildout], or remove the section", section.name),
        })
        .collect()
}

#[cfg(test)]
mod tests;
