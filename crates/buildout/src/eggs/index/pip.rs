//! pip: where its configuration says distributions come from, read as pip reads it; and the index that it asks when
//! nothing is configured, which only it can tell.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use host::files;
use host::python::Interpreter;

use super::super::error::EggError;

/// What pip's configuration says that matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PipConfiguration {
    /// `index-url`
    pub index: Option<String>,
    /// `extra-index-url`
    pub extra_indexes: Vec<String>,
    /// `find-links`
    pub find_links: Vec<String>,
    /// `cert`: a bundle of certificates to trust instead of the system's.
    pub certificates: Option<Utf8PathBuf>,
    /// `trusted-host`: hosts, some with a port, whose certificates are not looked at.
    pub trusted_hosts: Vec<String>,
    /// `proxy`: the address of a proxy to go through.
    pub proxy: Option<String>,
    /// `no-index`: nothing but `find-links`.
    pub no_index: bool,
    /// `timeout`, in seconds.
    pub timeout: Option<u64>,
}

impl PipConfiguration {
    /// Reads the files that pip reads and the variables `PIP_…` of `environment`. `prefix` is the interpreter's.
    ///
    /// # Errors
    /// A file exists and cannot be read.
    pub(crate) fn read(
        environment: &BTreeMap<String, String>,
        prefix: Option<&Utf8Path>,
    ) -> Result<Self, EggError> {
        let mut configuration = Self::default();
        for path in config_files(environment, prefix) {
            let text = match files::read_text_if_present(&path) {
                Ok(Some(text)) => text,
                Ok(None) => continue,
                // The file of another user is not this user's configuration.
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => continue,
                Err(source) => return Err(EggError::Io { action: "read", path, source }),
            };
            for (name, value) in read_options(&text) {
                configuration.set(&name, &value);
            }
        }
        for (variable, value) in environment {
            if let Some(name) = variable.strip_prefix("PIP_")
                && !value.is_empty()
            {
                configuration.set(&name.to_ascii_lowercase().replace('_', "-"), value);
            }
        }
        Ok(configuration)
    }

    fn set(&mut self, name: &str, value: &str) {
        let words = || value.split_whitespace().map(str::to_owned).collect();
        match name {
            "index-url" => self.index = Some(value.trim().to_owned()),
            "extra-index-url" => self.extra_indexes = words(),
            "find-links" => self.find_links = words(),
            "trusted-host" => self.trusted_hosts = words(),
            "cert" => self.certificates = Some(Utf8PathBuf::from(value.trim())),
            "proxy" => self.proxy = Some(value.trim().to_owned()).filter(|proxy| !proxy.is_empty()),
            "no-index" => {
                let word = value.trim().to_ascii_lowercase();
                self.no_index = ["1", "true", "yes", "on"].contains(&word.as_str());
            }
            "timeout" | "default-timeout" => self.timeout = value.trim().parse().ok(),
            _ => {}
        }
    }
}

/// The files, those that matter more later.
fn config_files(environment: &BTreeMap<String, String>, prefix: Option<&Utf8Path>) -> Vec<Utf8PathBuf> {
    let variable = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    let named = variable("PIP_CONFIG_FILE");
    if named.is_some_and(|path| path == "/dev/null") {
        return Vec::new();
    }
    let mut paths: Vec<Utf8PathBuf> = Vec::new();
    let directories = variable("XDG_CONFIG_DIRS").map_or("/etc/xdg", String::as_str);
    paths.extend(directories.split(':').rev().map(|directory| Utf8Path::new(directory).join("pip/pip.conf")));
    paths.push("/etc/pip.conf".into());
    if let Some(home) = variable("HOME") {
        paths.push(Utf8Path::new(home).join(".pip/pip.conf"));
        let configuration =
            variable("XDG_CONFIG_HOME").map_or_else(|| Utf8Path::new(home).join(".config"), Into::into);
        paths.push(configuration.join("pip/pip.conf"));
    }
    paths.extend(prefix.map(|prefix| prefix.join("pip.conf")));
    paths.extend(named.map(Utf8PathBuf::from));
    paths
}

/// The options of `[global]`, then those of `[install]`, which hold where both set one.
fn read_options(text: &str) -> Vec<(String, String)> {
    let mut global: Vec<(String, String)> = Vec::new();
    let mut install: Vec<(String, String)> = Vec::new();
    let mut section = String::new();
    let mut into_last = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name.to_owned();
            into_last = false;
            continue;
        }
        let options = match section.as_str() {
            "global" => &mut global,
            "install" => &mut install,
            _ => continue,
        };
        if line.starts_with([' ', '\t']) && into_last {
            if let Some((_, value)) = options.last_mut() {
                value.push('\n');
                value.push_str(trimmed);
            }
        } else if let Some((name, value)) = trimmed.split_once(['=', ':']) {
            let name = name.trim().trim_start_matches("--").to_ascii_lowercase().replace('_', "-");
            options.push((name, value.trim().to_owned()));
            into_last = true;
        }
    }
    global.extend(install);
    global
}

