//! Which software release `slapos up` is asked for: a directory, a file or an address.

use camino::{Utf8Path, Utf8PathBuf};

use crate::env::Environment;
use crate::failure::{Failure, Kind};

/// A release to be supplied, and what to call an instance of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    /// Address, or absolute path, of the software profile.
    pub(crate) url: String,
    /// Title of the instance when none is asked for.
    pub(crate) title: String,
    /// The file, when it is on this machine.
    pub(crate) file: Option<Utf8PathBuf>,
}

/// Finds the profile that a person means.
pub(crate) fn resolve(environment: &Environment, text: &str) -> Result<Profile, Failure> {
    if text.contains("://") {
        let title = title_of(text.split_once("://").map_or(text, |(_, rest)| rest));
        return Ok(Profile { url: text.to_owned(), title, file: None });
    }
    let asked = environment.absolute(text);
    let missing = |path: &Utf8Path, error: &std::io::Error| {
        Failure::new(Kind::Failed, format!("there is no profile at {path}"))
            .because(error.to_string())
            .hint("give a directory that holds a software.cfg, such a file, or an address")
            .code("E-profile-missing")
    };
    let found = asked.canonicalize_utf8().map_err(|error| missing(&asked, &error))?;
    let file = if found.is_dir() { found.join("software.cfg") } else { found };
    if let Err(error) = fs_err::metadata(&file) {
        return Err(missing(&file, &error));
    }
    Ok(Profile { url: file.to_string(), title: title_of(file.as_str()), file: Some(file) })
}

/// The directory's name, or that of a file that is not called `software.cfg`, in characters that a title may have.
fn title_of(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let mut names = path.rsplit('/').filter(|name| !name.is_empty());
    let file = names.next().unwrap_or("instance");
    let name = match (file, names.next()) {
        ("software.cfg", Some(directory)) => directory,
        (file, _) => file.strip_suffix(".cfg").unwrap_or(file),
    };
    let title: String = name
        .chars()
        .map(|letter| if letter.is_alphanumeric() || "-_.".contains(letter) { letter } else { '-' })
        .collect();
    if title.is_empty() { "instance".to_owned() } else { title }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_is_the_directory_s_name() {
        assert_eq!(title_of("/home/x/examples/flask/software.cfg"), "flask");
        assert_eq!(title_of("/home/x/redis.cfg"), "redis");
        assert_eq!(title_of("example.org/my app/software.cfg?v=1"), "my-app");
        assert_eq!(title_of("software.cfg"), "software");
    }
}
