//! How a distribution is to be built from its sources, as a part says it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use camino::Utf8PathBuf;
use pep440_rs::Version;

/// What a part says about the build of one distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EggBuild {
    /// Options of the `build_ext` command of setuptools: `include-dirs`, `rpath`, …
    pub extension_options: BTreeMap<String, String>,
    /// Variables that the build gets beside those of the settings.
    pub environment: BTreeMap<String, String>,
    /// Requirements that must be importable while it is built.
    pub setup_eggs: Vec<String>,
    /// Patches to apply, in order.
    pub patches: Vec<Utf8PathBuf>,
    /// The command that applies a patch given on its standard input.
    pub patch_command: Vec<String>,
    /// Says which patches they are: `1` makes version 2.0 the version `2.0+SlapOSPatched001`.
    pub patch_revision: u32,
}

impl Default for EggBuild {
    fn default() -> Self {
        Self {
            extension_options: BTreeMap::new(),
            environment: BTreeMap::new(),
            setup_eggs: Vec::new(),
            patches: Vec::new(),
            patch_command: ["patch", "-p0"].map(str::to_owned).into(),
            patch_revision: 0,
        }
    }
}

impl EggBuild {
    /// What is added to the version, for a patched distribution.
    #[must_use]
    pub(super) fn local_version(&self) -> Option<String> {
        (!self.patches.is_empty()).then(|| format!("+SlapOSPatched{:03}", self.patch_revision))
    }

    /// The version of the sources of what is to become `version`.
    #[must_use]
    pub(super) fn source_version(&self, version: &Version) -> Version {
        match self.local_version() {
            Some(_) => version.clone().without_local(),
            None => version.clone(),
        }
    }

    /// The settings for setuptools; none when there are none.
    #[must_use]
    pub(super) fn settings_for_setuptools(&self) -> Option<String> {
        let mut text = String::new();
        if !self.extension_options.is_empty() {
            text.push_str("[build_ext]\n");
        }
        for (option, value) in &self.extension_options {
            let _ = writeln!(text, "{} = {}", option.replace('-', "_"), value.replace('\n', "\n\t"));
        }
        if let Some(local) = self.local_version() {
            let _ = write!(text, "[egg_info]\ntag_build = {local}\n");
        }
        (!text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setuptools_is_told_of_directories_and_of_patches() {
        let options = [("include-dirs", "/a:/b"), ("define", "A,B")];
        let build = EggBuild {
            extension_options: options.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            patches: vec!["/x.patch".into()],
            patch_revision: 2,
            ..EggBuild::default()
        };

        assert_eq!(
            build.settings_for_setuptools().unwrap(),
            "[build_ext]\ndefine = A,B\ninclude_dirs = /a:/b\n[egg_info]\ntag_build = +SlapOSPatched002\n"
        );
        assert_eq!(EggBuild::default().settings_for_setuptools(), None);
        let version = "1.0+SlapOSPatched002".parse().unwrap();
        assert_eq!(build.source_version(&version).to_string(), "1.0");
    }
}
