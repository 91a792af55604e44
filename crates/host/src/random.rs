//! Randomness of the machine, for secrets.

use std::io::{self, Read};

/// Fills `bytes` with randomness that nobody can foresee.
///
/// # Errors
/// The machine has no `/dev/urandom`.
pub fn fill(bytes: &mut [u8]) -> io::Result<()> {
    fs_err::File::open("/dev/urandom")?.read_exact(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        let (mut one, mut other) = ([0_u8; 32], [0_u8; 32]);
        fill(&mut one).unwrap();
        fill(&mut other).unwrap();

        assert_ne!(one, other);
    }
}
