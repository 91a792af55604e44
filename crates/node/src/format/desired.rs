//! The machine that is wanted: from a definition, else from the state of the last time, grown as configured.

use std::io;
use std::net::Ipv6Addr;

use camino::Utf8PathBuf;
use host::files;
use host::network::{self, InterfaceAddress};
use host::users::Account;
use slap::wire::WireError;

use super::addresses::{self, AddressError, Kind, Network};
use super::definition::Definition;
use super::machine::{Link, Machine, Place, Range, Side, loopback_addresses};
use crate::configuration::{Configuration, Format};
use crate::space;

/// A machine that cannot be formatted.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// Fewer partitions are configured than there are.
    #[error("{present} partitions exist, {wanted} are configured: partitions are never removed")]
    Shrink {
        /// How many there are.
        present: usize,
        /// How many are configured.
        wanted: usize,
    },
    /// The state of the last time cannot be understood.
    #[error("the state file {path} cannot be read")]
    State {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A name cannot be that of a partition.
    #[error(transparent)]
    Name(#[from] slap::InvalidId),
    /// The interface has no address to derive others from.
    #[error("interface {interface} has no global IPv6 address")]
    NoAddress {
        /// Which.
        interface: String,
    },
    /// There are not enough addresses.
    #[error("the addresses of interface {interface} do not suffice")]
    Addresses {
        /// Which.
        interface: String,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something could not be done.
    #[error("cannot do: {action}")]
    Action {
        /// What, as a command.
        action: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The machine's description cannot be written.
    #[error("the description of the computer cannot be written")]
    Document(#[source] WireError),
}

impl FormatError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Shrink { .. } => "E-format-shrink",
            Self::State { .. } => "E-format-state",
            Self::Name(_) | Self::Document(_) => "E-format-name",
            Self::NoAddress { .. } | Self::Addresses { .. } => "E-format-network",
            Self::Action { source, .. } if space::is_full(source) => "E-disk-full",
            Self::Action { .. } => "E-format-failed",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Shrink { present, .. } => format!("set partition_amount = {present}, or more"),
            Self::State { path, .. } => {
                format!("older versions are in {path}.zip: put one back, or move the file away to start anew")
            }
            Self::NoAddress { interface } => {
                format!("give {interface} one, name another interface_name, or set alter_network = false")
            }
            Self::Addresses { .. } => "ask for fewer partitions, or for a larger network".to_owned(),
            Self::Action { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "run it as root, or as the owner with alter_user = false and alter_network = false".to_owned()
            }
            Self::Name(_) | Self::Action { .. } | Self::Document(_) => return None,
        })
    }
}

/// Works out the machine that is wanted.
pub(crate) fn machine(
    configuration: &Configuration,
    definition: Option<&Definition>,
) -> Result<Machine, FormatError> {
    let format = &configuration.format;
    let mut machine = match definition {
        Some(definition) => Machine::defined(definition)?,
        None => remembered(configuration)?.unwrap_or_else(|| Machine {
            address: loopback_addresses().swap_remove(0),
            software_user: format.software_user.clone(),
            partitions: Vec::new(),
        }),
    };
    let (present, wanted) = (machine.partitions.len(), format.partition_amount);
    if wanted < present && (definition.is_none() || wanted > 0) {
        return Err(FormatError::Shrink { present, wanted });
    }
    if definition.is_none() && format.alter_network {
        let found = discover(format)?;
        machine.address = (found.address.to_string(), addresses::netmask(found.prefix).to_string());
        grow(configuration, &mut machine, Some(found))?;
    } else {
        grow(configuration, &mut machine, None)?;
    }
    Ok(machine)
}

fn remembered(configuration: &Configuration) -> Result<Option<Machine>, FormatError> {
    let path = &configuration.format.computer_xml;
    let broken =
        |source: Box<dyn std::error::Error + Send + Sync>| FormatError::State { path: path.clone(), source };
    let Some(text) = files::read_text_if_present(path).map_err(|error| broken(error.into()))? else {
        return Ok(None);
    };
    let document = slap::wire::configuration::read(&text).map_err(|error| broken(error.into()))?;
    Ok(Some(Machine::remembered(&document, &configuration.format.software_user)))
}

/// Adds partitions up to the number that is configured.
fn grow(
    configuration: &Configuration,
    machine: &mut Machine,
    network: Option<Network>,
) -> Result<(), FormatError> {
    let format = &configuration.format;
    let interface = format.interface_name.clone().unwrap_or_default();
    if let (Some(network), true) = (network, needs_ranges(format)) {
        network.check(format.ipv6_prefix_shift, format.partition_amount).map_err(
            |source: AddressError| FormatError::Addresses {
                interface: interface.clone(),
                source: source.into(),
            },
        )?;
    }
    // An ordinary user runs everything himself, whatever the users would be called.
    let own_name = if format.alter_user { None } else { Account::current().ok().map(|account| account.name) };
    for number in machine.partitions.len()..format.partition_amount {
        let index = u32::try_from(number).expect("there are fewer partitions than addresses");
        let user = own_name.clone().unwrap_or_else(|| format!("{}{number}", format.user_base_name));
        let mut place = Place {
            id: format!("{}{number}", format.partition_base_name).parse()?,
            user,
            addresses: loopback_addresses(),
            ipv6_range: None,
            tap: Link::default(),
            tun: None,
            capabilities: None,
        };
        if let Some(network) = network {
            let taken: Vec<String> = machine
                .partitions
                .iter()
                .flat_map(|place| &place.addresses)
                .map(|(address, _)| address.clone())
                .collect();
            connect(format, &mut place, network, index, &taken)?;
        }
        machine.partitions.push(place);
    }
    Ok(())
}

