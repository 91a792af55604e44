//! What the tests and benchmarks need of the machine, and what to do when it is missing.

use crate::check::is_there;
use crate::step::{Failure, program, step, top};

/// A probe, what it finds, and the Debian packages that bring it.
const PROBES: &[(&[&str], &str, &str)] = &[
    (&["/usr/bin/python3", "--version"], "Python 3", "python3"),
    (&["/usr/bin/python3", "-c", "import venv, ensurepip"], "Python's virtual environments", "python3-venv"),
    (
        &[
            "/usr/bin/python3",
            "-c",
            "import os, sysconfig; assert os.path.exists(sysconfig.get_path('include') + '/Python.h')",
        ],
        "Python's header files",
        "python3-dev",
    ),
    (&["gcc", "--version"], "a C compiler", "gcc libc6-dev"),
    (&["make", "--version"], "make", "make"),
    (&["curl", "--version"], "curl", "curl"),
    (&["openssl", "version"], "openssl", "openssl"),
];

/// Makes sure that the machine has what is needed.
pub(crate) fn check() -> Result<(), Failure> {
    let missing: Vec<_> = PROBES
        .iter()
        .filter(|(probe, ..)| !is_there(&program(probe[0]).args(probe[1..].iter().copied())))
        .collect();
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(|(_, name, _)| *name).collect();
        let packages: Vec<&str> = missing.iter().map(|(.., package)| *package).collect();
        return Err(format!(
            "this machine has no {}\nhint: on Debian: apt-get install {}",
            names.join(", no "),
            packages.join(" ")
        ));
    }
    Ok(())
}

/// Makes sure that the machine has what is needed, and that the Python peer is set up in `target/peer`.
pub(crate) fn prepare() -> Result<(), Failure> {
    check()?;
    step(
        "the Python SlapOS, to interoperate with",
        &program("bash").arg("tests/peer/setup_peer.sh").arg(top().join("target/peer").as_str()),
    )
    .map_err(|failure| format!("{failure}\nhint: it is fetched with pip; `pip config list` says from where"))
}
