//! What kind of system this is.

/// A distribution, as `/etc/os-release` describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distribution {
    /// Short name in small letters: `debian`.
    pub id: String,
    /// Version: `12`.
    pub version: String,
    /// Name for people: `Debian GNU/Linux`.
    pub name: String,
}

/// Kernel and machine in one word, as Python's `platform` writes it: `Linux-6.1.0-13-amd64-x86_64`.
#[must_use]
pub fn platform() -> String {
    let Ok(facts) = nix::sys::utsname::uname() else { return String::new() };
    let words = [facts.sysname(), facts.release(), facts.machine()];
    words.map(|word| word.to_string_lossy().into_owned()).join("-")
}

/// How many processors this process may use, at least one.
#[must_use]
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

/// The distribution; empty texts where it does not say.
#[must_use]
pub fn distribution() -> Distribution {
    let text = ["/etc/os-release", "/usr/lib/os-release"]
        .iter()
        .find_map(|path| fs_err::read_to_string(path).ok())
        .unwrap_or_default();
    read(&text)
}

fn read(text: &str) -> Distribution {
    let value = |wanted: &str| {
        text.lines()
            .filter_map(|line| line.split_once('='))
            .find(|(name, _)| name.trim() == wanted)
            .map(|(_, value)| value.trim().trim_matches(['"', '\'']).to_owned())
            .unwrap_or_default()
    };
    Distribution { id: value("ID"), version: value("VERSION_ID"), name: value("NAME") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_around_values_are_dropped() {
        let distribution = read(
            "PRETTY_NAME=\"Debian GNU/Linux 12\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\n",
        );

        assert_eq!(
            distribution,
            Distribution {
                id: "debian".to_owned(),
                version: "12".to_owned(),
                name: "Debian GNU/Linux".to_owned()
            }
        );
        assert_eq!(read(""), Distribution::default());
    }
}
