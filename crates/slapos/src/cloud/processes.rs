//! The processes of a cloud: how each is started and recognised.

use camino::Utf8PathBuf;
use host::process::Program;
use node::Configuration;
use node::environment::Environment as ChildEnvironment;
use node::supervisor::{Client as SupervisorClient, Layout};

use crate::cloud::daemon::Daemon;
use crate::cloud::{Cloud, deploy};
use crate::env::Environment;

/// The master.
pub(crate) fn master(cloud: &Cloud, environment: &Environment) -> Daemon {
    daemon(cloud, environment, "master", &["proxy", "start"])
}

/// The agent of the one node.
pub(crate) fn agent(cloud: &Cloud, environment: &Environment) -> Daemon {
    daemon(cloud, environment, "agent", &["node", "agent"])
}

/// What is needed of a node's choices to find its processes.
pub(crate) fn configuration(cloud: &Cloud) -> Configuration {
    Configuration::new(deploy::computer(), "", cloud.software_root(), cloud.instance_root(), &[])
}

/// A client of the supervisor, which the agent starts.
pub(crate) fn supervisor(cloud: &Cloud) -> SupervisorClient {
    SupervisorClient::new(Layout::new(cloud.instance_root()).socket())
}

fn daemon(cloud: &Cloud, environment: &Environment, name: &'static str, words: &[&str]) -> Daemon {
    let lock = cloud.lock(name);
    let program = Program::new(cloud.program())
        .args(words.iter().copied())
        .args(["--cfg", cloud.configuration().as_str(), "--hold", lock.as_str()])
        .directory(cloud.root())
        .envs(ChildEnvironment::allowed(environment.variables.iter().cloned()).variables())
        .env("HOME", cloud.root().as_str());
    let program = match pip_configuration(environment) {
        Some(path) => program.env("PIP_CONFIG_FILE", path.as_str()),
        None => program,
    };
    Daemon { name, lock, log: cloud.log(name), program }
}

/// The person's own configuration of pip, which says where packages come from: builds have another home directory and
/// would not find it.
fn pip_configuration(environment: &Environment) -> Option<Utf8PathBuf> {
    if environment.variables.iter().any(|(name, _)| name == "PIP_CONFIG_FILE") {
        return None;
    }
    let home = environment.home.as_ref()?;
    let candidates = [home.join(".config/pip/pip.conf"), home.join(".pip/pip.conf")];
    // Tried as the user that builds: root's own file is closed to it.
    candidates.into_iter().find(|path| fs_err::File::open(path).is_ok())
}
