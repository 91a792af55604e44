//! Which wheels an interpreter can use, and which of them suits it best.

use host::python::Facts;

use super::name::WheelName;

/// How well a wheel suits: the smaller, the better.
pub(super) type Rank = (bool, u32, u32);

/// The tags that an interpreter accepts.
#[derive(Debug, Clone)]
pub(super) struct Tags {
    minor: u32,
    abi: String,
    machine: String,
    glibc: Option<(u32, u32)>,
}

impl Tags {
    /// The tags of an interpreter.
    #[must_use]
    pub(super) fn of(facts: &Facts) -> Self {
        // `.cpython-313t-x86_64-linux-gnu.so` is the free-threaded build, whose binary interface is another.
        let flags = facts.extension_suffix.as_deref().and_then(|suffix| {
            let tag = suffix.strip_prefix(".cpython-")?.split('-').next()?;
            Some(tag.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned())
        });
        let glibc = facts.glibc.as_deref().and_then(|version| {
            let (major, minor) = version.split_once('.')?;
            Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
        });
        Self {
            minor: facts.minor,
            abi: format!("cp3{}{}", facts.minor, flags.unwrap_or_default()),
            machine: facts.platform.trim_start_matches("linux-").replace(['-', '.'], "_"),
            glibc,
        }
    }

    /// How well a wheel suits; `None` when the interpreter cannot use it.
    #[must_use]
    pub(super) fn rank(&self, wheel: &WheelName) -> Option<Rank> {
        let python = wheel
            .pythons
            .iter()
            .flat_map(|python| wheel.abis.iter().map(move |abi| (python, abi)))
            .filter_map(|(python, abi)| self.rank_python(python, abi))
            .min()?;
        let platform = wheel.platforms.iter().filter_map(|platform| self.rank_platform(platform)).min()?;
        Some((platform == u32::MAX, python, platform))
    }

    fn rank_python(&self, python: &str, abi: &str) -> Option<u32> {
        let current = python.strip_prefix("cp3").or_else(|| python.strip_prefix("py3"))?;
        let age = match current {
            "" => 1,
            minor => match self.minor.checked_sub(minor.parse().ok()?)? {
                0 => 0,
                older => older + 1,
            },
        };
        match (python.starts_with("cp"), abi) {
            (true, abi) if abi == self.abi && age == 0 => Some(0),
            (true, "abi3") if !self.abi.ends_with('t') => Some(1 + age),
            (true, "none") if age == 0 => Some(100),
            (false, "none") => Some(200 + age),
            _ => None,
        }
    }

    fn rank_platform(&self, platform: &str) -> Option<u32> {
        if platform == "any" {
            return Some(u32::MAX);
        }
        let system = platform.strip_suffix(&self.machine)?.strip_suffix('_')?;
        let needed = match system {
            "linux" => return Some(u32::MAX - 1),
            "manylinux2014" => (2, 17),
            "manylinux2010" => (2, 12),
            "manylinux1" => (2, 5),
            other => {
                let (family, version) = other.split_once('_')?;
                let (major, minor) = version.split_once('_')?;
                let needed = (major.parse().ok()?, minor.parse().ok()?);
                match (family, self.glibc) {
                    ("manylinux", Some(_)) => needed,
                    // The version of musl is not known; what is built for it runs on what is current.
                    ("musllinux", None) => return Some(needed.1),
                    _ => return None,
                }
            }
        };
        let present = self.glibc?;
        (needed.0 == present.0 && needed.1 <= present.1).then(|| present.1 - needed.1)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Tags of CPython 3.11 on x86-64 with glibc 2.36.
    pub(crate) fn tags() -> Tags {
        Tags { minor: 11, abi: "cp311".to_owned(), machine: "x86_64".to_owned(), glibc: Some((2, 36)) }
    }

    fn rank(tag: &str) -> Option<Rank> {
        tags().rank(&WheelName::parse(&format!("a-1-{tag}.whl")).unwrap())
    }

    #[test]
    fn the_more_special_wheel_is_better() {
        let order = [
            "cp311-cp311-manylinux_2_28_x86_64",
            "cp311-cp311-manylinux2014_x86_64",
            "cp311-cp311-linux_x86_64",
            "cp311-abi3-manylinux2014_x86_64",
            "cp39-abi3-manylinux2014_x86_64",
            "py3-none-manylinux1_x86_64",
            "cp311-none-any",
            "py311-none-any",
            "py2.py3-none-any",
            "py38-none-any",
        ];

        let ranks: Vec<Rank> = order.iter().map(|tag| rank(tag).unwrap()).collect();

        assert!(ranks.is_sorted(), "{ranks:?}");
    }

    #[test]
    fn what_the_interpreter_cannot_load_is_refused() {
        for tag in [
            "cp310-cp310-manylinux2014_x86_64",
            "cp312-abi3-manylinux2014_x86_64",
            "cp311-cp311-manylinux_2_39_x86_64",
            "cp311-cp311-manylinux2014_aarch64",
            "cp311-cp311-musllinux_1_1_x86_64",
            "cp311-cp311-win_amd64",
            "py2-none-any",
            "py312-none-any",
        ] {
            assert_eq!(rank(tag), None, "{tag}");
        }
    }
}