/// How long pip may take to tell its own index.
const INDEX_LIMIT: Duration = Duration::from_secs(60);

/// Makes pip importable, from the wheel that comes with Python if it is not installed: that of the interpreter itself
/// if it has one, since that of the machine may be too old for it.
pub(in super::super) const FIND_PIP: &str = "
import glob, os, sys
try:
    import pip
except ImportError:
    places = [os.path.join(os.path.dirname(os.__file__), 'ensurepip', '_bundled'), '/usr/share/python-wheels']
    wheels = [sorted(glob.glob(os.path.join(place, 'pip-*.whl'))) for place in places]
    sys.path[:0] = next((found[-1:] for found in wheels if found), [])
    import pip
";

/// The index that pip asks when nothing is configured, as pip itself says.
///
/// # Errors
/// There is no pip, or it does not say.
pub(in super::super) fn default_index(python: &Interpreter) -> Result<String, EggError> {
    let script = format!("{FIND_PIP}\nfrom pip._internal.models.index import PyPI\nprint(PyPI.simple_url)\n");
    let answer =
        python.run(&script, &[], INDEX_LIMIT).map_err(|error| EggError::NoIndex { source: Some(error) })?;
    match answer.trim() {
        "" => Err(EggError::NoIndex { source: None }),
        index => Ok(index.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pip_that_comes_with_the_interpreter_goes_before_that_of_the_machine() {
        let library = tempfile::tempdir().unwrap();
        let wheel = library.path().join("ensurepip/_bundled/pip-1.0-py3-none-any.whl/pip");
        fs_err::create_dir_all(&wheel).unwrap();
        fs_err::write(wheel.join("__init__.py"), "").unwrap();
        let start = format!("import os\nos.__file__ = {:?}\n", library.path().join("os.py"));

        // Without the packages of the machine, among which there may be a pip.
        let script = format!("{start}{FIND_PIP}\nprint(pip.__file__)\n");
        let python = host::process::Program::new("python3").args(["-I", "-S", "-c", script.as_str()]);
        let finished = python.env("PATH", "/usr/local/bin:/usr/bin:/bin").run(None, &mut |_| {}).unwrap();

        assert!(finished.text().starts_with(library.path().to_str().unwrap()), "{}", finished.text());
    }

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        // The machine's own files must not decide a test.
        let mut environment: BTreeMap<String, String> =
            [("XDG_CONFIG_DIRS".to_owned(), "/nonexistent".to_owned())].into();
        environment.extend(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        environment
    }

    #[test]
    fn later_files_and_variables_hold() {
        let directory = tempfile::tempdir().unwrap();
        let home = Utf8PathBuf::try_from(directory.path().to_owned()).unwrap();
        files::ensure_directory(&home.join(".pip"), 0o755).unwrap();
        files::ensure_directory(&home.join(".config/pip"), 0o755).unwrap();
        let old = "[global]\nindex-url = https://old.example/simple\nfind_links =\n    /a\n    /b\n[install]\nno-index = yes\n";
        files::replace(&home.join(".pip/pip.conf"), old, 0o644).unwrap();
        let new =
            "# comment\n[global]\nindex-url: https://new.example/simple\ntimeout = 7\n[list]\ncert = /no\n";
        files::replace(&home.join(".config/pip/pip.conf"), new, 0o644).unwrap();

        let configuration = PipConfiguration::read(
            &environment(&[
                ("HOME", home.as_str()),
                ("PIP_CERT", "/ca.pem"),
                ("PIP_TRUSTED_HOST", "one.example two.example:8080"),
                ("PIP_PROXY", "http://proxy.example:3128"),
            ]),
            None,
        )
        .unwrap();

        assert_eq!(configuration.index.as_deref(), Some("https://new.example/simple"));
        assert_eq!(configuration.find_links, ["/a", "/b"]);
        assert_eq!(configuration.certificates, Some("/ca.pem".into()));
        assert_eq!(configuration.proxy.as_deref(), Some("http://proxy.example:3128"));
        assert_eq!(configuration.timeout, Some(7));
        assert_eq!(configuration.trusted_hosts, ["one.example", "two.example:8080"]);
        assert!(configuration.no_index);
    }

    #[test]
    fn variables_hold_over_files() {
        let environment = environment(&[
            ("PIP_CONFIG_FILE", "/dev/null"),
            ("PIP_INDEX_URL", "https://one.example/"),
            ("PIP_EXTRA_INDEX_URL", "https://two.example/ https://three.example/"),
        ]);

        let configuration = PipConfiguration::read(&environment, None).unwrap();

        assert_eq!(configuration.index.as_deref(), Some("https://one.example/"));
        assert_eq!(configuration.extra_indexes, ["https://two.example/", "https://three.example/"]);
    }
}
