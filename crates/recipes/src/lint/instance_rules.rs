//! Rules for profiles that make instances.

use super::Finding;
use super::profile::Profile;

/// Directories below `etc` whose programs somebody starts.
const STARTED: &[&str] = &["service", "run", "promise", "prerm", "report", "cron.d"];

/// Directories of `[buildout]` that are the partition's in an instance.
const DIRECTORIES: &[&str] =
    &["parts-directory", "bin-directory", "eggs-directory", "develop-eggs-directory"];

/// A wrapper below `etc` where no program is started from.
pub(super) fn wrapper_that_nobody_starts(profile: &Profile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for section in profile.sections().filter(|section| section.recipe() == "slapos.cookbook:wrapper") {
        let Some(path) = section.option("wrapper-path") else { continue };
        let expanded = profile.expanded(section, &path.value);
        let Some(below) = expanded.strip_prefix("${buildout:directory}/etc/") else { continue };
        let is_started = below.split_once('/').is_some_and(|(directory, _)| STARTED.contains(&directory));
        if !is_started {
            let name = below.rsplit('/').next().unwrap_or(below);
            findings.push(Finding {
                line: path.line,
                column: 1,
                code: "L-wrapper-not-started",
                is_error: true,
                message: format!(
                    "nobody starts `etc/{below}`: the `wrapper-path` of [{}] is not supervised",
                    section.name
                ),
                hint: format!(
                    "write it to `etc/service/{name}` if it always runs, to `etc/run/{name}` if it ends"
                ),
            });
        }
    }
    findings
}

/// A directory that is the partition's where the release's is meant.
pub(super) fn directory_of_the_release(profile: &Profile) -> Vec<Finding> {
    // With `$${` for what the instance expands, or references to sections of the release, `${` is for the release, which
    // renders the file.
    if profile.text.contains("$${") || profile.refers_elsewhere() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for section in profile.sections().filter(|section| section.name != "buildout") {
        for (name, setting) in &section.options {
            // A path that the instance writes to is its own; one that it runs or reads is the release's.
            if matches!(name.as_str(), "wrapper-path" | "output" | "rendered" | "location" | "destination") {
                continue;
            }
            for directory in DIRECTORIES {
                let reference = format!("${{buildout:{directory}}}");
                if setting.value.contains(&reference) {
                    let (line, column) = match setting.line {
                        0 => continue,
                        line => profile.place(line, &reference),
                    };
                    findings.push(Finding {
                        line,
                        column,
                        code: "L-release-directory",
                        is_error: true,
                        message: format!("in an instance `{reference}` is the partition's, not the release's"),
                        hint: "render this profile with slapos.recipe.template:jinja2 when the release is installed, \
                               and give it the path in `context`"
                            .to_owned(),
                    });
                }
            }
        }
    }
    findings
}

/// An address that makes a service reachable from everywhere.
pub(super) fn listens_everywhere(profile: &Profile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for section in profile.sections() {
        for (name, setting) in &section.options {
            if matches!(setting.value.as_str(), "0.0.0.0" | "::") {
                findings.push(Finding {
                    line: setting.line,
                    column: 1,
                    code: "L-listens-everywhere",
                    is_error: false,
                    message: format!(
                        "`{name} = {}` makes the service reachable from everywhere",
                        setting.value
                    ),
                    hint:
                        "use 127.0.0.1, or the partition's own address from slapos.cookbook:slapconfiguration"
                            .to_owned(),
                });
            }
        }
    }
    findings
}

/// A service without anything that says whether it works.
pub(super) fn service_without_promise(profile: &Profile) -> Vec<Finding> {
    let Some(reached) = profile.reached_from_parts() else { return Vec::new() };
    let mut wrappers = profile.sections().filter(|section| {
        section.recipe() == "slapos.cookbook:wrapper" && reached.contains(section.name.as_str())
    });
    let has_promise = profile.sections().any(|section| {
        reached.contains(section.name.as_str())
            // Bases that templates bring are not known here.
            && (section.name.contains("promise")
                || section.option("promise").is_some()
                || section.recipe().contains("promise")
                || section.recipe().contains(":check_"))
    });
    match wrappers.next() {
        Some(service) if !has_promise => vec![Finding {
            line: service.line,
            column: 1,
            code: "L-no-promise",
            is_error: false,
            message: format!("nobody knows whether [{}] works: the instance has no promise", service.name),
            hint: "add a part with slapos.cookbook:promise.plugin whose `output` is in `etc/plugin`"
                .to_owned(),
        }],
        _ => Vec::new(),
    }
}
