//! What a cache of content is: found by a key, read by its hash.

use std::fs::File;

use md5::{Digest, Md5};
use serde_json::{Map, Value};

use crate::checksum::{Algorithm, hexadecimal};
use crate::{Received, TransferError};

/// Content that several machines share: a directory says what a key stands for, and a store gives content by its hash.
pub trait ContentCache: Send + Sync {
    /// What is known under a key, by somebody who is trusted, the latest first; empty when nothing is.
    ///
    /// # Errors
    /// The directory cannot be asked, or its answer makes no sense.
    fn find(&self, key: &str) -> Result<Vec<Entry>, CacheError>;

    /// Reads content into `file`, which is empty. It is what the hash says when this
    /// returns; `algorithms` say with what else to hash it.
    ///
    /// # Errors
    /// The store does not have it, breaks off, or gives something else.
    fn read(&self, entry: &Entry, algorithms: &[Algorithm], file: &mut File) -> Result<Received, CacheError>;

    /// Whether content can be added.
    fn takes_content(&self) -> bool {
        false
    }

    /// Adds the content of `file` under a key, with what is to be known about it.
    ///
    /// # Errors
    /// The cache takes nothing from us.
    fn add(&self, key: &str, file: &mut File, facts: Map<String, Value>) -> Result<(), CacheError>;
}

/// One thing that a directory knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// SHA-512 of the content, in lower-case hexadecimal.
    pub sha512: String,
    /// Everything that the entry says, the hash included.
    pub facts: Map<String, Value>,
}

/// Why a cache was of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// A server could not be asked, or does not have it.
    #[error("{url}: {source}")]
    Transfer {
        /// What was asked for.
        url: String,
        /// Why.
        source: TransferError,
    },
    /// The answer of a directory is no list of signed entries.
    #[error("{url} answered with something that is no list of entries")]
    Answer {
        /// What was asked for.
        url: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The store gave something else.
    #[error("the cache gave content with the SHA-512 {found} for {wanted}")]
    Content {
        /// What was asked for.
        wanted: String,
        /// What came.
        found: String,
    },
    /// What is to be added cannot be read, or what came not be written.
    #[error("a file of this machine cannot be used")]
    File(#[from] std::io::Error),
    /// The server did not take what was sent.
    #[error("{url} does not take it: {answer}")]
    Refused {
        /// Where it was sent.
        url: String,
        /// What the server answered.
        answer: String,
    },
    /// The settings name no place to send to.
    #[error("the cache takes nothing")]
    ReadOnly,
    /// What is to be added cannot be signed.
    #[error("the entry cannot be signed: {0}")]
    Signing(String),
}

impl CacheError {
    /// The error with its causes, in one line.
    #[must_use]
    pub fn explain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let more = error.to_string();
            if !text.contains(&more) {
                text = format!("{text}: {more}");
            }
            cause = error.source();
        }
        text
    }
}

/// The key under which caches know what is behind an address.
#[must_use]
pub fn download_key(url: &str) -> String {
    format!("file-urlmd5:{}", hexadecimal(&Md5::digest(url.as_bytes())))
}

#[cfg(test)]
mod tests {
    #[test]
    fn keys_are_those_of_existing_caches() {
        assert_eq!(
            super::download_key("http://localhost/foo.tar.gz"),
            "file-urlmd5:cc3b2413acb2737704d505de15d578f6"
        );
    }
}
