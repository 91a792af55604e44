//! `[slapos]`, `[networkcache]` and `[slapformat]`: the choices of a node.
//!
//! The command line overrides the file; of the file, `[networkcache]` overrides `[slapos]`. An option of the file keeps
//! its meaning when the command line does not set it.

use std::ffi::OsString;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use node::configuration::network_cache::TlsFiles;
use node::configuration::{Configuration, Credentials, Format, NetworkCache, PidFiles, size};
use node::format::Definition;
use node::supervisor::Layout;
use slap::PartitionId;

use crate::config::ini::Ini;
use crate::config::{Options, become_owner, of_node, read, syntax};
use crate::context::Context;
use crate::failure::{Failure, Kind};

/// The options that `node software`, `instance`, `promise` and `report` have in common.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct NodeFlags {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) cfg: Option<String>,
    /// Directory of partitions
    #[arg(long, value_name = "DIR")]
    instance_root: Option<String>,
    /// Directory of software releases
    #[arg(long, value_name = "DIR")]
    software_root: Option<String>,
    /// Address of the master
    #[arg(long, value_name = "URL")]
    master_url: Option<String>,
    /// Reference of this computer on the master
    #[arg(long, value_name = "ID")]
    computer_id: Option<String>,
    /// Accepted and without effect
    #[arg(long, hide = true)]
    supervisord_socket: Option<String>,
    /// Accepted and without effect
    #[arg(long, hide = true)]
    supervisord_configuration_path: Option<String>,
    /// Build engine to use instead of the one of this program
    #[arg(long, value_name = "FILE")]
    buildout: Option<String>,
    /// File that keeps two passes of one kind apart
    #[arg(long, value_name = "FILE")]
    pidfile: Option<String>,
    /// Private key of this computer
    #[arg(long = "key_file", value_name = "FILE")]
    key_file: Option<String>,
    /// Certificate of this computer
    #[arg(long = "cert_file", value_name = "FILE")]
    cert_file: Option<String>,
    /// Key that signs what is uploaded to the cache
    #[arg(long = "signature_private_key_file", value_name = "FILE")]
    signature_private_key_file: Option<String>,
    /// Certificates that the master's is verified against
    #[arg(long = "master_ca_file", value_name = "FILE")]
    master_ca_file: Option<String>,
    /// Directory of the partitions' certificates
    #[arg(long = "certificate_repository_path", value_name = "DIR")]
    certificate_repository_path: Option<String>,
    /// Seconds after which an unchanged partition is processed again
    #[arg(long, value_name = "SECONDS")]
    maximum_periodicity: Option<i64>,
    /// Seconds given to one promise [default: 20]
    #[arg(long, value_name = "SECONDS")]
    promise_timeout: Option<u64>,
    /// Seconds given to the build of one partition
    #[arg(long, value_name = "SECONDS")]
    partition_timeout: Option<u64>,
    /// Start without delay
    #[arg(long)]
    pub(crate) now: bool,
    /// Wait a random time of at most so many seconds before starting
    #[arg(long = "maximal_delay", value_name = "SECONDS")]
    maximal_delay: Option<u64>,
    /// What `node format` may override.
    #[arg(skip)]
    pub(crate) format: FormatFlags,
}

/// What the command line of `node format` may override.
#[derive(Debug, Clone, Default)]
pub(crate) struct FormatFlags {
    /// State file.
    pub(crate) computer_xml: Option<String>,
    /// Its copy as JSON.
    pub(crate) computer_json: Option<String>,
    /// Definition to use.
    pub(crate) input_definition_file: Option<String>,
    /// Definition to write.
    pub(crate) output_definition_file: Option<String>,
    /// Whether users may be made.
    pub(crate) alter_user: Option<String>,
    /// Whether addresses may be made.
    pub(crate) alter_network: Option<String>,
}

impl NodeFlags {
    /// The choices of the file that is named, if one is, and of nothing else.
    pub(crate) fn of_choice(cfg: Option<String>) -> Self {
        Self { cfg, now: true, ..Self::default() }
    }
}

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
    override_by_flags(&mut options, flags);
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

/// The definition file of the partitions, when the configuration names one.
pub(crate) fn definition(configuration: &Configuration) -> Result<Option<Definition>, Failure> {
    let Some(path) = &configuration.format.input_definition else { return Ok(None) };
    let ini = read(path)?;
    let mut sections = Vec::new();
    for name in ini.section_names() {
        let mut values = Vec::new();
        for option in ini.option_names(name) {
            let value = ini.get(name, option).map_err(|error| syntax(&error))?.unwrap_or_default();
            values.push((option.to_owned(), value));
        }
        sections.push((name.to_owned(), values));
    }
    Definition::from_sections(&sections).map(Some).map_err(|error| {
        Failure::of(Kind::Failed, &error).hint(format!("correct {path}")).code("E-format-definition")
    })
}

/// The entries of a list separated by commas, blanks around them removed.
pub(crate) fn split_list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
}

fn override_by_flags(options: &mut Options<'_>, flags: &NodeFlags) {
    options.set("instance_root", flags.instance_root.as_ref());
    options.set("software_root", flags.software_root.as_ref());
    options.set("master_url", flags.master_url.as_ref());
    options.set("computer_id", flags.computer_id.as_ref());
    options.set("buildout", flags.buildout.as_ref());
    options.set("key_file", flags.key_file.as_ref());
    options.set("cert_file", flags.cert_file.as_ref());
    options.set("signature_private_key_file", flags.signature_private_key_file.as_ref());
    options.set("master_ca_file", flags.master_ca_file.as_ref());
    options.set("certificate_repository_path", flags.certificate_repository_path.as_ref());
    options.set("maximum_periodicity", flags.maximum_periodicity);
    options.set("promise_timeout", flags.promise_timeout);
    options.set("partition_timeout", flags.partition_timeout);
    options.set("maximal_delay", flags.maximal_delay);
}

