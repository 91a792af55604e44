//! Checksums as profiles and indexes write them, and hashing while something is read.

use std::fmt;
use std::io::{self, Read, Write};

use md5::Md5;
use sha2::{Digest, Sha256, Sha512};

/// A way to hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// 128 bits; says that a file arrived whole, not who made it.
    Md5,
    /// 256 bits.
    Sha256,
    /// 512 bits; names content in caches.
    Sha512,
}

impl Algorithm {
    /// Its name, as in `sha256=…`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// How many hexadecimal digits its hashes have.
    #[must_use]
    pub fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What content hashes to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checksum {
    /// How it was hashed.
    pub algorithm: Algorithm,
    /// The hash, in lower-case hexadecimal.
    pub digits: String,
}

impl Checksum {
    /// A checksum from its digits, in whatever case; white space around them is no part of them.
    #[must_use]
    pub fn new(algorithm: Algorithm, digits: &str) -> Self {
        Self { algorithm, digits: digits.trim().to_ascii_lowercase() }
    }

    /// Reads `md5=…`, `sha256=…` and `sha512=…`, and 32 hexadecimal digits alone, as the fragments of addresses have
    /// them; `None` for any other text.
    #[must_use]
    pub fn from_fragment(fragment: &str) -> Option<Self> {
        let (algorithm, digits) = match fragment.split_once('=') {
            None => (Algorithm::Md5, fragment),
            Some(("md5", digits)) => (Algorithm::Md5, digits),
            Some(("sha256", digits)) => (Algorithm::Sha256, digits),
            Some(("sha512", digits)) => (Algorithm::Sha512, digits),
            Some(_) => return None,
        };
        let checksum = Self::new(algorithm, digits);
        checksum.is_well_formed().then_some(checksum)
    }

    /// Whether it has the digits that a hash of its algorithm has.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.digits.len() == self.algorithm.digits()
            && self.digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.algorithm, self.digits)
    }
}

/// Hashes under way, one for each algorithm that is wanted.
#[derive(Debug, Clone, Default)]
pub struct Hashes {
    md5: Option<Md5>,
    sha256: Option<Sha256>,
    sha512: Option<Sha512>,
    size: u64,
}

impl Hashes {
    /// Hashes of nothing yet.
    #[must_use]
    pub fn new(algorithms: &[Algorithm]) -> Self {
        Self {
            md5: algorithms.contains(&Algorithm::Md5).then(Md5::new),
            sha256: algorithms.contains(&Algorithm::Sha256).then(Sha256::new),
            sha512: algorithms.contains(&Algorithm::Sha512).then(Sha512::new),
            size: 0,
        }
    }

    /// Hashes of everything that is left to read.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(from: &mut dyn Read, algorithms: &[Algorithm]) -> io::Result<Self> {
        let mut hashes = Self::new(algorithms);
        io::copy(from, &mut hashes)?;
        Ok(hashes)
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        if let Some(hash) = &mut self.md5 {
            hash.update(bytes);
        }
        if let Some(hash) = &mut self.sha256 {
            hash.update(bytes);
        }
        if let Some(hash) = &mut self.sha512 {
            hash.update(bytes);
        }
        self.size += bytes.len() as u64;
    }

    /// How many bytes were added.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The checksum so far; `None` for an algorithm that was not asked for.
    #[must_use]
    pub fn checksum(&self, algorithm: Algorithm) -> Option<Checksum> {
        let digits = match algorithm {
            Algorithm::Md5 => hexadecimal(&self.md5.clone()?.finalize()),
            Algorithm::Sha256 => hexadecimal(&self.sha256.clone()?.finalize()),
            Algorithm::Sha512 => hexadecimal(&self.sha512.clone()?.finalize()),
        };
        Some(Checksum { algorithm, digits })
    }
}

impl Write for Hashes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_that_are_checksums_are_read_and_others_are_not() {
        let read = |fragment: &str| Checksum::from_fragment(fragment).map(|checksum| checksum.to_string());
        let md5 = "5D41402ABC4B2A76B9719D911017C592";

        assert_eq!(read(md5).unwrap(), "md5=5d41402abc4b2a76b9719d911017c592");
        assert_eq!(read(&format!("md5={md5}")), read(md5));
        assert!(read(&format!("sha256={}", "0".repeat(64))).is_some());
        assert!(read(&format!("sha512={}", "0".repeat(128))).is_some());
        assert_eq!(read("sha256=00"), None);
        assert_eq!(read("egg=name"), None);
        assert_eq!(read(&"x".repeat(32)), None);
    }

    #[test]
    fn only_what_was_asked_for_is_hashed() {
        let hashes = Hashes::of(&mut "hello".as_bytes(), &[Algorithm::Md5]).unwrap();

        assert_eq!(hashes.checksum(Algorithm::Md5).unwrap().digits, "5d41402abc4b2a76b9719d911017c592");
        assert_eq!(hashes.checksum(Algorithm::Sha256), None);
        assert_eq!(hashes.size(), 5);
    }
}
