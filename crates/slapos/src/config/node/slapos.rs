//! `[slapos]`: the master, the directories, and how passes behave.

use std::ffi::OsString;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use node::configuration::{Configuration, Credentials, PidFiles, size};
use node::supervisor::Layout;

use super::network_cache::network_cache;
use crate::config::Options;
use crate::context::Context;
use crate::failure::{Failure, Kind};

pub(super) fn configuration(
    context: &Context<'_>,
    options: &Options<'_>,
    pid_file: Option<&str>,
) -> Result<Configuration, Failure> {
    let mandatory = |name| options.text(name).map(Option::unwrap_or_default);
    let computer_id =
        options.parsed("computer_id", str::parse::<slap::ComputerId>)?.expect("checked to be there");
    let root = |name| options.path(name).map(|path| path.expect("checked to be there"));
    let program = vec![OsString::from(context.environment.program.as_str())];
    let mut configuration = Configuration::new(
        computer_id,
        with_brackets(&mandatory("master_url")?),
        root("software_root")?,
        root("instance_root")?,
        &program,
    );
    configuration.credentials = Credentials {
        key_file: options.path("key_file")?,
        certificate_file: options.path("cert_file")?,
        authority_file: options.path("master_ca_file")?,
        partition_directory: options.path("certificate_repository_path")?,
    };
    configuration.shared_parts = options.paths("shared_part_list")?;
    configuration.build_time_parts = options.paths("build_time_part_list")?;
    configuration.root_check = options.flag("root_check", true)?;
    configuration.pid_files = pid_files(context, options, pid_file, configuration.pid_files.clone())?;
    if let Some(seconds) = options.number("maximum_periodicity")? {
        configuration.maximum_periodicity = seconds;
    }
    if let Some(seconds) = options.number("promise_timeout")? {
        configuration.promise_timeout = Duration::from_secs(seconds);
    }
    configuration.partition_timeout = options.number("partition_timeout")?.map(Duration::from_secs);
    if let Some(bytes) = options.parsed("software_min_free_space", size::parse)? {
        configuration.software_minimum_space = bytes;
    }
    if let Some(bytes) = options.parsed("instance_min_free_space", size::parse)? {
        configuration.instance_minimum_space = bytes;
    }
    configuration.instance_storage_home = options.path("instance_storage_home")?;
    configuration.ipv4_global_network = mandatory("ipv4_global_network")?;
    configuration.launch_supervisor = !options.flag("forbid_supervisord_automatic_launch", false)?;
    if let Some(engine) = options.path("buildout")? {
        configuration.engine = vec![OsString::from(engine.as_str())];
    }
    if let Some(watchdog) = beside(&context.environment.program, "slapos-watchdog") {
        configuration.watchdog = watchdog;
    }
    let layout = Layout::new(&configuration.instance_root);
    let daemon = ["supervisord", "--nodaemon", "--configuration", layout.configuration_file().as_str()]
        .map(OsString::from);
    configuration.supervisor =
        std::iter::once(OsString::from(context.environment.program.as_str())).chain(daemon).collect();
    configuration.cache_directory = options.path("cache_directory")?;
    configuration.network_cache = network_cache(options)?;
    Ok(configuration)
}

fn pid_files(
    context: &Context<'_>,
    options: &Options<'_>,
    given: Option<&str>,
    defaults: PidFiles,
) -> Result<PidFiles, Failure> {
    let given = given.map(|path| context.environment.absolute(path));
    // The old common name.
    let common = options.path("pidfile")?;
    let one = |name, default| -> Result<Utf8PathBuf, Failure> {
        Ok(match &given {
            Some(path) => path.clone(),
            None => options.path(name)?.or_else(|| common.clone()).unwrap_or(default),
        })
    };
    Ok(PidFiles {
        software: one("pidfile_software", defaults.software)?,
        instance: one("pidfile_instance", defaults.instance)?,
        report: one("pidfile_report", defaults.report)?,
    })
}

/// Another name of this program, where it is installed as such.
fn beside(program: &Utf8Path, name: &str) -> Option<Utf8PathBuf> {
    program.parent().map(|directory| directory.join(name)).filter(|path| path.exists())
}

/// A bare IPv6 host in an address gets its brackets.
fn with_brackets(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (host, path) = rest.find('/').map_or((rest, ""), |position| rest.split_at(position));
    if host.parse::<std::net::Ipv6Addr>().is_ok() {
        format!("{scheme}://[{host}]{path}")
    } else {
        url.to_owned()
    }
}

/// Every file that is named must be there before anything is done.
pub(super) fn check_files(configuration: &Configuration) -> Result<(), Failure> {
    let credentials = &configuration.credentials;
    if credentials.key_file.is_some() != credentials.certificate_file.is_some()
        || credentials.key_file.is_some() && credentials.partition_directory.is_none()
    {
        return Err(Failure::new(
            Kind::Failed,
            "key_file, cert_file and certificate_repository_path are given together or not at all",
        )
        .hint("add those that are missing to [slapos]")
        .code("E-configuration-missing-option"));
    }
    let cache = &configuration.network_cache;
    let files = [
        &credentials.key_file,
        &credentials.certificate_file,
        &credentials.authority_file,
        &credentials.partition_directory,
        &cache.signature_private_key_file,
        &cache.shacache_tls.ca_file,
        &cache.shacache_tls.cert_file,
        &cache.shacache_tls.key_file,
        &cache.shadir_tls.ca_file,
        &cache.shadir_tls.cert_file,
        &cache.shadir_tls.key_file,
    ];
    match files.into_iter().flatten().find(|path| !path.exists()) {
        None => Ok(()),
        Some(path) => {
            Err(Failure::new(Kind::Failed, format!("{path}, named by the configuration, does not exist"))
                .hint("correct the path, or remove the option")
                .code("E-configuration"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_ipv6_host_gets_brackets() {
        assert_eq!(with_brackets("http://2001:db8::1/x"), "http://[2001:db8::1]/x");
        assert_eq!(with_brackets("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
    }
}
