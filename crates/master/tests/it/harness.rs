//! A master in a thread of its own, and a bare HTTP client.

use std::net::SocketAddr;
use std::thread::JoinHandle;

use camino::{Utf8Path, Utf8PathBuf};
use master::{MasterConfiguration, ServeError, bind};
use slap::client::{Client, Endpoint};
use slap::{ComputerConfiguration, ComputerId, InstanceRequest, Parameters, PartitionConfiguration};
use tokio::sync::oneshot;

pub(crate) const RELEASE: &str = "https://example.org/software.cfg";

/// A master that runs until it is dropped.
pub(crate) struct TestMaster {
    pub(crate) address: SocketAddr,
    pub(crate) database: Utf8PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
    _directory: Option<tempfile::TempDir>,
}

/// An answer of the bare client.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl TestMaster {
    /// A master with an empty database.
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// A master with an empty database and settings of its own.
    pub(crate) fn start_with(configure: impl FnOnce(&mut MasterConfiguration)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = Utf8PathBuf::try_from(directory.path().join("master.db")).unwrap();
        let mut started = Self::configured(&database, configure);
        started._directory = Some(directory);
        started
    }

    /// A master on a database that stays.
    pub(crate) fn on(database: &Utf8Path) -> Self {
        Self::configured(database, |_| {})
    }

    /// A master on a database that stays, with settings of its own.
    pub(crate) fn configured(database: &Utf8Path, configure: impl FnOnce(&mut MasterConfiguration)) -> Self {
        let mut configuration = MasterConfiguration::new(database.to_owned(), 0);
        configuration.default_computer = local();
        configure(&mut configuration);
        let bound = bind(configuration).unwrap();
        let address = bound.address();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            bound.serve(async {
                let _ = stopped.await;
            })
        });
        Self {
            address,
            database: database.to_owned(),
            stop: Some(stop),
            thread: Some(thread),
            _directory: None,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&Endpoint::new(self.url())).unwrap()
    }

    /// Sends a form, or reads when there is none.
    pub(crate) fn send(&self, method: &str, path: &str, form: Option<&[(&str, &str)]>) -> Answer {
        self.send_with(method, path, form, &[])
    }

    pub(crate) fn send_with(
        &self,
        method: &str,
        path: &str,
        form: Option<&[(&str, &str)]>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().new_agent();
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url()));
        for (name, text) in headers {
            request = request.header(*name, *text);
        }
        let body =
            form.map(|form| url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish());
        let mut answer = match body {
            Some(body) => {
                let request = request.header("Content-type", "application/x-www-form-urlencoded");
                agent.run(request.body(body).unwrap()).unwrap()
            }
            None => agent.run(request.body(()).unwrap()).unwrap(),
        };
        let body = answer.body_mut().with_config().limit(1 << 30).read_to_string().unwrap();
        Answer { status: answer.status().as_u16(), body }
    }

    /// Stops in order.
    pub(crate) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
        }
    }
}

impl Drop for TestMaster {
    fn drop(&mut self) {
        self.end();
    }
}

pub(crate) fn local() -> ComputerId {
    "local".parse().unwrap()
}

/// A computer with so many partitions of two addresses.
pub(crate) fn computer(partitions: usize) -> ComputerConfiguration {
    let partition = |index: usize| {
        let address = |text: &str| (format!("{text}{}", index + 2), "255.255.255.255".to_owned());
        let addresses = vec![address("10.0.0."), address("2001:db8::")];
        PartitionConfiguration::new(format!("slappart{index}").parse().unwrap(), addresses)
    };
    ComputerConfiguration {
        reference: local(),
        address: "10.0.0.1".to_owned(),
        netmask: "255.255.0.0".to_owned(),
        partitions: (0..partitions).map(partition).collect(),
        extra: Parameters::new(),
    }
}

pub(crate) fn request(title: &str) -> InstanceRequest {
    InstanceRequest::new(RELEASE.parse().unwrap(), title.parse().unwrap())
}
