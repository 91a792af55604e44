//! The classic interface: what nodes, recipes and the command line ask of a master.

use super::{Client, ClientError};
use crate::computer::{Computer, Partition};
use crate::configuration::ComputerConfiguration;
use crate::id::{ComputerId, InstanceTitle, PartitionId, SoftwareUrl};
use crate::instance::{Instance, InstanceRequest};
use crate::state::SoftwareState;
use crate::value::Parameters;
use crate::wire::{self, Marshalled, WireError};

/// A private key and its certificate, in PEM. Both are empty where the master has no authority of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// The private key.
    pub key: String,
    /// The certificate.
    pub certificate: String,
}

impl Client {
    /// Everything that is asked of a computer.
    ///
    /// # Errors
    /// As all methods: no answer, a refusal (`NotFound` for an unknown computer), or an answer that is none.
    pub fn computer(&self, computer: &ComputerId) -> Result<Computer, ClientError> {
        let query = [("computer_id", computer.as_str())];
        let method = "getFullComputerInformation";
        let document = match self.get(method, &query) {
            Err(ClientError::NotFound { .. }) => self.get("getComputerInformation", &query)?,
            other => other?,
        };
        wire::read_computer(&document).map_err(|source| ClientError::answer(method, source))
    }

    /// Everything that is asked of one partition.
    ///
    /// # Errors
    /// As [`Self::computer`].
    pub fn register_partition(
        &self,
        computer: &ComputerId,
        partition: &PartitionId,
    ) -> Result<Partition, ClientError> {
        let method = "registerComputerPartition";
        let query =
            [("computer_reference", computer.as_str()), ("computer_partition_reference", partition.as_str())];
        wire::read_partition(&self.get(method, &query)?).map_err(|source| ClientError::answer(method, source))
    }

    /// Asks for an instance. The same request again changes nothing and gives what is known by then.
    ///
    /// # Errors
    /// `NotReady` when the request is accepted but nothing is allocated; `NotFound` when a stand-alone master has no
    /// partition for it; else as [`Self::computer`].
    pub fn request(&self, request: &InstanceRequest) -> Result<Instance, ClientError> {
        let method = "requestComputerPartition";
        let form = wire::write_request(request).map_err(ClientError::Request)?;
        let form: Vec<_> = form.iter().map(|(name, text)| (*name, text.as_str())).collect();
        wire::read_instance(&self.post(method, &form)?).map_err(|source| ClientError::answer(method, source))
    }

    /// Asks for a release to be installed on a computer, or removed from it.
    ///
    /// # Errors
    /// As [`Self::computer`].
    pub fn supply(
        &self,
        release: &SoftwareUrl,
        computer: &ComputerId,
        state: SoftwareState,
    ) -> Result<(), ClientError> {
        let form = [("url", release.as_str()), ("computer_id", computer.as_str()), ("state", state.as_str())];
        self.post("supplySupply", &form).map(drop)
    }

    /// Reports that a release is being built.
    ///
    /// # Errors
    /// As [`Self::computer`].
    pub fn building_release(&self, computer: &ComputerId, release: &SoftwareUrl) -> Result<(), ClientError> {
        self.report_release("buildingSoftwareRelease", computer, release)
    }

    /// Reports that a release is installed.
    ///
    /// # Errors
    /// As [`Self::computer`].
    pub fn available_release(&self, computer: &ComputerId, release: &SoftwareUrl) -> Result<(), ClientError> {
        self.report_release("availableSoftwareRelease", computer, release)
    }

    /// Reports that a release is removed.
    ///
    /// # Errors
    /// As [`Self::computer`].
    pub fn destroyed_release(&self, computer: &ComputerId, release: &SoftwareUrl) -> Result<(), ClientError> {
        self.report_release("destroyedSoftwareRelease", computer, release)
    }

