//! What is known of some releases: values that only the right order of profiles gives, and sizes.

use super::Read;
use crate::step::Failure;

/// Root, section, option, and what its value must contain or be.
const VALUES: &[(&str, &str, &str, Expected)] = &[
    ("dream/software.cfg", "python", "part", Expected::Is("python2.7")),
    ("dream/software.cfg", "openssl", "location", Expected::Is("${openssl-1.1:location}")),
    ("dream/software.cfg", "numpy-env", "LAPACK", OPENBLAS),
    ("erp5-zope2/software.cfg", "buildout", "parts", ERP5),
    ("erp5-zope2/software.cfg", "numpy-env", "LAPACK", OPENBLAS),
    ("erp5-zope2/software.cfg", "versions", "pycountry", Expected::Is("17.1.8")),
    ("erp5/software.cfg", "buildout", "parts", ERP5),
    ("erp5/software.cfg", "numpy-env", "LAPACK", OPENBLAS),
    ("slapos-master/software.cfg", "buildout", "parts", ERP5),
    ("slapos-master/software.cfg", "numpy-env", "LAPACK", OPENBLAS),
    ("wendelin/software.cfg", "buildout", "parts", ERP5),
    ("wendelin/software.cfg", "numpy-env", "LAPACK", OPENBLAS),
    ("jupyter/software.cfg", "numpy-env", "LAPACK", OPENBLAS),
    ("simpleran/software.cfg", "numpy-env", "LAPACK", OPENBLAS),
    ("wordpress/software.cfg", "numpy-env", "LAPACK", OPENBLAS),
    ("kvm/software.cfg", "qemu", "configure-options", Expected::Has("--enable-rbd")),
];

const OPENBLAS: Expected = Expected::Is("${openblas:location}/lib/libopenblas.so");
/// A base that is applied again leaves nothing but `scipy`.
const ERP5: Expected = Expected::Has("erp5-util-develop");

/// Roots that extend an address, and so cannot be read offline.
const REMOTE: &[&str] = &["erp5testnode/testsuite/deploy-test/software.cfg"];

/// Root, profiles, parts.
const SIZES: &[(&str, usize, usize)] = &[("erp5/software.cfg", 248, 379)];

enum Expected {
    Is(&'static str),
    Has(&'static str),
}

/// Whether the network is needed to read it.
pub(super) fn is_remote(root: &str) -> bool {
    REMOTE.contains(&root)
}

/// What of a release is otherwise than known.
pub(super) fn problems(read: &Read) -> Result<Vec<String>, Failure> {
    let mut problems = Vec::new();
    for (_, section, option, expected) in VALUES.iter().filter(|(root, ..)| *root == read.name) {
        let options = read.merged.section(section).map_err(|error| error.to_string())?.unwrap_or_default();
        let value = options.get(*option).map_or("", String::as_str);
        let is_right = match expected {
            Expected::Is(wanted) => value == *wanted,
            Expected::Has(wanted) => value.contains(wanted),
        };
        if !is_right {
            problems.push(format!("{section}:{option} is {value:?}"));
        }
    }
    for (_, profiles, parts) in SIZES.iter().filter(|(root, ..)| *root == read.name) {
        let found = (read.merged.profiles().len(), read.parts);
        if found != (*profiles, *parts) {
            problems.push(format!("{profiles} profiles and {parts} parts were expected"));
        }
    }
    Ok(problems)
}
