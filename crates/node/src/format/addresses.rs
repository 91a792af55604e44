//! The plan of addresses: which address, range, tap and tun network the partition of a given number gets.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The IPv6 network that a computer has to give away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    /// An address of it.
    pub(crate) address: Ipv6Addr,
    /// Length of its prefix.
    pub(crate) prefix: u8,
}

/// One of the three kinds of sub-network of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Routed to the partition.
    Range,
    /// Of its tap interface.
    Tap,
    /// Of its tun interface.
    Tun,
}

/// There is no room for what is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    /// Sub-networks would have no address.
    #[error("a network of length {prefix} cannot be cut {shift} bits further")]
    TooSmall {
        /// Length of its prefix.
        prefix: u8,
        /// How many bits longer the sub-networks should be.
        shift: u8,
    },
    /// More partitions than sub-networks.
    #[error("ipv6_prefixshift {shift} gives too few networks for {partitions} partitions")]
    TooMany {
        /// How many bits longer the sub-networks are.
        shift: u8,
        /// How many partitions there are.
        partitions: usize,
    },
}

impl Network {
    /// Refuses a shift that leaves no room.
    pub(crate) fn check(self, shift: u8, partitions: usize) -> Result<(), AddressError> {
        if self.prefix.saturating_add(shift) >= 128 || shift < 2 {
            return Err(AddressError::TooSmall { prefix: self.prefix, shift });
        }
        if shift < 64 && (1_u128 << shift) < 4 * partitions as u128 {
            return Err(AddressError::TooMany { shift, partitions });
        }
        Ok(())
    }

    fn base(self) -> u128 {
        u128::from(self.address) & mask(self.prefix)
    }

    /// The address of partition `index`: 1 is the router's, the partitions follow.
    pub(crate) fn address(self, index: u32) -> Ipv6Addr {
        let bits = 128 - u32::from(self.prefix);
        let wanted = u128::from(index) + 2;
        let host = match bits {
            0 => 0,
            1 => wanted & 1,
            128 => wanted,
            _ if wanted < (1_u128 << bits) => wanted,
            _ => u128::from(index) % ((1_u128 << bits) - 2) + 2,
        };
        // With one bit or none the low bits of the computer's own address give way.
        if bits == 0 { self.address } else { Ipv6Addr::from(self.base() | host) }
    }

    /// The first address of the sub-network of partition `index`, and the length of its prefix.
    pub(crate) fn subnetwork(self, kind: Kind, index: u32, shift: u8) -> (Ipv6Addr, u8) {
        let quarter = 1_u128 << (shift - 2);
        let number = match kind {
            Kind::Range => quarter,
            Kind::Tap => 2 * quarter,
            Kind::Tun => 3 * quarter,
        } + u128::from(index)
            + 1;
        let length = self.prefix + shift;
        (Ipv6Addr::from(self.base() | (number << (128 - u32::from(length)))), length)
    }
}

/// The last address of a network: all host bits are ones. A tap has it.
pub(crate) fn last(network: Ipv6Addr, length: u8) -> Ipv6Addr {
    Ipv6Addr::from(u128::from(network) | !mask(length))
}

/// The netmask of a length, in text.
pub(crate) fn netmask(length: u8) -> Ipv6Addr {
    Ipv6Addr::from(mask(length))
}

/// The IPv4 address and mask of the tun of partition `index` of `partitions`: 172.16.0.0/12 in equal parts.
pub(crate) fn tun_ipv4(index: u32, partitions: u32) -> (Ipv4Addr, Ipv4Addr, u8) {
    let bits = partitions.max(1).next_power_of_two().trailing_zeros();
    let length = (12 + bits).min(31);
    let base = u32::from(Ipv4Addr::new(172, 16, 0, 0));
    let address = base | (index << (32 - length)) | 1;
    let mask = u32::MAX << (32 - length);
    (Ipv4Addr::from(address), Ipv4Addr::from(mask), u8::try_from(length).unwrap_or(31))
}

