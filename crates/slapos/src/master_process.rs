//! Running the stand-alone master in this process, until it is asked to end.

use std::collections::BTreeMap;
use std::net::IpAddr;

use master::{MasterConfiguration, ServeError};
use slap::SoftwareUrl;

use crate::config::master::MasterSettings;
use crate::failure::{Failure, Kind};

/// Answers until INT or TERM comes.
pub(crate) fn run(settings: &MasterSettings) -> Result<(), Failure> {
    let configuration = configuration(settings)?;
    let database = configuration.database.clone();
    let bound = master::bind(configuration).map_err(|error| failure(&error))?;
    // Programs that start a master wait for these words.
    tracing::info!(" * Running on http://{}", bound.address());
    tracing::debug!("database: {database}");
    bound.serve(interrupted()).map_err(|error| failure(&error))
}

fn configuration(settings: &MasterSettings) -> Result<MasterConfiguration, Failure> {
    let host: IpAddr = settings.host.trim_matches(['[', ']']).parse().or_else(|_| resolve(&settings.host))?;
    if let Some(directory) = settings.database.parent() {
        host::files::ensure_directory(directory, 0o700).map_err(|error| {
            Failure::new(
                Kind::Failed,
                format!("cannot make the directory of the database {}", settings.database),
            )
            .because_of(&error)
            .hint("choose another place: --database-uri FILE")
            .code("E-directory-unwritable")
        })?;
    }
    let mut products: BTreeMap<String, Vec<SoftwareUrl>> = BTreeMap::new();
    for (name, url) in &settings.products {
        let url = url.parse().map_err(|error: slap::InvalidId| Failure::of(Kind::Failed, &error))?;
        products.entry(name.clone()).or_default().push(url);
    }
    let mut configuration = MasterConfiguration::new(settings.database.clone(), settings.port);
    if let Some(computer) = &settings.computer {
        configuration.default_computer =
            computer.parse().map_err(|error: slap::InvalidId| Failure::of(Kind::Failed, &error))?;
    }
    Ok(MasterConfiguration {
        host,
        products,
        public_names: settings.public_names.clone(),
        forwarding: settings.forwarding.clone(),
        ..configuration
    })
}

fn resolve(host: &str) -> Result<IpAddr, Failure> {
    if host == "localhost" {
        return Ok(IpAddr::from([127, 0, 0, 1]));
    }
    Err(Failure::new(Kind::Failed, format!("`{host}` is not an address to listen on"))
        .hint("give an IP address of this machine, such as 127.0.0.1")
        .code("E-listen"))
}

fn failure(error: &ServeError) -> Failure {
    let failure = Failure::of(Kind::Failed, error).code(error.code());
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers the signals end the process, which loses nothing: every answer is on disk already.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
