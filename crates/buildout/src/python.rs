//! The Python that the build runs eggs, foreign recipes and conditions under. It is asked only when something needs it.

use camino::Utf8PathBuf;

/// Why no Python is at hand.
pub type PythonError = Box<dyn std::error::Error + Send + Sync>;

/// What an interpreter says about itself and its machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonFacts {
    /// Major, minor and micro version.
    pub version: [u32; 3],
    /// `sys.version_info.releaselevel` and serial, such as `("final", 0)`.
    pub release_level: (String, u32),
    /// `platform.python_implementation()`, such as `CPython`.
    pub implementation: String,
    /// `sys.platform`, such as `linux`.
    pub sys_platform: String,
    /// `os.name`, such as `posix`.
    pub os_name: String,
    /// `platform.machine()`, such as `x86_64`.
    pub machine: String,
    /// `platform.system()`, such as `Linux`.
    pub system: String,
    /// `platform.release()`: the kernel's.
    pub release: String,
    /// `platform.version()`: the kernel's build.
    pub platform_version: String,
    /// Bits of a pointer.
    pub bits: u32,
    /// Whether the machine is big-endian.
    pub big_endian: bool,
}

/// Finds the interpreter, and asks it.
pub trait PythonSource: Send + Sync {
    /// Path of the interpreter; must not start it.
    ///
    /// # Errors
    /// None is installed.
    fn executable(&self) -> Result<Utf8PathBuf, PythonError>;

    /// What the interpreter at `executable` says about itself. Called at most once for each interpreter of a build.
    ///
    /// # Errors
    /// It does not start or does not answer.
    fn facts(&self, executable: &camino::Utf8Path) -> Result<PythonFacts, PythonError>;
}
