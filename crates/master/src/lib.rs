//! Many computers: the requests, their allocation, and the documents that nodes and people read.
//!
//! The master never reaches out to a node: nodes ask. What a node or a person asks is decided inside one transaction,
//! and answered when that is on disk.

mod allocate;
mod api;
mod computer_document;
mod computer_format;
mod configuration;
mod documents;
mod forward;
mod frontend;
mod master;
mod moment;
mod server;
mod store;
mod supply;
mod tree;

pub use configuration::{Forwarding, MasterConfiguration};
pub use frontend::BypassedReleases;
pub use server::{Bound, ServeError, bind, serve};
pub use store::{ImportError, OpenError};
