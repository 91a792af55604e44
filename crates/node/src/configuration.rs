//! Everything that an operator may choose about one node, typed and complete.
//!
//! Nothing here reads a file: the command fills it in from `slapos.cfg` and its flags.

pub mod network_cache;
pub mod size;

use std::ffi::OsString;
use std::time::Duration;

use camino::Utf8PathBuf;
use slap::{ComputerId, PartitionId, SoftwareUrl};

pub use network_cache::NetworkCache;

/// The choices of one node. Start from [`Configuration::new`], which gives the documented defaults.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Reference of this node on the master.
    pub computer_id: ComputerId,
    /// Base address of the master's API.
    pub master_url: String,
    /// Directory of software releases.
    pub software_root: Utf8PathBuf,
    /// Directory of partitions.
    pub instance_root: Utf8PathBuf,
    /// How this node proves to the master who it is.
    pub credentials: Credentials,
    /// Where shared parts are: the last is where new ones are installed, the others are only read.
    pub shared_parts: Vec<Utf8PathBuf>,
    /// The same for parts that are needed only while building.
    pub build_time_parts: Vec<Utf8PathBuf>,
    /// Whether passes insist on being run by root.
    pub root_check: bool,
    /// Files that keep two passes of one kind apart.
    pub pid_files: PidFiles,
    /// Seconds after which an unchanged partition is processed again; 0 is at each pass, negative is never.
    pub maximum_periodicity: i64,
    /// Time given to one promise.
    pub promise_timeout: Duration,
    /// Time given to the build of one partition.
    pub partition_timeout: Option<Duration>,
    /// Bytes that must be available before a release is built.
    pub software_minimum_space: u64,
    /// Bytes that must be available before an instance is built.
    pub instance_minimum_space: u64,
    /// Parent of the `dataN` disks offered to partitions.
    pub instance_storage_home: Option<Utf8PathBuf>,
    /// Network prefix told to instances, possibly empty.
    pub ipv4_global_network: String,
    /// Whether a pass may start the supervisor when it is not running.
    pub launch_supervisor: bool,
    /// Cache of sources and of releases.
    pub network_cache: NetworkCache,
    /// Command line of the build engine, without the arguments of one build.
    pub engine: Vec<OsString>,
    /// Command line that runs the supervisor in the foreground.
    pub supervisor: Vec<OsString>,
    /// The watchdog that a supervisor of the reference starts; ours has its own.
    pub watchdog: Utf8PathBuf,
    /// Where downloads and wheels are kept between builds; passed to the engine.
    pub cache_directory: Option<Utf8PathBuf>,
    /// Partitions processed at the same time, at least 1.
    pub concurrency: usize,
    /// How the agent paces its passes.
    pub agent: Pace,
    /// What `format` makes of this machine.
    pub format: Format,
}

/// Client certificate of this node and where those of its partitions are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Private key of the node, PEM.
    pub key_file: Option<Utf8PathBuf>,
    /// Certificate of the node, PEM.
    pub certificate_file: Option<Utf8PathBuf>,
    /// Certificates that the master's is verified against, PEM; the system's when absent.
    pub authority_file: Option<Utf8PathBuf>,
    /// Directory of `<partition>.key` and `<partition>.crt`; without it partitions get no certificate.
    pub partition_directory: Option<Utf8PathBuf>,
}

/// One file for each kind of pass; `promise` shares that of `instance`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PidFiles {
    /// Of the software pass.
    pub software: Utf8PathBuf,
    /// Of the instance and promise passes.
    pub instance: Utf8PathBuf,
    /// Of the report pass.
    pub report: Utf8PathBuf,
}

/// Intervals of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// How long one question to a watching master may wait for its answer.
    pub watch: Duration,
    /// Between two questions to a master that does not watch, and the heartbeat to one that does.
    pub poll: Duration,
    /// Between two looks at the promises.
    pub promises: Duration,
    /// Between two report passes when nothing is to be destroyed.
    pub report: Duration,
    /// Between two formats.
    pub format: Duration,
    /// Wait before a failed release or partition is tried again; doubled at each further failure.
    pub first_retry: Duration,
    /// The longest such wait.
    pub longest_retry: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            watch: Duration::from_secs(30),
            poll: Duration::from_secs(30),
            promises: Duration::from_secs(60),
            report: Duration::from_secs(300),
            format: Duration::from_secs(3600),
            first_retry: Duration::from_secs(5),
            longest_retry: Duration::from_secs(600),
        }
    }
}

