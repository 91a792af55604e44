//! What parts say about builds from sources: directories of headers and libraries, patches, variables.

use std::collections::BTreeMap;

use buildout::eggs::EggBuild;
use buildout::{Download, Downloaded, OptionDoc, Part, RecipeError, Section, Value};

use crate::options::lines;

/// The options of the `build_ext` command of setuptools that hold directories, one on each line.
const DIRECTORIES: [&str; 2] = ["include-dirs", "library-dirs"];
/// Those that are taken as they are.
const PLAIN: [&str; 9] =
    ["define", "undef", "libraries", "link-objects", "debug", "force", "compiler", "swig-cpp", "swig-opts"];
/// What the loader of programs replaces, so that it begins no relative path.
const OF_THE_LOADER: [&str; 6] = ["$ORIGIN", "$LIB", "$PLATFORM", "${ORIGIN}", "${LIB}", "${PLATFORM}"];

/// The options of every recipe that builds.
pub(crate) const BUILD_OPTIONS: [OptionDoc; 16] = [
    OptionDoc::optional("include-dirs", "directories of headers, one on each line"),
    OptionDoc::optional("library-dirs", "directories of libraries to link with, one on each line"),
    OptionDoc::optional("rpath", "directories of libraries to load, one on each line"),
    OptionDoc::optional("define", "names of the preprocessor to define, separated by commas"),
    OptionDoc::optional("undef", "names of the preprocessor to undefine, separated by commas"),
    OptionDoc::optional("libraries", "libraries to link with, separated by blanks"),
    OptionDoc::optional("link-objects", "further objects to link, separated by blanks"),
    OptionDoc::optional("debug", "whether extensions are compiled for a debugger"),
    OptionDoc::optional("force", "whether everything is compiled, however old its source"),
    OptionDoc::optional("compiler", "the kind of compiler"),
    OptionDoc::optional("swig", "path of the SWIG program"),
    OptionDoc::optional("swig-cpp", "whether SWIG writes C++"),
    OptionDoc::optional("swig-opts", "options for SWIG"),
    OptionDoc::optional("environment", "section whose options are variables of the build"),
    OptionDoc::optional("setup-eggs", "requirements that are importable during the build, one on each line"),
    OptionDoc::optional("depends", "references to what must be built before"),
];

/// The options of a recipe that builds: its own, then those of all.
pub(crate) const fn with_build_options<const OWN: usize, const ALL: usize>(
    own: [OptionDoc; OWN],
) -> [OptionDoc; ALL] {
    assert!(ALL == OWN + BUILD_OPTIONS.len());
    let mut all = [BUILD_OPTIONS[0]; ALL];
    let mut index = 0;
    while index < ALL {
        all[index] = if index < OWN { own[index] } else { BUILD_OPTIONS[index - OWN] };
        index += 1;
    }
    all
}

/// Reads what a section says about builds of extensions, and makes its paths absolute.
///
/// # Errors
/// An option cannot be had.
pub(crate) fn extension_options(section: &mut Section<'_>) -> Result<BTreeMap<String, String>, RecipeError> {
    let mut options = BTreeMap::new();
    let mut keep = |section: &mut Section<'_>, option: &str, value: String| {
        section.set(option, &value);
        options.insert(option.to_owned(), value);
    };
    for option in DIRECTORIES {
        if let Some(text) = section.get(option)? {
            let paths: Vec<String> = lines(&text).map(|path| section.resolve(path).into_string()).collect();
            keep(section, option, paths.join(":"));
        }
    }
    if let Some(text) = section.get("rpath")? {
        let absolute = |path: &str| match OF_THE_LOADER.iter().any(|name| path.starts_with(name)) {
            true => path.to_owned(),
            false => section.resolve(path).into_string(),
        };
        let paths: Vec<String> = lines(&text).map(absolute).collect();
        keep(section, "rpath", paths.join(":"));
    }
    if let Some(swig) = section.get("swig")?.filter(|swig| !swig.is_empty()) {
        let swig = section.resolve(&swig).into_string();
        keep(section, "swig", swig);
    }
    for option in PLAIN {
        if let Some(value) = section.get(option)? {
            options.insert(option.to_owned(), value);
        }
    }
    Ok(options)
}

