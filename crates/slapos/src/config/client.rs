//! What a client command needs to reach its master: `[slapos]` names it, `[slapconsole]` identifies the person.

use std::time::Duration;

use slap::SoftwareUrl;
use slap::client::{Client, ClientError, Endpoint};

use crate::config::ini::Ini;
use crate::config::{Options, of_client};
use crate::context::Context;
use crate::failure::{Failure, Kind};

/// How long the master may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The client of the master that the configuration names.
pub(crate) fn connect(context: &Context<'_>, cfg: Option<&str>) -> Result<Client, Failure> {
    let ini = of_client(context, cfg)?;
    Ok(Client::new(&endpoint(context, &ini)?)?)
}

/// The release that a person means: `product.NAME` is the best release of a product.
pub(crate) fn release(client: &Client, asked: SoftwareUrl) -> Result<SoftwareUrl, Failure> {
    let Some(product) = asked.as_str().strip_prefix("product.") else { return Ok(asked) };
    let missing = || {
        Failure::new(Kind::Failed, format!("the master knows no release of the product `{product}`"))
            .hint("give the address of a release")
            .code("E-product-unknown")
    };
    match client.product_releases(product) {
        Ok(releases) => releases.into_iter().next().ok_or_else(missing),
        Err(ClientError::NotFound { .. }) => Err(missing()),
        Err(error) => Err(error.into()),
    }
}

/// The master that `ini` names, and who asks.
pub(crate) fn endpoint(context: &Context<'_>, ini: &Ini) -> Result<Endpoint, Failure> {
    let options = Options::new(ini, context.environment, &["slapos"]);
    options.require(&["master_url"])?;
    let url = options.text("master_url")?.unwrap_or_default();
    let console = Options::new(ini, context.environment, &["slapconsole", "slapos"]);
    let (key_file, cert_file) = (console.path("key_file")?, console.path("cert_file")?);
    if url.starts_with("https:") && (key_file.is_none() || cert_file.is_none()) {
        return Err(Failure::new(Kind::Failed, format!("the master {url} wants a key and a certificate"))
            .because(format!("{} names none in [slapconsole] or [slapos]", ini.path()))
            .hint("add key_file and cert_file")
            .code("E-configuration-missing-option"));
    }
    Ok(Endpoint {
        url,
        key_file,
        cert_file,
        ca_file: options.path("master_ca_file")?,
        rest_url: options.text("master_rest_url")?,
        timeout: PATIENCE,
    })
}
