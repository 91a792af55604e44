//! Installing one release: a directory named after its address, a profile that extends it, and a build.

use std::ffi::OsString;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use host::files;
use slap::SoftwareUrl;
use slap::client::ClientError;

use crate::Node;
use crate::build::{Build, BuildError, Failure, account_of};
use crate::configuration::Configuration;
use crate::outcome::Problem;
use crate::software::{Options, profile};
use crate::space::{self, SpaceError};

/// A release that could not be installed or removed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// There is too little room.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// A file or directory around the build could not be made.
    #[error("cannot prepare {path}")]
    Prepare {
        /// Which.
        path: Utf8PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The directory could not be removed.
    #[error("cannot remove {path}")]
    Remove {
        /// Which.
        path: Utf8PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The release may only come from the cache of built releases, and did not.
    #[error("release {url} may only come from the binary cache, which did not give it")]
    OnlyFromCache {
        /// Which.
        url: SoftwareUrl,
    },
    /// The build failed.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The master could not be told; the next pass does it again.
    #[error("the master could not be told about release {url}")]
    NotTold {
        /// Which.
        url: SoftwareUrl,
        /// Why not.
        #[source]
        source: ClientError,
    },
}

impl InstallError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Space(_) => "E-disk-full",
            Self::Prepare { source, .. } | Self::Remove { source, .. } if space::is_full(source) => {
                "E-disk-full"
            }
            Self::Prepare { .. } | Self::Remove { .. } => "E-directory-unwritable",
            Self::OnlyFromCache { .. } => "E-release-only-cached",
            Self::Build(error) => error.code(),
            Self::NotTold { .. } => "E-master-unreachable",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Space(_) => {
                Some("free space, or lower software_min_free_space; the next pass continues".to_owned())
            }
            Self::Prepare { path, source } | Self::Remove { path, source } if space::is_full(source) => {
                Some(format!("free space on the file system of {path}; the next pass continues"))
            }
            Self::Prepare { path, .. } | Self::Remove { path, .. } => {
                Some(format!("make {path} and what is in it writable for the user that runs this node"))
            }
            Self::OnlyFromCache { .. } => Some(
                "publish it in the cache, or take it off download-from-binary-cache-force-url-list"
                    .to_owned(),
            ),
            Self::Build(error) => error.hint(),
            Self::NotTold { .. } => Some("it is tried again at the next pass".to_owned()),
        }
    }
}

impl Failure for InstallError {
    fn build(&self) -> Option<&BuildError> {
        match self {
            Self::Build(error) => Some(error),
            _ => None,
        }
    }
}

/// Whether the software root is a directory that can be read.
pub(crate) fn check_root(root: &Utf8Path) -> Result<(), Problem> {
    match fs_err::read_dir(root) {
        Ok(_) => Ok(()),
        Err(source) => {
            let error = InstallError::Prepare { path: root.to_owned(), source };
            Err(Problem::of(root.as_str(), &error)
                .with_code("E-directory-missing")
                .with_hint(format!("make it: slapos node format, or correct software_root = {root}")))
        }
    }
}

/// Installs `url`, or goes on where an earlier attempt ended.
pub(crate) fn install(node: &Node, url: &SoftwareUrl, options: &Options) -> Result<(), InstallError> {
    let configuration = &node.configuration;
    let directory = configuration.release_directory(url);
    space::check(&directory, configuration.software_minimum_space, "software_min_free_space")?;
    if configuration.network_cache.forced.iter().any(|prefix| url.as_str().starts_with(prefix.as_str())) {
        return Err(InstallError::OnlyFromCache { url: url.clone() });
    }
    prepare(node, url, &directory)?;
    let build = Build {
        subject: url.to_string(),
        directory: directory.clone(),
        engine: configuration.engine.clone(),
        arguments: arguments(configuration, &directory, options),
        limit: None,
        attached: options.debug,
    };
    build.run(node, &mut |_| {})?;
    profile::complete(node, url, &directory)
}

fn prepare(node: &Node, url: &SoftwareUrl, directory: &Utf8Path) -> Result<(), InstallError> {
    let root = &node.configuration.software_root;
    let failed = |path: &Utf8Path, source| InstallError::Prepare { path: path.to_owned(), source };
    for path in [directory.to_owned(), directory.join("extends-cache")] {
        files::ensure_directory(&path, 0o755).map_err(|source| failed(&path, source))?;
        give(root, &path).map_err(|source| failed(&path, source))?;
    }
    let generated = directory.join("buildout.cfg");
    if !generated.exists() {
        files::replace(&generated, profile::generated(&node.configuration, url), 0o644)
            .map_err(|source| failed(&generated, source))?;
        give(root, &generated).map_err(|source| failed(&generated, source))?;
    }
    profile::note_revision(node, url, &generated).map_err(|source| failed(&generated, source))?;
    refresh_netrc(root, directory).map_err(|source| failed(&directory.join(".netrc"), source))
}

