//! A working set: the distributions of a part in the order of `sys.path`.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use md5::{Digest, Md5};
use pep440_rs::Version;
use pep508_rs::MarkerEnvironment;
use shacache::hexadecimal;

use super::distribution::{Distribution, Kind};
use super::error::EggError;
use super::metadata::EntryPoint;
use super::name::ProjectName;
use super::requirement::Requirement;

/// The distributions that requirements need, all of them installed.
#[derive(Debug, Clone)]
pub struct WorkingSet {
    distributions: Vec<Arc<Distribution>>,
    python: Utf8PathBuf,
    environment: MarkerEnvironment,
}

impl WorkingSet {
    /// Takes distributions in the order of the walk and sorts them: under development, installed here, others.
    pub(super) fn new(
        chosen: Vec<Arc<Distribution>>,
        eggs_directory: &Utf8Path,
        python: Utf8PathBuf,
        environment: MarkerEnvironment,
    ) -> Self {
        let (develop, others): (Vec<_>, Vec<_>) =
            chosen.into_iter().partition(|distribution| distribution.kind == Kind::Develop);
        let (eggs, others): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|distribution| distribution.location.starts_with(eggs_directory));
        Self { distributions: develop.into_iter().chain(eggs).chain(others).collect(), python, environment }
    }

    /// The interpreter that the set is for, as scripts name it.
    #[must_use]
    pub fn python(&self) -> &Utf8Path {
        &self.python
    }

    /// The directories that go into `sys.path`, without repetitions.
    #[must_use]
    pub fn path(&self) -> Vec<Utf8PathBuf> {
        let mut path: Vec<Utf8PathBuf> = Vec::new();
        for distribution in &self.distributions {
            if !path.contains(&distribution.location) {
                path.push(distribution.location.clone());
            }
        }
        path
    }

    /// Name and version of each distribution, as it writes them.
    pub fn versions(&self) -> impl Iterator<Item = (&str, &Version)> {
        self.distributions.iter().map(|distribution| (distribution.written.as_str(), &distribution.version))
    }

    /// What identifies the set in `__buildout_signature__`: the names of its egg directories; for what is under
    /// development the project and a hash of its files; sorted, without repetitions.
    ///
    /// # Errors
    /// Files under development cannot be read.
    pub fn signature(&self) -> Result<Vec<String>, EggError> {
        let mut names = Vec::new();
        for distribution in &self.distributions {
            names.push(match distribution.kind {
                Kind::Egg => distribution.location.file_name().unwrap_or_default().to_owned(),
                Kind::Site => format!("{}-{}", distribution.project, distribution.version),
                Kind::Develop => format!("{}-{}", distribution.project, tree_hash(&distribution.location)?),
            });
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// The entry points of one group that a requirement's distribution has, in order.
    ///
    /// # Errors
    /// The requirement cannot be read, or its distribution not be.
    pub fn entry_points(&self, requirement: &str, group: &str) -> Result<Vec<EntryPoint>, EggError> {
        self.with(requirement, |distribution| distribution.entry_points(group))
    }

    /// The scripts that a requirement's distribution brings as files: names and texts.
    ///
    /// # Errors
    /// As [`Self::entry_points`].
    pub fn script_files(&self, requirement: &str) -> Result<Vec<(String, String)>, EggError> {
        self.with(requirement, Distribution::scripts)
    }

    fn with<T: Default>(
        &self,
        requirement: &str,
        read: impl FnOnce(&Distribution) -> Result<T, EggError>,
    ) -> Result<T, EggError> {
        let requirement: Requirement =
            requirement.parse().map_err(|source| EggError::Requirement { by: None, source })?;
        if !requirement.applies(&self.environment, &[]) {
            return Ok(T::default());
        }
        match self.find(&requirement.project) {
            Some(distribution) => read(distribution),
            None => Ok(T::default()),
        }
    }

    fn find(&self, project: &ProjectName) -> Option<&Distribution> {
        self.distributions.iter().map(AsRef::as_ref).find(|distribution| distribution.project == *project)
    }
}

/// A hash of the names and contents of the files of a tree; what Python and version control keep there for themselves
/// does not count.
fn tree_hash(root: &Utf8Path) -> Result<String, EggError> {
    let failed = |path: &Utf8Path, source| EggError::Io { action: "read", path: path.to_owned(), source };
    let mut files = Vec::new();
    let mut pending = vec![root.to_owned()];
    while let Some(directory) = pending.pop() {
        for entry in directory.read_dir_utf8().map_err(|error| failed(&directory, error))? {
            let entry = entry.map_err(|error| failed(&directory, error))?;
            let name = entry.file_name();
            if name.starts_with('.')
                || name == "__pycache__"
                || name.ends_with(".pyc")
                || name.ends_with(".egg-info")
            {
                continue;
            }
            let kind = entry.file_type().map_err(|error| failed(entry.path(), error))?;
            if kind.is_dir() {
                pending.push(entry.into_path());
            } else if kind.is_file() {
                files.push(entry.into_path());
            }
        }
    }
    files.sort_unstable();
    let mut hash = Md5::new();
    for file in &files {
        let content = fs::read(file).map_err(|error| failed(file, error))?;
        let name = file.strip_prefix(root).unwrap_or(file);
        hash.update(format!("{name}\0{}\0", content.len()));
        hash.update(content);
    }
    Ok(hexadecimal(&hash.finalize()))
}