fn needs_ranges(format: &Format) -> bool {
    format.partition_has_ipv6_range
        || (format.create_tap && format.tap_ipv6)
        || (format.create_tun && format.tun_ipv6)
}

/// Gives a new partition its addresses and interfaces.
fn connect(
    format: &Format,
    place: &mut Place,
    network: Network,
    index: u32,
    taken: &[String],
) -> Result<(), FormatError> {
    let shift = format.ipv6_prefix_shift;
    place.addresses =
        vec![(network.address(index).to_string(), addresses::netmask(network.prefix).to_string())];
    if let Some(local) = &format.ipv4_local_network {
        let address = network::free_address(local, taken)
            .map_err(|source| FormatError::Addresses { interface: local.clone(), source: source.into() })?;
        place.addresses.insert(0, (address.to_string(), "255.255.255.255".to_owned()));
    }
    if format.partition_has_ipv6_range {
        let (first, prefix) = network.subnetwork(Kind::Range, index, shift);
        place.ipv6_range = Some(Range {
            address: first.to_string(),
            prefix,
            netmask: addresses::netmask(prefix).to_string(),
            network: format!("{first}/{prefix}"),
        });
    }
    if format.create_tap {
        place.tap.name = format!("{}{index}", format.tap_base_name);
        if format.tap_ipv6 {
            let (first, prefix) = network.subnetwork(Kind::Tap, index, shift);
            place.tap.ipv6 = Side {
                address: addresses::last(first, prefix).to_string(),
                gateway: next(first).to_string(),
                netmask: addresses::netmask(prefix).to_string(),
                network: format!("{first}/{prefix}"),
            };
        }
    }
    if format.create_tun {
        let amount = u32::try_from(format.partition_amount).unwrap_or(u32::MAX);
        let (address, mask, length) = addresses::tun_ipv4(index, amount);
        let mut tun = Link { name: format!("slaptun{index}"), ..Link::default() };
        tun.ipv4 = Side {
            address: address.to_string(),
            netmask: mask.to_string(),
            network: format!("{address}/{length}"),
            ..Side::default()
        };
        if format.tun_ipv6 {
            let (first, prefix) = network.subnetwork(Kind::Tun, index, shift);
            tun.ipv6 = Side {
                address: next(first).to_string(),
                netmask: addresses::netmask(prefix).to_string(),
                network: format!("{first}/{prefix}"),
                ..Side::default()
            };
        }
        place.tun = Some(tun);
    }
    Ok(())
}

fn next(address: Ipv6Addr) -> Ipv6Addr {
    Ipv6Addr::from(u128::from(address) + 1)
}

/// The network of the interface that gives addresses to partitions: the shortest prefix, then the lowest address.
fn discover(format: &Format) -> Result<Network, FormatError> {
    let interface =
        format.ipv6_interface.as_ref().or(format.interface_name.as_ref()).cloned().unwrap_or_default();
    let missing = || FormatError::NoAddress { interface: interface.clone() };
    let found = network::addresses(&interface)
        .map_err(|source| FormatError::Action { action: format!("ip -6 addr list {interface}"), source })?;
    choose(&found).ok_or_else(missing)
}

fn choose(found: &[InterfaceAddress]) -> Option<Network> {
    found
        .iter()
        .filter_map(|found| match found.address {
            std::net::IpAddr::V6(address) if is_global(address) => {
                Some(Network { address, prefix: found.prefix })
            }
            _ => None,
        })
        .min_by_key(|network| (network.prefix, network.address))
}

/// Whether an address can be reached from elsewhere; unique local addresses count.
fn is_global(address: Ipv6Addr) -> bool {
    !(address.is_loopback()
        || address.is_multicast()
        || address.is_unspecified()
        || address.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_prefix_wins_then_the_lowest_address() {
        let found: Vec<InterfaceAddress> = [
            ("fe80::1", 10),
            ("2001:db8::9", 64),
            ("2001:db8::2", 64),
            ("2001:db8::1", 128),
            ("10.0.0.1", 8),
        ]
        .map(|(address, prefix)| InterfaceAddress { address: address.parse().unwrap(), prefix })
        .into();

        assert_eq!(choose(&found), Some(Network { address: "2001:db8::2".parse().unwrap(), prefix: 64 }));
        assert_eq!(choose(&found[..1]), None);
    }

    #[test]
    fn a_partition_of_a_connected_machine_gets_all_that_is_configured() {
        let format = Format {
            partition_amount: 10,
            create_tun: true,
            ipv4_local_network: Some("10.1.0.0/16".to_owned()),
            ..Format::default()
        };
        let mut place = Place {
            id: "slappart9".parse().unwrap(),
            user: "slapuser9".to_owned(),
            addresses: Vec::new(),
            ipv6_range: None,
            tap: Link::default(),
            tun: None,
            capabilities: None,
        };
        let network = Network { address: "2001:db8:1:2::1".parse().unwrap(), prefix: 64 };

        connect(&format, &mut place, network, 9, &["10.1.0.1".to_owned()]).unwrap();

        assert_eq!(place.addresses[0].0, "10.1.0.2");
        assert_eq!(place.addresses[1], ("2001:db8:1:2::b".to_owned(), "ffff:ffff:ffff:ffff::".to_owned()));
        assert_eq!(place.ipv6_range.unwrap().network, "2001:db8:1:2:400a::/80");
        assert_eq!(place.tap.ipv6.address, "2001:db8:1:2:800a:ffff:ffff:ffff");
        assert_eq!(place.tap.ipv6.gateway, "2001:db8:1:2:800a::1");
        let tun = place.tun.unwrap();
        assert_eq!(
            (tun.ipv4.address.as_str(), tun.ipv6.address.as_str()),
            ("172.25.0.1", "2001:db8:1:2:c00a::1")
        );
    }
}