/// Gives `path` to the owner of the software root, when this process is root.
pub(crate) fn give(root: &Utf8Path, path: &Utf8Path) -> io::Result<()> {
    match account_of(root)? {
        Some(account) => files::give(path, &account),
        None => Ok(()),
    }
}

/// Copies the credentials for downloads that the owner of the software root keeps at home.
fn refresh_netrc(root: &Utf8Path, directory: &Utf8Path) -> io::Result<()> {
    let copy = directory.join(".netrc");
    let owner = match account_of(root)? {
        Some(account) => account,
        None => match host::users::Account::owner_of(root) {
            Ok(account) => account,
            // A user who is in no password database has no home either.
            Err(_) => return files::remove_if_present(&copy),
        },
    };
    let original = owner.home.join(".netrc");
    if original == copy {
        return Ok(());
    }
    match files::read_if_present(&original) {
        Ok(Some(content)) => {
            files::replace(&copy, content, 0o600)?;
            give(root, &copy)
        }
        // A home that cannot be looked into holds nothing for this release.
        Ok(None) | Err(_) => files::remove_if_present(&copy),
    }
}

/// The arguments of the engine for a release, exactly as the reference passes them.
fn arguments(configuration: &Configuration, directory: &Utf8Path, options: &Options) -> Vec<OsString> {
    let cache = &configuration.network_cache;
    let mut arguments = Vec::new();
    if options.debug {
        arguments.push("-D".to_owned());
    }
    arguments.push("-U".to_owned());
    arguments.push(format!("buildout:extends-cache={directory}/extends-cache"));
    arguments.push(format!("buildout:directory={directory}"));
    if cache.is_used_by_builds() {
        arguments.push("buildout:networkcache-section=networkcache".to_owned());
        arguments.extend(
            cache.build_options().into_iter().map(|(name, value)| format!("networkcache:{name}={value}")),
        );
    }
    if !options.force {
        arguments.push("-N".to_owned());
    }
    arguments.push("-c".to_owned());
    arguments.push(format!("{directory}/buildout.cfg"));
    arguments.into_iter().map(OsString::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::NetworkCache;

    fn text(configuration: &Configuration, options: &Options) -> String {
        arguments(configuration, Utf8Path::new("/soft/abc"), options)
            .into_iter()
            .map(|word| word.into_string().unwrap())
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn configuration() -> Configuration {
        Configuration::new(
            "COMP-1".parse().unwrap(),
            "http://master",
            "/soft",
            "/inst",
            &["/bin/slapos".into()],
        )
    }

    #[test]
    fn the_engine_gets_the_arguments_of_the_reference() {
        insta::assert_snapshot!(text(&configuration(), &Options::default()), @r"
-U
buildout:extends-cache=/soft/abc/extends-cache
buildout:directory=/soft/abc
-N
-c
/soft/abc/buildout.cfg
");
    }

    #[test]
    fn develop_mode_drops_the_newest_flag_and_debug_mode_asks_for_a_debugger() {
        let options = Options { force: true, debug: true, ..Options::default() };

        insta::assert_snapshot!(text(&configuration(), &options), @r"
-D
-U
buildout:extends-cache=/soft/abc/extends-cache
buildout:directory=/soft/abc
-c
/soft/abc/buildout.cfg
");
    }

    #[test]
    fn only_cache_options_with_a_value_are_passed() {
        let network_cache = NetworkCache {
            upload_cache_url: Some("http://cache".to_owned()),
            upload_dir_url: Some(String::new()),
            signature_private_key_file: Some("/key".into()),
            ..NetworkCache::default()
        };

        insta::assert_snapshot!(text(&Configuration { network_cache, ..configuration() }, &Options::default()), @r"
-U
buildout:extends-cache=/soft/abc/extends-cache
buildout:directory=/soft/abc
buildout:networkcache-section=networkcache
networkcache:signature-private-key-file=/key
networkcache:upload-cache-url=http://cache
-N
-c
/soft/abc/buildout.cfg
");
    }
}
