//! Distributions on disk: eggs, links to distributions under development, and packages of the interpreter.

use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::files;
use host::python::Facts;
use pep440_rs::Version;
use pep508_rs::MarkerEnvironment;

use super::archive::Archive;
use super::error::EggError;
use super::metadata::{self, Dependencies, EntryPoint, Fields};
use super::name::{EggName, ProjectName};

/// Where a distribution comes from; the first kind that satisfies a requirement wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Linked from the directory of develop eggs.
    Develop,
    /// An egg directory.
    Egg,
    /// A package of the interpreter.
    Site,
}

/// A distribution on disk.
#[derive(Debug)]
pub(super) struct Distribution {
    /// The project as the distribution writes it.
    pub written: String,
    /// The project.
    pub project: ProjectName,
    /// Its version.
    pub version: Version,
    /// The directory that goes into `sys.path`.
    pub location: Utf8PathBuf,
    /// Where it comes from.
    pub kind: Kind,
    /// The directory of its metadata, in its location.
    information: Utf8PathBuf,
    /// Whether its location is an archive, which Python imports from as it is.
    is_packed: bool,
    dependencies: OnceLock<Dependencies>,
}

impl Distribution {
    /// Reads an egg, unpacked or not; `None` when it is none.
    #[must_use]
    pub(super) fn egg(location: &Utf8Path) -> Option<Self> {
        let name = EggName::parse(location.file_name()?)?;
        let found = |information: &Utf8Path| {
            Self::new(name.project.clone(), name.version.clone(), location, Kind::Egg, information)
        };
        if location.is_file() {
            // What cannot be opened is no distribution, for Python neither.
            let is_egg = Archive::open(location).ok()?.names().any(|name| name.starts_with("EGG-INFO/"));
            return is_egg.then(|| Self { is_packed: true, ..found("EGG-INFO".into()) });
        }
        let inside = location.join("EGG-INFO");
        // Eggs that zc.buildout builds from source keep the directory of the wheel.
        let information = if inside.is_dir() { inside } else { child_with_ending(location, ".dist-info")? };
        Some(found(information.strip_prefix(location).unwrap_or(&information)))
    }

    /// Whether it is used where it is, without having been installed: no pin is needed, and the index is not asked.
    #[must_use]
    pub(super) fn is_linked(&self) -> bool {
        self.kind != Kind::Egg
    }