/// The length that a netmask in text stands for: `255.255.0.0`, `ffff::`, or the number itself.
pub(crate) fn prefix_length(netmask: &str) -> Option<u8> {
    if let Ok(length) = netmask.parse::<u8>() {
        return (length <= 128).then_some(length);
    }
    let (bits, width) = match netmask.parse::<std::net::IpAddr>().ok()? {
        std::net::IpAddr::V4(mask) => (u128::from(u32::from(mask)) << 96, 32),
        std::net::IpAddr::V6(mask) => (u128::from(mask), 128),
    };
    let length = bits.leading_ones().min(width);
    (bits == mask(u8::try_from(length).ok()?)).then(|| u8::try_from(length).unwrap_or(128))
}

fn mask(length: u8) -> u128 {
    match length {
        0 => 0,
        128.. => u128::MAX,
        length => u128::MAX << (128 - u32::from(length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(prefix: u8) -> Network {
        Network { address: "2001:db8:1:2::1".parse().unwrap(), prefix }
    }

    fn text(prefix: u8, index: u32) -> String {
        network(prefix).address(index).to_string()
    }

    #[test]
    fn the_worked_example_of_a_64_bit_network() {
        let network = network(64);
        let sub = |kind, index| {
            let (address, length) = network.subnetwork(kind, index, 16);
            format!("{address}/{length}")
        };

        assert_eq!(text(64, 0), "2001:db8:1:2::2");
        assert_eq!(text(64, 9), "2001:db8:1:2::b");
        assert_eq!(sub(Kind::Range, 0), "2001:db8:1:2:4001::/80");
        assert_eq!(sub(Kind::Range, 9), "2001:db8:1:2:400a::/80");
        assert_eq!(sub(Kind::Tap, 9), "2001:db8:1:2:800a::/80");
        assert_eq!(sub(Kind::Tun, 9), "2001:db8:1:2:c00a::/80");
        let (tap, length) = network.subnetwork(Kind::Tap, 0, 16);
        assert_eq!(last(tap, length).to_string(), "2001:db8:1:2:8001:ffff:ffff:ffff");
    }

    #[test]
    fn small_networks_alternate_and_a_single_address_is_shared() {
        assert_eq!(
            [text(126, 0), text(126, 1), text(126, 2)],
            ["2001:db8:1:2::2", "2001:db8:1:2::3", "2001:db8:1:2::2"]
        );
        assert_eq!([text(128, 0), text(128, 7)], ["2001:db8:1:2::1", "2001:db8:1:2::1"]);
        assert_eq!([text(127, 0), text(127, 1)], ["2001:db8:1:2::", "2001:db8:1:2::1"]);
    }

    #[test]
    fn a_shift_must_leave_room() {
        assert!(network(64).check(16, 100).is_ok());
        assert_eq!(network(112).check(16, 1), Err(AddressError::TooSmall { prefix: 112, shift: 16 }));
        assert_eq!(network(64).check(8, 65), Err(AddressError::TooMany { shift: 8, partitions: 65 }));
    }

    #[test]
    fn tun_networks_divide_the_private_block() {
        let (address, mask, length) = tun_ipv4(9, 10);

        assert_eq!(
            (address.to_string(), mask.to_string(), length),
            ("172.25.0.1".to_owned(), "255.255.0.0".to_owned(), 16)
        );
    }

    #[test]
    fn netmasks_are_read_in_all_spellings() {
        assert_eq!(prefix_length("255.255.255.255"), Some(32));
        assert_eq!(prefix_length("255.255.0.0"), Some(16));
        assert_eq!(prefix_length("ffff:ffff:ffff:ffff::"), Some(64));
        assert_eq!(prefix_length("64"), Some(64));
        assert_eq!(prefix_length("255.0.255.0"), None);
        assert_eq!(prefix_length("x"), None);
        assert_eq!(netmask(64).to_string(), "ffff:ffff:ffff:ffff::");
    }
}
