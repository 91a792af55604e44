//! Rules for profiles that install a release.

use super::Finding;
use super::profile::Profile;
use super::section::Section;

/// Ends of the names of archives.
const ARCHIVES: &[&str] =
    &[".tar", ".tgz", ".gz", ".bz2", ".xz", ".zip", ".tbz", ".txz", ".lz", ".whl", ".egg", ".deb"];

/// Recipes that fetch what `url` names.
const FETCHING: &[&str] = &[
    "hexagonit.recipe.download",
    "slapos.recipe.build:download",
    "slapos.recipe.build:download-unpacked",
    "slapos.recipe.cmmi",
];

/// Options that hold a checksum.
const CHECKSUMS: [&str; 3] = ["md5sum", "sha256sum", "sha512sum"];

fn is_egg(section: &Section) -> bool {
    section.recipe().split(':').next() == Some("zc.recipe.egg")
}

/// A Python distribution whose version the profile leaves open.
pub(super) fn unpinned_egg(profile: &Profile) -> Vec<Finding> {
    if profile.is_open() {
        return Vec::new();
    }
    let versions = profile.section("buildout").and_then(|section| section.option("versions"));
    let versions = profile.section(versions.map_or("versions", |setting| setting.value.as_str()));
    let pins: Vec<String> =
        versions.iter().flat_map(|section| section.options.keys()).map(|name| normalised(name)).collect();
    // What is built from sources at hand needs no pin.
    let developed: Vec<String> = profile
        .sections()
        .filter_map(|section| section.option("egg"))
        .map(|egg| normalised(&egg.value))
        .collect();
    let sources: Vec<String> = profile
        .sections()
        .filter(|section| section.recipe() == "zc.recipe.egg:develop")
        .map(|section| normalised(&section.name))
        .collect();
    let is_developed = |name: &str| sources.iter().any(|section| section.contains(name));
    let is_settled = |name: &str| {
        pins.contains(&normalised(name))
            || developed.contains(&normalised(name))
            || is_developed(&normalised(name))
    };
    let mut findings: Vec<Finding> = Vec::new();
    for section in profile.sections().filter(|section| is_egg(section)) {
        let Some(eggs) = section.option("eggs").filter(|eggs| eggs.is_own()) else { continue };
        for requirement in
            eggs.value.lines().map(str::trim).filter(|line| !line.is_empty() && !line.contains("=="))
        {
            let name =
                requirement.split(['<', '>', '=', '!', '~', ';', '[', ' ']).next().unwrap_or(requirement);
            let said = findings.iter().any(|finding| finding.message.contains(&format!("`{name}`")));
            if name.contains(['$', '{', '#']) || is_settled(name) || said {
                continue;
            }
            let (line, column) = profile.place(eggs.line, name);
            findings.push(Finding {
                line,
                column,
                code: "L-unpinned",
                is_error: false,
                message: format!("`{name}` has no pin: the next build takes another version"),
                hint: format!(
                    "add a line `{name} = VERSION` to [versions], and `versions = versions` to [buildout]"
                ),
            });
        }
    }
    findings
}

/// A file from elsewhere that is not checked.
pub(super) fn no_checksum(profile: &Profile) -> Vec<Finding> {
    let unchecked = profile.sections().filter(|section| {
        FETCHING.contains(&section.recipe())
            && CHECKSUMS.iter().all(|name| section.option(name).is_none_or(|sum| sum.value.is_empty()))
            // A base whose users have their own addresses says nothing by itself.
            && section.option("url").is_some_and(|url| !url.value.contains("${:"))
    });
    unchecked
        .filter_map(|section| {
            let url = section.option("url")?;
            url.value.starts_with("http").then(|| Finding {
                line: url.line,
                column: 1,
                code: "L-no-checksum",
                is_error: false,
                message: format!("what [{}] fetches is not checked", section.name),
                hint: "add `md5sum = …`, as `md5sum FILE` prints it".to_owned(),
            })
        })
        .collect()
}

/// A file that is to be unpacked and is no archive.
pub(super) fn not_an_archive(profile: &Profile) -> Vec<Finding> {
    profile
        .sections()
        .filter(|section| section.recipe() == "hexagonit.recipe.download")
        .filter(|section| section.option("download-only").is_none_or(|only| only.value != "true"))
        .filter_map(|section| {
            let url = section.option("url")?;
            let name = url.value.rsplit('/').next()?.split(['?', '#']).next()?;
            let is_known = name.contains('.') && !name.contains('$');
            (is_known && !ARCHIVES.iter().any(|end| name.ends_with(end))).then(|| Finding {
                line: url.line,
                column: 1,
                code: "L-not-an-archive",
                is_error: true,
                message: format!(
                    "hexagonit.recipe.download unpacks what it fetches, and `{name}` is no archive"
                ),
                hint: "add `download-only = true`".to_owned(),
            })
        })
        .collect()
}

/// The interpreter below the eggs, where the one with the eggs is meant.
pub(super) fn bare_python(profile: &Profile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for section in profile.sections() {
        let Some(command) = section.option("command-line") else { continue };
        for egg in profile.sections().filter(|section| is_egg(section)) {
            let reference = format!("${{{}:executable}}", egg.name);
            if command.value.contains(&reference) {
                findings.push(Finding {
                    line: command.line,
                    column: 1,
                    code: "L-bare-python",
                    is_error: true,
                    message: format!("`{reference}` is the bare Python, which does not see the eggs of [{}]", egg.name),
                    hint: format!(
                        "run `${{buildout:bin-directory}}/NAME`, where NAME is the option `interpreter` of [{}]",
                        egg.name
                    ),
                });
            }
        }
    }
    findings
}

/// Two parts that write the same interpreter: the later one wins, and removing either removes it.
pub(super) fn one_name_for_two_interpreters(profile: &Profile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut known: Vec<(String, &str)> = Vec::new();
    let reached = profile.reached_from_parts();
    if reached.is_none() && profile.extends {
        return Vec::new();
    }
    let is_built =
        |section: &&Section| reached.as_ref().is_none_or(|reached| reached.contains(section.name.as_str()));
    for section in profile.sections().filter(|section| is_egg(section)).filter(is_built) {
        let Some(interpreter) = section.option("interpreter") else { continue };
        let interpreter = interpreter.value.replace("${:_buildout_section_name_}", &section.name);
        match known.iter().find(|(name, _)| *name == interpreter) {
            Some((name, other)) => findings.push(Finding {
                line: section.line,
                column: 1,
                code: "L-same-file",
                is_error: true,
                message: format!("[{other}] and [{}] both write the interpreter `{name}`", section.name),
                hint: format!("give [{}] an `interpreter` of its own", section.name),
            }),
            None => known.push((interpreter, &section.name)),
        }
    }
    findings
}

/// A project's name as indexes compare it.
fn normalised(name: &str) -> String {
    name.to_lowercase().replace(['_', '.'], "-")
}
