//! What cannot work, or should not be, in the profiles of a release: found by looking, without building.
//!
//! Each rule is a function over one `Profile`. A rule speaks only of what it can see in one file: where a profile
//! extends others or is made by a template with loops, the rules that would have to guess are silent.

mod instance_rules;
mod profile;
mod software_rules;

use buildout::SyntaxError;

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
    /// The stable name of the rule.
    pub code: &'static str,
    /// Whether it cannot work; else it should not be.
    pub is_error: bool,
    /// What is wrong.
    pub message: String,
    /// The correction.
    pub hint: String,
}

/// Looks at the text of a profile; `file` is its name, for messages. The findings are in the order of their lines.
///
/// # Errors
/// Lines that are no profile language.
pub fn lint(file: &str, text: &str, role: Role) -> Result<Vec<Finding>, SyntaxError> {
    let profile = Profile::read(file, text)?;
    let rules: &[fn(&Profile) -> Vec<Finding>] = match role {
        Role::Software => &[
            never_built,
            software_rules::unpinned_egg,
            software_rules::no_checksum,
            software_rules::not_an_archive,
            software_rules::bare_python,
            software_rules::one_name_for_two_interpreters,
        ],
        Role::Instance => &[
            never_built,
            instance_rules::wrapper_that_nobody_starts,
            instance_rules::directory_of_the_release,
            instance_rules::listens_everywhere,
            instance_rules::service_without_promise,
        ],
    };
    let mut findings: Vec<Finding> = rules.iter().flat_map(|rule| rule(&profile)).collect();
    findings.sort_by_key(|finding| (finding.line, finding.code));
    Ok(findings)
}

/// A section with a recipe that neither `parts` nor another section names.
fn never_built(profile: &Profile) -> Vec<Finding> {
    let Some(reached) = profile.reached_from_parts() else { return Vec::new() };
    profile
        .sections()
        .filter(|section| section.option("recipe").is_some() && !reached.contains(section.name.as_str()))
        .map(|section| Finding {
            line: section.line,
            code: "L-never-built",
            is_error: true,
            message: format!("the section [{}] is never built: nothing names it", section.name),
            hint: format!("add `{}` to `parts` of [buildout]", section.name),
        })
        .collect()
}

#[cfg(test)]
mod tests;