    /// Reports that a release could not be installed.
    ///
    /// # Errors
    /// As [`Self::computer`].
    pub fn release_error(
        &self,
        computer: &ComputerId,
        release: &SoftwareUrl,
        log: &str,
    ) -> Result<(), ClientError> {
        let form = [("url", release.as_str()), ("computer_id", computer.as_str()), ("error_log", log)];
        self.post("softwareReleaseError", &form).map(drop)
    }

    /// Reports that an instance is processed and started.
    ///
    /// # Errors
    /// As [`Self::computer`].
    pub fn started(&self, computer: &ComputerId, partition: &PartitionId) -> Result<(), ClientError> {
        self.report_instance("startedComputerPartition", computer, partition)
    }

    /// Reports that an instance is processed and stopped.
    ///
    /// # Errors
    /// As [`Self::computer`].
    pub fn stopped(&self, computer: &ComputerId, partition: &PartitionId) -> Result<(), ClientError> {
        self.report_instance("stoppedComputerPartition", computer, partition)
    }

    /// Reports that an instance is removed. The master may keep the partition busy while the instance has children.
    ///
    /// # Errors
    /// As [`Self::computer`].
    pub fn destroyed(&self, computer: &ComputerId, partition: &PartitionId) -> Result<(), ClientError> {
        self.report_instance("destroyedComputerPartition", computer, partition)
    }

    /// Reports that an instance could not be processed, or that a promise of it fails.
    ///
    /// # Errors
    /// As [`Self::computer`].
    pub fn instance_error(
        &self,
        computer: &ComputerId,
        partition: &PartitionId,
        log: &str,
    ) -> Result<(), ClientError> {
        let form = [
            ("computer_id", computer.as_str()),
            ("computer_partition_id", partition.as_str()),
            ("error_log", log),
        ];
        self.post("softwareInstanceError", &form).map(drop)
    }

    /// Asks for the whole tree of an instance to be processed again.
    ///
    /// # Errors
    /// As [`Self::computer`].
    pub fn bang_instance(
        &self,
        computer: &ComputerId,
        partition: &PartitionId,
        message: &str,
    ) -> Result<(), ClientError> {
        let form = [
            ("computer_id", computer.as_str()),
            ("computer_partition_id", partition.as_str()),
            ("message", message),
        ];
        self.post("softwareInstanceBang", &form).map(drop)
    }

    /// Asks for everything on a computer to be processed again.
    ///
    /// # Errors
    /// As [`Self::computer`].
    pub fn bang_computer(&self, computer: &ComputerId, message: &str) -> Result<(), ClientError> {
        self.post("computerBang", &[("computer_id", computer.as_str()), ("message", message)]).map(drop)
    }

    /// Publishes the connection parameters of an instance, or of a shared instance that it hosts.
    ///
    /// # Errors
    /// As [`Self::computer`], and parameters that cannot be written.
    pub fn set_connection(
        &self,
        computer: &ComputerId,
        partition: &PartitionId,
        shared_reference: Option<&str>,
        connection: &Parameters,
    ) -> Result<(), ClientError> {
        let document = Marshalled::from(connection).write().map_err(ClientError::Request)?;
        let form = [
            ("computer_id", computer.as_str()),
            ("computer_partition_id", partition.as_str()),
            ("connection_xml", document.as_str()),
            ("slave_reference", shared_reference.unwrap_or("None")),
        ];
        self.post("setComputerPartitionConnectionXml", &form).map(drop)
    }

    /// Renames an instance.
    ///
    /// # Errors
    /// As [`Self::computer`].
    pub fn rename_instance(
        &self,
        computer: &ComputerId,
        partition: &PartitionId,
        title: &InstanceTitle,
    ) -> Result<(), ClientError> {
        let form = [
            ("computer_id", computer.as_str()),
            ("computer_partition_id", partition.as_str()),
            ("new_name", title.as_str()),
            ("slave_reference", "None"),
        ];
        self.post("softwareInstanceRename", &form).map(drop)
    }

