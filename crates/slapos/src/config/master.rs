//! `[slapproxy]`: where the stand-alone master listens and keeps its database.

use camino::Utf8PathBuf;

use crate::config::ini::Ini;
use crate::config::{Options, multimaster};
use crate::context::Context;
use crate::failure::{Failure, Kind};

/// What the stand-alone master needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MasterSettings {
    /// Address that it listens on.
    pub(crate) host: String,
    /// Port that it listens on.
    pub(crate) port: u16,
    /// File of its database.
    pub(crate) database: Utf8PathBuf,
    /// The computer that requests go to when they name none; the master has a default of its own.
    pub(crate) computer: Option<String>,
    /// Directory below which releases given as relative addresses are.
    pub(crate) local_releases: Option<Utf8PathBuf>,
    /// Name to address of the releases that may be asked for by `product.NAME`.
    pub(crate) products: Vec<(String, String)>,
    /// Names by which it is reached beside its own address.
    pub(crate) public_names: Vec<String>,
    /// Masters that fulfil requests in place of this one.
    pub(crate) forwarding: Vec<master::Forwarding>,
    /// Where the node's own packages are, told to whoever asks for the address of the HATEOAS API.
    pub(crate) log_file: Option<Utf8PathBuf>,
}

/// What the command line may override.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct MasterFlags {
    /// File of the database, or its `sqlite:///` address
    #[arg(short = 'u', long = "database-uri", value_name = "FILE")]
    database_uri: Option<String>,
    /// Port to listen on
    #[arg(long)]
    port: Option<u16>,
    /// Address to listen on
    #[arg(long)]
    host: Option<String>,
    /// Directory below which releases given by a relative path are
    #[arg(long, value_name = "DIR")]
    local_software_release_root: Option<String>,
}

/// Reads `[slapproxy]`, and the name of this computer from `[slapos]`.
pub(crate) fn load(context: &Context<'_>, ini: &Ini, flags: &MasterFlags) -> Result<MasterSettings, Failure> {
    let mut options = Options::new(ini, context.environment, &["slapproxy"]);
    options.set("database_uri", flags.database_uri.as_ref());
    options.set("port", flags.port);
    options.set("host", flags.host.as_ref());
    options.set("local_software_release_root", flags.local_software_release_root.as_ref());
    options.require(&["database_uri"])?;
    let uri = options.text("database_uri")?.unwrap_or_default();
    let database = context.environment.absolute(uri.strip_prefix("sqlite:///").unwrap_or(&uri));
    let mut products = Vec::new();
    for line in options.lines("software_product_list")? {
        let (name, url) = line.split_once(char::is_whitespace).ok_or_else(|| {
            Failure::new(
                Kind::Failed,
                format!("`{line}` in software_product_list is not a name and an address"),
            )
            .code("E-configuration-syntax")
        })?;
        products.push((name.to_owned(), url.trim().to_owned()));
    }
    Ok(MasterSettings {
        host: options.text("host")?.unwrap_or_else(|| "127.0.0.1".to_owned()),
        port: options.number("port")?.unwrap_or(8080),
        database,
        computer: Options::new(ini, context.environment, &["slapproxy", "slapos"]).text("computer_id")?,
        local_releases: options.path("local_software_release_root")?,
        products,
        public_names: options.lines("public_names")?,
        forwarding: multimaster::load(context, ini)?,
        log_file: options.path("log_file")?,
    })
}