fn configuration(
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

fn network_cache(options: &Options<'_>) -> Result<NetworkCache, Failure> {
    let pair = |content, directory| -> Result<Option<(String, String)>, Failure> {
        Ok(options.text(content)?.zip(options.text(directory)?))
    };
    let tls = |ca_file, cert_file, key_file| -> Result<TlsFiles, Failure> {
        Ok(TlsFiles {
            ca_file: options.path(ca_file)?,
            cert_file: options.path(cert_file)?,
            key_file: options.path(key_file)?,
        })
    };
    Ok(NetworkCache {
        binary_download: pair("download_binary_cache_url", "download_binary_dir_url")?,
        binary_upload: pair("upload_binary_cache_url", "upload_binary_dir_url")?,
        upload_cache_url: options.text("upload_cache_url")?,
        upload_dir_url: options.text("upload_dir_url")?,
        signature_private_key_file: options.path("signature_private_key_file")?,
        signature_certificates: certificates(
            &options.text("signature_certificate_list")?.unwrap_or_default(),
        ),
        shacache_tls: tls("shacache_ca_file", "shacache_cert_file", "shacache_key_file")?,
        shadir_tls: tls("shadir_ca_file", "shadir_cert_file", "shadir_key_file")?,
        download_blacklist: options.lines("download_from_binary_cache_url_blacklist")?,
        upload_blacklist: options.lines("upload_to_binary_cache_url_blacklist")?,
        forced: options.lines("download_from_binary_cache_force_url_list")?,
    })
}

/// Splits concatenated certificates at their first lines.
fn certificates(text: &str) -> Vec<String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    text.split(BEGIN).skip(1).map(|rest| format!("{BEGIN}{}", rest.trim_end())).collect()
}

fn format(
    context: &Context<'_>,
    ini: &Ini,
    configuration: &Configuration,
    flags: &FormatFlags,
) -> Result<Format, Failure> {
    let mut options = Options::new(ini, context.environment, &["slapos", "slapformat"]);
    options.set("computer_xml", flags.computer_xml.as_ref());
    options.set("computer_json", flags.computer_json.as_ref());
    options.set("input_definition_file", flags.input_definition_file.as_ref());
    options.set("output_definition_file", flags.output_definition_file.as_ref());
    options.set("alter_user", flags.alter_user.as_ref());
    options.set("alter_network", flags.alter_network.as_ref());
    for name in ["bridge_name", "no_bridge"] {
        if options.raw(name)?.is_some() {
            return Err(Failure::new(
                Kind::Failed,
                format!("option `{name}` of [slapformat] has no meaning any more"),
            )
            .hint("name the interface itself: interface_name")
            .code("E-configuration-obsolete"));
        }
    }
    let defaults = Format::default();
    let or = |name, default: String| options.text(name).map(|value| value.unwrap_or(default));
    Ok(Format {
        partition_amount: options.number("partition_amount")?.unwrap_or(defaults.partition_amount),
        computer_xml: options
            .path("computer_xml")?
            .unwrap_or_else(|| configuration.instance_root.join("etc/slapos.xml")),
        computer_json: options.path("computer_json")?,
        input_definition: options.path("input_definition_file")?,
        output_definition: options.path("output_definition_file")?,
        interface_name: options.text("interface_name")?,
        ipv6_interface: options.text("ipv6_interface")?,
        ipv4_local_network: options.text("ipv4_local_network")?,
        partition_base_name: or("partition_base_name", defaults.partition_base_name)?,
        user_base_name: or("user_base_name", defaults.user_base_name)?,
        tap_base_name: or("tap_base_name", defaults.tap_base_name)?,
        software_user: or("software_user", defaults.software_user)?,
        alter_user: options.flag("alter_user", defaults.alter_user)?,
        alter_network: options.flag("alter_network", defaults.alter_network)?,
        create_tap: options.flag("create_tap", defaults.create_tap)?,
        tap_ipv6: options.flag("tap_ipv6", defaults.tap_ipv6)?,
        tap_gateway_interface: or("tap_gateway_interface", defaults.tap_gateway_interface)?,
        create_tun: options.flag("create_tun", defaults.create_tun)?,
        tun_ipv6: options.flag("tun_ipv6", defaults.tun_ipv6)?,
        partition_has_ipv6_range: options
            .flag("partition_has_ipv6_range", defaults.partition_has_ipv6_range)?,
        ipv6_prefix_shift: options.number("ipv6_prefixshift")?.unwrap_or(defaults.ipv6_prefix_shift),
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
fn check_files(configuration: &Configuration) -> Result<(), Failure> {
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

    #[test]
    fn certificates_are_split_at_their_first_lines() {
        let one = "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----";

        assert_eq!(certificates(&format!("{one}\n{one}\n")), [one, one]);
        assert!(certificates("").is_empty());
    }

    #[test]
    fn a_list_is_trimmed() {
        assert_eq!(split_list("a, b,,c "), ["a", "b", "c"]);
    }
}