/// What `format` makes of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// Number of partitions; it may only grow.
    pub partition_amount: usize,
    /// State file: the truth about allocated addresses.
    pub computer_xml: Utf8PathBuf,
    /// Further copy of the state, as JSON.
    pub computer_json: Option<Utf8PathBuf>,
    /// Definition to use instead of discovery.
    pub input_definition: Option<Utf8PathBuf>,
    /// Where to write the definition that was used.
    pub output_definition: Option<Utf8PathBuf>,
    /// Interface that receives addresses.
    pub interface_name: Option<String>,
    /// Separate interface for IPv6.
    pub ipv6_interface: Option<String>,
    /// Network in which each partition gets one address, in CIDR form.
    pub ipv4_local_network: Option<String>,
    /// Prefix of partition names.
    pub partition_base_name: String,
    /// Prefix of user names.
    pub user_base_name: String,
    /// Prefix of tap interface names.
    pub tap_base_name: String,
    /// Owner of the software root.
    pub software_user: String,
    /// Whether users may be made and directories given to them.
    pub alter_user: bool,
    /// Whether addresses, interfaces and routes may be made.
    pub alter_network: bool,
    /// Whether each partition gets a tap interface.
    pub create_tap: bool,
    /// Whether the tap has an IPv6 range.
    pub tap_ipv6: bool,
    /// Interface whose IPv4 network feeds the taps; empty for none.
    pub tap_gateway_interface: String,
    /// Whether each partition gets a tun interface.
    pub create_tun: bool,
    /// Whether the tun has an IPv6 range.
    pub tun_ipv6: bool,
    /// Whether each partition gets a routed IPv6 range.
    pub partition_has_ipv6_range: bool,
    /// How many bits longer than the computer's network the ranges are.
    pub ipv6_prefix_shift: u8,
}

impl Default for Format {
    fn default() -> Self {
        Self {
            partition_amount: 0,
            computer_xml: Utf8PathBuf::from("/opt/slapos/slapos.xml"),
            computer_json: None,
            input_definition: None,
            output_definition: None,
            interface_name: None,
            ipv6_interface: None,
            ipv4_local_network: None,
            partition_base_name: "slappart".to_owned(),
            user_base_name: "slapuser".to_owned(),
            tap_base_name: "slaptap".to_owned(),
            software_user: "slapsoft".to_owned(),
            alter_user: true,
            alter_network: true,
            create_tap: true,
            tap_ipv6: true,
            tap_gateway_interface: String::new(),
            create_tun: false,
            tun_ipv6: true,
            partition_has_ipv6_range: true,
            ipv6_prefix_shift: 16,
        }
    }
}

impl Configuration {
    /// A node with the documented defaults for everything that is optional. `program` is the command line of this
    /// program: the engine and the supervisor are commands of it.
    #[must_use]
    pub fn new(
        computer_id: ComputerId,
        master_url: impl Into<String>,
        software_root: impl Into<Utf8PathBuf>,
        instance_root: impl Into<Utf8PathBuf>,
        program: &[OsString],
    ) -> Self {
        let with = |words: &[&str]| program.iter().cloned().chain(words.iter().map(OsString::from)).collect();
        Self {
            computer_id,
            master_url: master_url.into(),
            software_root: software_root.into(),
            instance_root: instance_root.into(),
            credentials: Credentials::default(),
            shared_parts: Vec::new(),
            build_time_parts: Vec::new(),
            root_check: true,
            pid_files: PidFiles {
                software: Utf8PathBuf::from("/opt/slapos/slapgrid-sr.pid"),
                instance: Utf8PathBuf::from("/opt/slapos/slapgrid-cp.pid"),
                report: Utf8PathBuf::from("/opt/slapos/slapgrid-ur.pid"),
            },
            maximum_periodicity: 86_400,
            promise_timeout: Duration::from_secs(20),
            partition_timeout: None,
            software_minimum_space: 1000 * 1024 * 1024,
            instance_minimum_space: 1000 * 1024 * 1024,
            instance_storage_home: None,
            ipv4_global_network: String::new(),
            launch_supervisor: true,
            network_cache: NetworkCache::default(),
            engine: with(&["buildout"]),
            supervisor: with(&["node", "supervisord", "--nodaemon"]),
            watchdog: Utf8PathBuf::from("/opt/slapos/bin/slapos-watchdog"),
            cache_directory: None,
            concurrency: 2,
            agent: Pace::default(),
            format: Format::default(),
        }
    }

    /// Where a release is installed.
    #[must_use]
    pub fn release_directory(&self, url: &SoftwareUrl) -> Utf8PathBuf {
        self.software_root.join(url.md5())
    }

    /// Where a partition is.
    #[must_use]
    pub fn partition_directory(&self, partition: &PartitionId) -> Utf8PathBuf {
        self.instance_root.join(partition.as_str())
    }

    /// Directory of sockets, locks and what the node remembers of the master.
    #[must_use]
    pub fn run_directory(&self) -> Utf8PathBuf {
        self.instance_root.join("var/run")
    }

    /// Directory of the node's own logs.
    #[must_use]
    pub fn log_directory(&self) -> Utf8PathBuf {
        self.instance_root.join("var/log")
    }

    /// Makes the directories of the node's own state inside the instance root, which must exist.
    ///
    /// # Errors
    /// One cannot be made.
    pub fn make_state_directories(&self) -> std::io::Result<()> {
        for (directory, mode) in [
            (self.instance_root.join("var"), 0o755),
            (self.run_directory(), 0o700),
            (self.log_directory(), 0o700),
        ] {
            host::files::ensure_directory(&directory, mode)?;
        }
        Ok(())
    }

    /// Where progress events are appended, one JSON object in each line.
    #[must_use]
    pub fn events_file(&self) -> Utf8PathBuf {
        self.log_directory().join("slapos-events.jsonl")
    }

    /// Socket on which a running agent is poked and asked.
    #[must_use]
    pub fn agent_socket(&self) -> Utf8PathBuf {
        self.run_directory().join("slapos-agent.sock")
    }
}
