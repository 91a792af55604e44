//! Listens, speaks HTTP, and stops in order.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use camino::Utf8PathBuf;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;

use crate::api;
use crate::api::guard::Guard;
use crate::configuration::MasterConfiguration;
use crate::documents::Documents;
use crate::master::Master;
use crate::moment;
use crate::store::{ImportError, OnCommit, OpenError, Store, StoreError, Touched, import, random_id};

/// More connections than this wait until others close.
const MAXIMUM_CONNECTIONS: usize = 900;

/// A client must have sent the head of its request by then.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Requests in progress have so long to finish when the master stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a master does not run.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Somebody else listens there.
    #[error("the address {address} is in use")]
    AddressInUse {
        /// Where it wanted to listen.
        address: SocketAddr,
    },
    /// It cannot listen there for another reason.
    #[error("failed to listen on {address}")]
    Listen {
        /// Where it wanted to listen.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Its database cannot be used.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// Its database is that of the Python proxy and could not be taken over; it is as it was.
    #[error("failed to import the database of the Python proxy `{path}`")]
    Import {
        /// The database.
        path: Utf8PathBuf,
        /// What failed.
        #[source]
        source: ImportError,
    },
    /// Its first transaction failed.
    #[error("failed to prepare the database")]
    Prepare(#[source] StoreError),
    /// The system gave it no threads or no randomness.
    #[error("failed to start the server")]
    Start(#[source] io::Error),
}

impl ServeError {
    /// The code by which the documentation explains it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AddressInUse { .. } => "E-port-taken",
            Self::Listen { .. } => "E-listen",
            Self::Database(OpenError::InUse { .. }) => "E-lock-held",
            Self::Database(OpenError::Damaged { .. }) => "E-database-damaged",
            Self::Import { .. } => "E-database-import",
            Self::Database(_) | Self::Prepare(_) => "E-database",
            Self::Start(_) => "E-start",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::AddressInUse { .. } => {
                Some("stop who listens there, or choose another port; 0 takes a free one")
            }
            Self::Listen { .. } => Some("choose an address of this machine, and a port above 1023"),
            Self::Database(error) => Some(error.hint()),
            Self::Import { .. } => Some("configure another `database_uri`, or go on with the Python proxy"),
            Self::Prepare(_) | Self::Start(_) => None,
        }
    }
}

/// A master that listens but does not answer yet.
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    configuration: MasterConfiguration,
    store: Store,
    documents: Arc<Documents>,
}

/// Opens the database and starts to listen. Clients that connect from here on wait until [`Bound::serve`].
///
/// # Errors
/// An address that cannot be listened on, a database that cannot be used.
pub fn bind(configuration: MasterConfiguration) -> Result<Bound, ServeError> {
    let documents = Arc::new(Documents::default());
    let listener = Arc::clone(&documents);
    let store = open_store(
        &configuration,
        &(Arc::new(move |touched: &[Touched]| listener.publish(touched)) as OnCommit),
    )?;
    let wanted = SocketAddr::new(configuration.host, configuration.port);
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::AddressInUse { address: wanted },
        _ => ServeError::Listen { address: wanted, source },
    };
    let listener = TcpListener::bind(wanted).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Bound { listener, address, configuration, store, documents })
}

/// Opens the database. One of the Python proxy is taken over first.
fn open_store(configuration: &MasterConfiguration, on_commit: &OnCommit) -> Result<Store, ServeError> {
    let path = &configuration.database;
    match Store::open(path, Arc::clone(on_commit)) {
        Err(OpenError::PythonProxy { version, .. }) => {
            let now = moment::now(configuration.clock.as_ref());
            let kept = import(path, version, &configuration.default_computer, now)
                .map_err(|source| ServeError::Import { path: path.clone(), source })?;
            tracing::warn!(database = %path, kept = %kept, "imported the database of the Python proxy");
            Ok(Store::open(path, Arc::clone(on_commit))?)
        }
        outcome => Ok(outcome?),
    }
}

