//! Addresses of this machine's network interfaces.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

/// One address of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// The address.
    pub address: IpAddr,
    /// Length of the prefix of its network, in bits.
    pub prefix: u8,
}

/// The addresses of the interface `name`; none when there is no such interface.
///
/// # Errors
/// The kernel does not tell.
pub fn addresses(name: &str) -> io::Result<Vec<InterfaceAddress>> {
    let found = nix::ifaddrs::getifaddrs()?.filter(|interface| interface.interface_name == name);
    Ok(found
        .filter_map(|interface| {
            let address = ip(interface.address?)?;
            let prefix = interface.netmask.and_then(ip).map_or(0, length);
            Some(InterfaceAddress { address, prefix })
        })
        .collect())
}

/// The lowest address of an IPv4 network, in CIDR form, that is neither in `taken` nor the network's own or last one.
///
/// # Errors
/// The text is no network, or all its addresses are taken.
pub fn free_address(network: &str, taken: &[String]) -> io::Result<Ipv4Addr> {
    let wrong = |problem: &str| io::Error::new(io::ErrorKind::InvalidInput, format!("`{network}` {problem}"));
    let (address, length) =
        network.split_once('/').ok_or_else(|| wrong("is not of the form ADDRESS/LENGTH"))?;
    let address: Ipv4Addr =
        address.trim().parse().map_err(|_| wrong("does not begin with an IPv4 address"))?;
    let length: u32 = length.trim().parse().map_err(|_| wrong("does not end with a number of bits"))?;
    if length > 30 {
        return Err(wrong("has no address to give"));
    }
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    let first = u32::from(address) & mask;
    let last = first | !mask;
    let taken: std::collections::BTreeSet<Ipv4Addr> =
        taken.iter().filter_map(|text| text.parse().ok()).collect();
    (first + 1..last)
        .map(Ipv4Addr::from)
        .find(|address| !taken.contains(address))
        .ok_or_else(|| wrong("has no free address left"))
}

fn ip(address: nix::sys::socket::SockaddrStorage) -> Option<IpAddr> {
    if let Some(address) = address.as_sockaddr_in() {
        return Some(IpAddr::V4(address.ip()));
    }
    address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip()))
}

fn length(mask: IpAddr) -> u8 {
    let ones = match mask {
        IpAddr::V4(mask) => u32::from(mask).leading_ones(),
        IpAddr::V6(mask) => u128::from(mask).leading_ones(),
    };
    u8::try_from(ones).unwrap_or(128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_has_its_address() {
        let found = addresses("lo").unwrap();

        assert!(
            found.contains(&InterfaceAddress { address: "127.0.0.1".parse().unwrap(), prefix: 8 }),
            "{found:?}"
        );
        assert_eq!(addresses("no-such-interface").unwrap(), []);
    }

    #[test]
    fn the_lowest_free_address_is_taken() {
        let taken = ["10.0.0.1".to_owned(), "10.0.0.2".to_owned()];

        assert_eq!(free_address("10.0.0.0/24", &taken).unwrap().to_string(), "10.0.0.3");
        assert!(
            free_address("10.0.0.0/30", &taken).unwrap_err().to_string().contains("no free address left")
        );
        for wrong in ["10.0.0.0", "x/24", "10.0.0.0/33", "10.0.0.0/32"] {
            assert!(free_address(wrong, &[]).is_err(), "{wrong}");
        }
    }
}
