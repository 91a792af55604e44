//! Content by hash and directory by key: the cache of downloads, and the transfers that it and everybody else make.
//!
//! [`Client`] gets files over HTTP whatever the network does to them. [`ContentCache`] is a place where content is
//! found by a key and read by its hash; [`HttpCache`] is one of SlapOS's own protocol, with signed entries.

mod cache;
mod certificates;
mod checksum;
mod http_cache;
mod transfer;

pub use cache::{CacheError, ContentCache, Entry, download_key};
pub use certificates::Certificates;
pub use checksum::{Algorithm, Checksum, Hashes, hexadecimal};
pub use http_cache::{HttpCache, HttpCacheSettings, Place};
pub use transfer::{Client, Identity, Limits, Proxies, Received, Request, TransferError};