/// Runs a master until `shutdown` is ready. Blocks the calling thread, which must not be inside a runtime.
///
/// # Errors
/// As [`bind`].
pub fn serve(
    configuration: MasterConfiguration,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    bind(configuration)?.serve(shutdown)
}

impl Bound {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` is ready, then finishes what is in progress and closes the database. Blocks the calling
    /// thread, which must not be inside a runtime; `shutdown` runs inside the one that is made here.
    ///
    /// # Errors
    /// The system gives no threads, or the first transaction fails.
    pub fn serve(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), ServeError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            // Threads for requests that are forwarded; they end when they have nothing to do.
            .max_blocking_threads(16)
            .thread_name("master")
            .enable_all()
            .build()
            .map_err(ServeError::Start)?;
        runtime.block_on(self.run(shutdown))
    }

    async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), ServeError> {
        let (stop, stopping) = watch::channel(false);
        let computer = self.configuration.default_computer.clone();
        let prepared = self.store.write(move |tx| tx.ensure_computer(&computer).map(drop)).await;
        prepared.map_err(ServeError::Prepare)?;
        let guard = Arc::new(Guard::new(self.address.port(), &self.configuration.public_names));
        let master = Arc::new(Master {
            store: self.store,
            documents: self.documents,
            clock: self.configuration.clock,
            default_computer: self.configuration.default_computer,
            products: self.configuration.products,
            forwarding: self.configuration.forwarding,
            bypassed: self.configuration.bypassed,
            run_id: random_id().map_err(ServeError::Start)?,
            stopping: stopping.clone(),
        });
        let router = api::router(Arc::clone(&master));
        let listener = tokio::net::TcpListener::from_std(self.listener).map_err(ServeError::Start)?;
        tracing::info!(address = %self.address, "the master listens");
        let places = Arc::new(Semaphore::new(MAXIMUM_CONNECTIONS));
        tokio::select! {
            () = accept(&listener, &router, &guard, &places, &stopping) => {}
            () = shutdown => {}
        }
        // Nobody is accepted any more; those in progress are let finish.
        drop(listener);
        let _ = stop.send(true);
        let all = u32::try_from(MAXIMUM_CONNECTIONS).expect("a constant that fits");
        let _ = tokio::time::timeout(STOP_TIMEOUT, places.acquire_many(all)).await;
        drop(router);
        // A request that did not finish in time may still hold the master.
        master.store.close();
        tracing::info!("the master stopped");
        Ok(())
    }
}

/// Accepts connections for ever.
async fn accept(
    listener: &tokio::net::TcpListener,
    router: &Router,
    guard: &Arc<Guard>,
    places: &Arc<Semaphore>,
    stopping: &watch::Receiver<bool>,
) {
    loop {
        let place = Arc::clone(places).acquire_owned().await.expect("this semaphore is never closed");
        match listener.accept().await {
            Ok((stream, _)) => {
                let connection = converse(stream, router.clone(), Arc::clone(guard), stopping.clone());
                tokio::spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of descriptors, most likely: others must close first.
                tracing::warn!(error = %error, "failed to accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Serves one connection until it closes or the master stops.
async fn converse(stream: TcpStream, router: Router, guard: Arc<Guard>, mut stopping: watch::Receiver<bool>) {
    let Ok(local) = stream.local_addr() else { return };
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let refused = guard.check(&request, local.ip());
        let router = router.clone();
        async move {
            match refused {
                Err(refusal) => Ok::<_, Infallible>(refusal.into_response()),
                Ok(()) => router.oneshot(request.map(Body::new)).await,
            }
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    // The borrow that the wait returns must not live across the next wait.
    let stop = async { stopping.wait_for(|is_stopping| *is_stopping).await.is_ok() };
    let finished = tokio::select! {
        outcome = &mut connection => Some(outcome),
        _ = stop => None,
    };
    let outcome = match finished {
        Some(outcome) => outcome,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(error = %error, "a connection ended early");
    }
}
