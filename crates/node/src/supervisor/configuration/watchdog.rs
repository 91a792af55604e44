//! The command line of the watchdog, as the main file has it.

use camino::{Utf8Path, Utf8PathBuf};

/// What the watchdog has to know, which the main file passes to it as its command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchdogArguments {
    /// The program `slapos-watchdog`; our supervisor never runs it, supervisord does.
    pub program: Utf8PathBuf,
    /// Address of the master.
    pub master_url: String,
    /// The computer's id.
    pub computer_id: String,
    /// Directory with the certificate and key of each partition.
    pub certificate_repository: Option<Utf8PathBuf>,
    /// Directory of the partitions; without it every exit bangs.
    pub instance_root: Option<Utf8PathBuf>,
}

/// Why a watchdog's command line makes no sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// An option that does not exist, or is the beginning of several.
    #[error("unknown watchdog option `{0}`")]
    Unknown(String),
    /// An option without value.
    #[error("watchdog option `{0}` has no value")]
    NoValue(String),
    /// A required option that is absent.
    #[error("watchdog option `{0}` is missing")]
    Missing(&'static str),
}

impl WatchdogArguments {
    /// The command as it stands in the main file.
    #[must_use]
    pub fn command_line(&self) -> String {
        // Compatibility: the reference leaves the place of an absent repository empty between two blanks.
        let repository = match &self.certificate_repository {
            Some(directory) => format!("--certificate-repository-path '{directory}'"),
            None => String::new(),
        };
        let root = self.instance_root.as_deref().map(Utf8Path::as_str).unwrap_or_default();
        format!(
            "{} --master-url '{}' {repository} --computer-id '{}' --instance-root '{root}'",
            self.program, self.master_url, self.computer_id
        )
    }

    /// Reads the words of a command line, the program first. Options may be abbreviated.
    ///
    /// # Errors
    /// Unknown or missing options.
    pub fn parse(words: &[String]) -> Result<Self, ArgumentError> {
        const OPTIONS: [&str; 4] =
            ["--master-url", "--computer-id", "--certificate-repository-path", "--instance-root-path"];
        let mut values: [Option<String>; 4] = [None, None, None, None];
        let mut words = words.iter();
        let program = Utf8PathBuf::from(words.next().map_or("slapos-watchdog", String::as_str));
        while let Some(word) = words.next() {
            let (name, attached) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            let mut candidates =
                (0..OPTIONS.len()).filter(|index| name.len() > 2 && OPTIONS[*index].starts_with(name));
            let (Some(index), None) = (candidates.next(), candidates.next()) else {
                return Err(ArgumentError::Unknown(word.clone()));
            };
            let value = attached.or_else(|| words.next().cloned());
            values[index] = Some(value.ok_or_else(|| ArgumentError::NoValue(word.clone()))?);
        }
        let [master_url, computer_id, repository, root] = values;
        let directory = |text: Option<String>| text.filter(|text| !text.is_empty()).map(Utf8PathBuf::from);
        Ok(Self {
            program,
            master_url: master_url.ok_or(ArgumentError::Missing("--master-url"))?,
            computer_id: computer_id.ok_or(ArgumentError::Missing("--computer-id"))?,
            certificate_repository: directory(repository),
            instance_root: directory(root),
        })
    }
}
