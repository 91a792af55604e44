//! What the command line says about a node.

use crate::config::Options;

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
    pub(super) pidfile: Option<String>,
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

    /// Puts the choices that are made here over those of the file.
    pub(super) fn override_in(&self, options: &mut Options<'_>) {
        options.set("instance_root", self.instance_root.as_ref());
        options.set("software_root", self.software_root.as_ref());
        options.set("master_url", self.master_url.as_ref());
        options.set("computer_id", self.computer_id.as_ref());
        options.set("buildout", self.buildout.as_ref());
        options.set("key_file", self.key_file.as_ref());
        options.set("cert_file", self.cert_file.as_ref());
        options.set("signature_private_key_file", self.signature_private_key_file.as_ref());
        options.set("master_ca_file", self.master_ca_file.as_ref());
        options.set("certificate_repository_path", self.certificate_repository_path.as_ref());
        options.set("maximum_periodicity", self.maximum_periodicity);
        options.set("promise_timeout", self.promise_timeout);
        options.set("partition_timeout", self.partition_timeout);
        options.set("maximal_delay", self.maximal_delay);
    }
}