    /// The addresses that its author names as places of what it needs.
    ///
    /// # Errors
    /// Its metadata cannot be read.
    pub(super) fn dependency_links(&self) -> Result<Vec<String>, EggError> {
        let text = self.text("dependency_links.txt")?.unwrap_or_default();
        Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    fn new(
        written: String,
        version: Version,
        location: &Utf8Path,
        kind: Kind,
        information: &Utf8Path,
    ) -> Self {
        Self {
            project: ProjectName::new(&written),
            written,
            version,
            location: location.to_owned(),
            kind,
            information: information.to_owned(),
            is_packed: false,
            dependencies: OnceLock::new(),
        }
    }

    /// `project version`, for messages.
    #[must_use]
    pub(super) fn describe(&self) -> String {
        format!("{} {}", self.written, self.version)
    }

    /// What it needs on this machine.
    ///
    /// # Errors
    /// Its metadata cannot be read.
    pub(super) fn dependencies(&self, environment: &MarkerEnvironment) -> Result<&Dependencies, EggError> {
        if let Some(known) = self.dependencies.get() {
            return Ok(known);
        }
        let dependencies = if self.information.extension() == Some("dist-info") {
            let text = self.text("METADATA")?.unwrap_or_default();
            Dependencies::from_fields(&Fields::parse(&text), environment)?
        } else {
            let text = self.text("requires.txt")?.unwrap_or_default();
            Dependencies::from_requires_txt(&text, &self.describe(), environment)?
        };
        Ok(self.dependencies.get_or_init(|| dependencies))
    }

    /// Its entry points of one group, in order.
    ///
    /// # Errors
    /// Its metadata cannot be read.
    pub(super) fn entry_points(&self, group: &str) -> Result<Vec<EntryPoint>, EggError> {
        Ok(self
            .text("entry_points.txt")?
            .map(|text| metadata::entry_points(&text, group))
            .unwrap_or_default())
    }

    /// The scripts that it brings as files, sorted by name: names and texts.
    ///
    /// # Errors
    /// They cannot be read.
    pub(super) fn scripts(&self) -> Result<Vec<(String, String)>, EggError> {
        let directory = self.information.join("scripts");
        let names: Vec<String> = if self.is_packed {
            let archive = Archive::open(&self.location)?;
            let inside =
                |name: &str| Utf8Path::new(name).strip_prefix(&directory).map(ToString::to_string).ok();
            archive.names().filter_map(inside).collect()
        } else {
            let paths = entries(&self.location.join(&directory))?;
            paths
                .iter()
                .filter(|path| path.is_file())
                .filter_map(|path| path.file_name())
                .map(str::to_owned)
                .collect()
        };
        let mut scripts = Vec::new();
        for name in names.into_iter().filter(|name| !name.is_empty() && !name.contains('/')) {
            // A script that is a program, not a text, cannot be given a path.
            if let Some(text) = self.read(&directory.join(&name))?.filter(|text| !text.contains('\u{fffd}')) {
                scripts.push((name, text));
            }
        }
        scripts.sort_unstable();
        Ok(scripts)
    }

    /// Whether its namespace packages work only with setuptools, which it does not ask for.
    ///
    /// # Errors
    /// Its metadata cannot be read.
    pub(super) fn needs_setuptools(&self, environment: &MarkerEnvironment) -> Result<bool, EggError> {
        let Some(namespaces) = self.text("namespace_packages.txt")? else { return Ok(false) };
        let setuptools = ProjectName::new("setuptools");
        let asked = self.dependencies(environment)?.of(&[], environment)?;
        if asked.iter().any(|requirement| requirement.project == setuptools) {
            return Ok(false);
        }
        Ok(namespaces.split_whitespace().any(|namespace| {
            let file = Utf8Path::new(&namespace.replace('.', "/")).join("__init__.py");
            let text = self.read(&file).ok().flatten().unwrap_or_default();
            text.contains("pkg_resources") && !text.contains("pkgutil")
        }))
    }

    fn text(&self, name: &str) -> Result<Option<String>, EggError> {
        self.read(&self.information.join(name))
    }

    /// The text of a file in its location; bytes that are not UTF-8 are replaced.
    fn read(&self, name: &Utf8Path) -> Result<Option<String>, EggError> {
        if self.is_packed {
            return Archive::open(&self.location)?.text(name.as_str());
        }
        let path = self.location.join(name);
        let content = files::read_if_present(&path);
        let content = content.map_err(|source| EggError::Io { action: "read", path, source })?;
        Ok(content.map(|content| String::from_utf8_lossy(&content).into_owned()))
    }
}

/// The distributions of an eggs directory that the interpreter can use.
///
/// # Errors
/// The directory cannot be read; a missing one holds nothing.
pub(super) fn eggs(directory: &Utf8Path, facts: &Facts) -> Result<Vec<Distribution>, EggError> {
    let python = Version::new([u64::from(facts.major), u64::from(facts.minor)]);
    Ok(entries(directory)?
        .into_iter()
        .filter(|path| {
            let name = path.file_name().and_then(EggName::parse);
            name.is_some_and(|name| name.suits(&python, &facts.platform))
        })
        .filter_map(|path| Distribution::egg(&path))
        .collect())
}

/// What the directory of develop eggs links to, and the eggs that were built into it.
///
/// # Errors
/// The directory cannot be read; a missing one holds nothing.
pub(super) fn develop_eggs(directory: &Utf8Path, facts: &Facts) -> Result<Vec<Distribution>, EggError> {
    let mut found = eggs(directory, facts)?;
    for path in entries(directory)? {
        let Some(project) = path.file_name().and_then(|name| name.strip_suffix(".egg-link")) else {
            continue;
        };
        let text = files::read_text_if_present(&path)
            .map_err(|source| EggError::Io { action: "read", path: path.clone(), source })?
            .unwrap_or_default();
        let location = Utf8PathBuf::from(text.lines().next().unwrap_or_default().trim());
        found.extend(installed(&location, Kind::Develop, Some(&ProjectName::new(project)))?);
    }
    Ok(found)
}

/// The packages of the interpreter, when zc.buildout is one of them: only then its own packages take part in builds.
///
/// # Errors
/// One of its directories cannot be read.
pub(super) fn site(facts: &Facts) -> Result<Vec<Distribution>, EggError> {
    let mut all = Vec::new();
    let buildout = ProjectName::new("zc.buildout");
    for directory in &facts.site_directories {
        let packages = installed(directory, Kind::Site, None)?;
        if packages.iter().any(|package| package.project == buildout) {
            all.extend(packages);
        }
    }
    Ok(all)
}

/// The distributions whose metadata stands beside their packages in one directory.
fn installed(
    directory: &Utf8Path,
    kind: Kind,
    only: Option<&ProjectName>,
) -> Result<Vec<Distribution>, EggError> {
    let mut found = Vec::new();
    for information in entries(directory)? {
        let fields = match information.extension() {
            Some("dist-info") => information.join("METADATA"),
            Some("egg-info") => information.join("PKG-INFO"),
            _ => continue,
        };
        // `name-version`, and for old ones `-pyX.Y` after it; links to sources have the name alone.
        let mut parts = information.file_stem().unwrap_or_default().split('-');
        let name = parts.next().unwrap_or_default();
        if only.is_some_and(|project| *project != ProjectName::new(name)) {
            continue;
        }
        if let Some(version) = parts.next().and_then(|version| version.parse().ok()) {
            found.push(Distribution::new(name.to_owned(), version, directory, kind, file_name(&information)));
            continue;
        }
        let Ok(Some(text)) = files::read_text_if_present(&fields) else { continue };
        let fields = Fields::parse(&text);
        let Ok(version) = fields.version.parse() else { continue };
        found.push(Distribution::new(fields.name, version, directory, kind, file_name(&information)));
    }
    Ok(found)
}

/// The paths in a directory, sorted; a missing directory has none.
///
/// # Errors
/// It cannot be read.
pub(super) fn entries(directory: &Utf8Path) -> Result<Vec<Utf8PathBuf>, EggError> {
    let failed = |source| EggError::Io { action: "read", path: directory.to_owned(), source };
    let listing = match fs::read_dir(directory) {
        Ok(listing) => listing,
        Err(error)
            if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(failed(error)),
    };
    let mut paths = Vec::new();
    for entry in listing {
        // A name that is not UTF-8 is none that a distribution has.
        if let Ok(path) = Utf8PathBuf::try_from(entry.map_err(failed)?.path()) {
            paths.push(path);
        }
    }
    paths.sort_unstable();
    Ok(paths)
}

fn file_name(path: &Utf8Path) -> &Utf8Path {
    Utf8Path::new(path.file_name().unwrap_or_default())
}

fn child_with_ending(directory: &Utf8Path, ending: &str) -> Option<Utf8PathBuf> {
    entries(directory).ok()?.into_iter().find(|path| path.as_str().ends_with(ending))
}