    /// Announces a formatted computer. `NotFound` when a master does not know it.
    ///
    /// # Errors
    /// As [`Self::computer`], and a configuration that cannot be written.
    pub fn load_computer_configuration(
        &self,
        configuration: &ComputerConfiguration,
    ) -> Result<(), ClientError> {
        let document = wire::configuration::write(configuration).map_err(ClientError::Request)?;
        self.post("loadComputerConfigurationFromXML", &[("xml", &document)]).map(drop)
    }

    /// Sends a usage report; an empty one is not sent.
    ///
    /// # Errors
    /// As [`Self::computer`].
    pub fn use_computer(&self, computer: &ComputerId, report: &str) -> Result<(), ClientError> {
        if report.is_empty() {
            return Ok(());
        }
        self.post("useComputer", &[("computer_id", computer.as_str()), ("use_string", report)]).map(drop)
    }

    /// The key and the certificate of an instance.
    ///
    /// # Errors
    /// As [`Self::computer`].
    pub fn certificate(
        &self,
        computer: &ComputerId,
        partition: &PartitionId,
    ) -> Result<KeyPair, ClientError> {
        let method = "getComputerPartitionCertificate";
        let query = [("computer_id", computer.as_str()), ("computer_partition_id", partition.as_str())];
        let understood = |value: Marshalled| {
            let Marshalled::Map(entries) = value else {
                return Err(WireError::Unexpected("the certificate is not a mapping".to_owned()));
            };
            let text = |wanted: &str| {
                let found = entries.iter().find(|(name, _)| *name == Marshalled::text(wanted));
                found.map(|(_, value)| value.python_str()).unwrap_or_default()
            };
            Ok(KeyPair { key: text("key"), certificate: text("certificate") })
        };
        let document = self.get(method, &query)?;
        Marshalled::read(&document).and_then(understood).map_err(|source| ClientError::answer(method, source))
    }

    /// Tells the master which instances an instance requested.
    ///
    /// # Errors
    /// As [`Self::computer`]; `NotFound` from masters that do not care.
    pub fn related_instances(
        &self,
        computer: &ComputerId,
        partition: &PartitionId,
        titles: &[String],
    ) -> Result<(), ClientError> {
        let list = Marshalled::List(titles.iter().map(Marshalled::text).collect());
        let document = list.write().map_err(ClientError::Request)?;
        let form = [
            ("computer_id", computer.as_str()),
            ("computer_partition_id", partition.as_str()),
            ("instance_reference_xml", document.as_str()),
        ];
        self.post("updateComputerPartitionRelatedInstanceList", &form).map(drop)
    }

    /// The releases of a product, the one to take first.
    ///
    /// # Errors
    /// As [`Self::computer`].
    pub fn product_releases(&self, product: &str) -> Result<Vec<SoftwareUrl>, ClientError> {
        let method = "getSoftwareReleaseListFromSoftwareProduct";
        let document = self.get(method, &[("software_product_reference", product)])?;
        let understood = |value: Marshalled| match value {
            Marshalled::List(items) => items.iter().map(|item| Ok(item.python_str().parse()?)).collect(),
            _ => Err(WireError::Unexpected("the releases are not a list".to_owned())),
        };
        Marshalled::read(&document).and_then(understood).map_err(|source| ClientError::answer(method, source))
    }

    /// The id that the process of the master took at its start.
    ///
    /// # Errors
    /// As [`Self::computer`]; `NotFound` from production masters.
    pub fn run_id(&self) -> Result<String, ClientError> {
        self.get("getRunId", &[]).map(|text| text.trim().to_owned())
    }

    fn report_release(
        &self,
        method: &str,
        computer: &ComputerId,
        release: &SoftwareUrl,
    ) -> Result<(), ClientError> {
        self.post(method, &[("url", release.as_str()), ("computer_id", computer.as_str())]).map(drop)
    }

    fn report_instance(
        &self,
        method: &str,
        computer: &ComputerId,
        partition: &PartitionId,
    ) -> Result<(), ClientError> {
        let form = [("computer_id", computer.as_str()), ("computer_partition_id", partition.as_str())];
        self.post(method, &form).map(drop)
    }
}
