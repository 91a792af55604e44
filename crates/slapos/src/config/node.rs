//! `[slapos]`, `[networkcache]` and `[slapformat]`: the choices of a node.
//!
//! The command line overrides the file; of the file, `[networkcache]` overrides `[slapos]`. An option of the file keeps
//! its meaning when the command line does not set it.

mod flags;
mod format;
mod network_cache;
mod slapos;

use std::time::Duration;

use camino::Utf8PathBuf;
use node::configuration::Configuration;
use slap::PartitionId;

pub(crate) use self::flags::{FormatFlags, NodeFlags};
pub(crate) use self::format::definition;
use self::format::format;
use self::slapos::{check_files, configuration};
use crate::config::{Options, become_owner, of_node};
use crate::context::Context;
use crate::failure::{Failure, Kind};

/// A node's choices, and what only the command itself needs of its file.
#[derive(Debug)]
pub(crate) struct NodeSettings {
    /// The choices.
    pub(crate) configuration: Configuration,
    /// Upper bound of a random wait before the pass.
    pub(crate) maximal_delay: Duration,
    /// `only_sr` or `only_cp` of the file.
    pub(crate) only_releases: Vec<String>,
    /// `only_cp` of the file.
    pub(crate) only_partitions: Vec<String>,
    /// Log file of `node format` when none is given.
    pub(crate) format_log: Option<Utf8PathBuf>,
}

/// Reads the choices of a node.
pub(crate) fn load(context: &Context<'_>, flags: &NodeFlags) -> Result<NodeSettings, Failure> {
    let ini = of_node(context, flags.cfg.as_deref())?;
    become_owner(ini.path())?;
    let mut options = Options::new(&ini, context.environment, &["networkcache", "slapos"]);
    flags.override_in(&mut options);
    options.require(&["computer_id", "instance_root", "master_url", "software_root"])?;
    let mut configuration = configuration(context, &options, flags.pidfile.as_deref())?;
    configuration.format = format(context, &ini, &configuration, &flags.format)?;
    check_files(&configuration)?;
    let list =
        |name| -> Result<Vec<String>, Failure> { Ok(split_list(&options.text(name)?.unwrap_or_default())) };
    Ok(NodeSettings {
        maximal_delay: Duration::from_secs(if flags.now {
            0
        } else {
            options.number("maximal_delay")?.unwrap_or(0)
        }),
        only_releases: list("only_sr")?,
        only_partitions: list("only_cp")?,
        format_log: Options::new(&ini, context.environment, &["slapformat"]).path("log_file")?,
        configuration,
    })
}

/// The partitions that the command line names, else those that the file does.
pub(crate) fn partitions(given: Option<&str>, settings: &NodeSettings) -> Result<Vec<PartitionId>, Failure> {
    let names = given.map_or_else(|| settings.only_partitions.clone(), split_list);
    let parse = |name: &String| {
        name.parse().map_err(|error: slap::InvalidId| Failure::of(Kind::Usage, &error).code("E-usage"))
    };
    names.iter().map(parse).collect()
}

/// The entries of a list separated by commas, blanks around them removed.
pub(crate) fn split_list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_trimmed() {
        assert_eq!(split_list("a, b,,c "), ["a", "b", "c"]);
    }
}