/// The variables of the section that `environment` names, in its order; sets `_environment-data`, so that a changed
/// variable builds the part again.
///
/// # Errors
/// There is no such section.
pub(crate) fn variables(section: &mut Section<'_>) -> Result<Vec<(String, String)>, RecipeError> {
    let named = section.get("environment")?.filter(|name| !name.is_empty());
    let variables: Vec<(String, String)> = match named {
        Some(name) => section.section(&name)?.into_iter().collect(),
        None => Vec::new(),
    };
    let mut sorted = variables.clone();
    sorted.sort_unstable();
    let pairs = sorted
        .iter()
        .map(|(name, value)| Value::Tuple(vec![Value::from(name.as_str()), Value::from(value.as_str())]));
    let data = Value::List(pairs.collect()).representation();
    let data = data.map_err(|error| RecipeError::new("the variables cannot be recorded").because(error))?;
    section.set("_environment-data", data);
    Ok(variables)
}

/// The build that a part wants: its variables expanded by those of the build, its patches fetched. `project` begins
/// the names of the options about patches; without it they stand alone. The patches are there as long as what is given
/// with the build.
///
/// # Errors
/// A variable refers to another that does not exist, or a patch cannot be had.
pub(crate) fn egg_build(
    part: &mut Part<'_>,
    project: Option<&str>,
    extension_options: &BTreeMap<String, String>,
    variables: &[(String, String)],
) -> Result<(EggBuild, Vec<Downloaded>), RecipeError> {
    let mut environment = BTreeMap::new();
    for (name, text) in variables {
        let value = expanded(text, |wanted| {
            environment.get(wanted).or_else(|| part.environment().get(wanted)).cloned()
        });
        let value = value.ok_or_else(|| {
            RecipeError::new(format!("the variable {name} = {text} refers to one that does not exist"))
                .hint("write `%(NAME)s` for a variable of the build, and `%%` for a percent sign")
                .option("environment")
        })?;
        environment.insert(name.clone(), value);
    }
    let mut build = EggBuild {
        extension_options: extension_options.clone(),
        environment,
        setup_eggs: lines(&part.get("setup-eggs")?.unwrap_or_default()).map(str::to_owned).collect(),
        ..EggBuild::default()
    };
    let option = |part: &mut Part<'_>, name: &str| -> Result<Option<String>, RecipeError> {
        let of_project = match project {
            Some(project) => part.get(&format!("{project}-{name}"))?,
            None => None,
        };
        let value = if of_project.is_some() { of_project } else { part.get(name)? };
        Ok(value.filter(|value| !value.trim().is_empty()))
    };
    let mut patches = Vec::new();
    for patch in option(part, "patches")?.unwrap_or_default().split_whitespace() {
        patches.push(patch_file(part, patch)?);
    }
    build.patches = patches.iter().map(|patch| patch.path().to_owned()).collect();
    let words = option(part, "patch-options")?.unwrap_or_else(|| "-p0".to_owned());
    let program = option(part, "patch-binary")?.unwrap_or_else(|| "patch".to_owned());
    build.patch_command =
        std::iter::once(program.as_str()).chain(words.split_whitespace()).map(str::to_owned).collect();
    build.patch_revision = match option(part, "patch-revision")? {
        Some(number) => number.trim().parse().map_err(|_| {
            RecipeError::new(format!("`{number}` is no revision of patches"))
                .hint("write a number such as `2`")
                .option("patch-revision")
        })?,
        None => u32::try_from(build.patches.len()).unwrap_or(u32::MAX),
    };
    Ok((build, patches))
}

/// Fetches a patch, `place` or `place#md5`.
fn patch_file(part: &mut Part<'_>, patch: &str) -> Result<Downloaded, RecipeError> {
    let (place, md5) = match patch.rsplit_once('#') {
        Some((place, md5)) => (place, Some(md5.to_owned())),
        None => (patch, None),
    };
    part.download(&Download::new(place).md5(md5))
}

/// A text in which `%(NAME)s` stands for a variable and `%%` for a percent sign; `None` when one is missing, or a
/// percent sign means nothing.
fn expanded(text: &str, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut done = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        done.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            done.push('%');
            rest = after;
        } else {
            let (name, after) = rest.strip_prefix('(')?.split_once(")s")?;
            done.push_str(&variable(name)?);
            rest = after;
        }
    }
    done.push_str(rest);
    Some(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_the_build_are_put_into_values() {
        let known = |name: &str| (name == "PATH").then(|| "/bin".to_owned());

        assert_eq!(expanded("/x:%(PATH)s 100%%", known).unwrap(), "/x:/bin 100%");
        assert_eq!(expanded("%(OTHER)s", known), None);
        assert_eq!(expanded("100%", known), None);
    }
}
