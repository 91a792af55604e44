//! Configuration files: which one is read, its dialect, and its typed content.

pub(crate) mod client;
pub(crate) mod ini;
pub(crate) mod master;
mod multimaster;
pub(crate) mod node;
mod options;

use camino::{Utf8Path, Utf8PathBuf};
use host::users::{Account, is_root};

use crate::cloud::Cloud;
use crate::config::ini::{Ini, IniError};
use crate::context::Context;
use crate::env::Environment;
use crate::failure::{Failure, Kind};

pub(crate) use options::Options;

/// Where the node's configuration is when nothing says otherwise.
const NODE_DEFAULT: &str = "/etc/opt/slapos/slapos.cfg";

/// Where the client's configuration is, below the home directory, when nothing says otherwise.
const CLIENT_DEFAULT: &str = ".slapos/slapos-client.cfg";

/// Reads the configuration of the node commands: `--cfg`, `SLAPOS_CONFIGURATION`, the classic place, or the cloud of
/// `slapos up`.
pub(crate) fn of_node(context: &Context<'_>, cfg: Option<&str>) -> Result<Ini, Failure> {
    let environment = context.environment;
    let named = cfg.map(|path| environment.absolute(path)).or_else(|| environment.node_configuration.clone());
    read(&chosen(environment, named, Some(Utf8PathBuf::from(NODE_DEFAULT)), "SLAPOS_CONFIGURATION")?)
}

/// Reads the configuration of the client commands: `--cfg`, `SLAPOS_CLIENT_CONFIGURATION`, the classic place, or the
/// cloud of `slapos up`.
pub(crate) fn of_client(context: &Context<'_>, cfg: Option<&str>) -> Result<Ini, Failure> {
    let environment = context.environment;
    let named =
        cfg.map(|path| environment.absolute(path)).or_else(|| environment.client_configuration.clone());
    let classic = environment.home.as_ref().map(|home| home.join(CLIENT_DEFAULT));
    read(&chosen(environment, named, classic, "SLAPOS_CLIENT_CONFIGURATION")?)
}

/// Reads a configuration file.
pub(crate) fn read(path: &Utf8Path) -> Result<Ini, Failure> {
    let failed = || {
        Failure::new(Kind::Failed, format!("cannot read the configuration {path}")).code("E-configuration")
    };
    let text = host::files::read_text_if_present(path)
        .map_err(|error| failed().because_of(&error))?
        .ok_or_else(|| failed().because("there is no such file").hint("name another with --cfg FILE"))?;
    Ini::parse(path, &text).map_err(|error| syntax(&error))
}

/// Becomes the owner of a configuration file when root reads one that belongs to somebody else: whoever may write it
/// may name the programs that are run.
pub(crate) fn become_owner(path: &Utf8Path) -> Result<(), Failure> {
    if !is_root() {
        return Ok(());
    }
    let failed = |error: std::io::Error| {
        Failure::new(Kind::Failed, format!("cannot become the owner of {path}")).because_of(&error)
    };
    let owner = Account::owner_of(path).map_err(failed)?;
    owner.become_it().map_err(failed)
}

fn chosen(
    environment: &Environment,
    named: Option<Utf8PathBuf>,
    classic: Option<Utf8PathBuf>,
    variable: &str,
) -> Result<Utf8PathBuf, Failure> {
    if let Some(path) = named {
        return Ok(environment.absolute(path.as_str()));
    }
    let cloud = Cloud::of_user(environment).map(|cloud| cloud.configuration());
    let candidates: Vec<Utf8PathBuf> = classic.into_iter().chain(cloud).collect();
    if let Some(found) = candidates.iter().find(|path| path.exists()) {
        return Ok(found.clone());
    }
    let looked: Vec<&str> = candidates.iter().map(|path| path.as_str()).collect();
    Err(Failure::new(Kind::Failed, "there is no configuration file")
        .because(format!("looked for {}", looked.join(" and ")))
        .hint("start a cloud on this machine: slapos up PROFILE")
        .hint(format!("or name a file: --cfg FILE, or the variable {variable}"))
        .code("E-configuration-missing"))
}

/// The failure for a file that is not written in the dialect.
pub(crate) fn syntax(error: &IniError) -> Failure {
    Failure::new(Kind::Failed, error.problem.clone())
        .excerpt(format!("{}:{}\n{:>3}| {}", error.path, error.line, error.line, error.text))
        .hint("correct the line")
        .code("E-configuration-syntax")
}
