//! The words of SlapOS: ids, states, documents, parameters; their wire formats; and the client of a master.
//!
//! Everything here is data and its two spellings. Nothing reads a file (but the certificates of a client), a clock or
//! the environment. The old spellings of the wire (`slave`, `computer_guid`) stay inside [`wire`].

pub mod client;
pub mod computer;
pub mod configuration;
pub mod id;
pub mod instance;
pub mod service;
pub mod state;
pub mod status;
pub mod value;
pub mod wire;

pub use computer::{Address, Computer, Partition, Release, Route, SharedInstance};
pub use configuration::{ComputerConfiguration, PartitionConfiguration};
pub use id::{ComputerId, InstanceGuid, InstanceTitle, InvalidId, PartitionId, SoftwareType, SoftwareUrl};
pub use instance::{Instance, InstanceRequest};
pub use service::{ComputerInfo, ComputerSummary, ServiceInfo, ServiceSummary};
pub use state::{RequestedState, SoftwareState, UnknownState};
pub use value::{Parameters, Value};
