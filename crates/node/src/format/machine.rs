//! The machine as it should be: its addresses, its partitions, and the two documents that describe them.

use camino::Utf8PathBuf;
use slap::{ComputerConfiguration, PartitionConfiguration, PartitionId, Value};

use super::definition::{DefinedPartition, Definition};
use super::facts::Facts;
use crate::configuration::Configuration;

/// A machine with its partitions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Machine {
    /// Address and netmask of the computer.
    pub(crate) address: (String, String),
    /// Owner of the software root.
    pub(crate) software_user: String,
    /// The partitions, in order.
    pub(crate) partitions: Vec<Place>,
}

/// One partition of the machine.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    /// Its name.
    pub(crate) id: PartitionId,
    /// The user that it belongs to.
    pub(crate) user: String,
    /// Its addresses and netmasks.
    pub(crate) addresses: Vec<(String, String)>,
    /// Its IPv6 range.
    pub(crate) ipv6_range: Option<Range>,
    /// Its tap interface, without name when it has none.
    pub(crate) tap: Link,
    /// Its tun interface.
    pub(crate) tun: Option<Link>,
    /// What it is capable of.
    pub(crate) capabilities: Option<Vec<String>>,
}

/// A routed IPv6 range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) address: String,
    pub(crate) prefix: u8,
    pub(crate) netmask: String,
    pub(crate) network: String,
}

/// A virtual interface and its addresses; empty texts where there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) name: String,
    pub(crate) ipv4: Side,
    pub(crate) ipv6: Side,
}

/// The addresses of an interface in one family.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) address: String,
    pub(crate) gateway: String,
    pub(crate) netmask: String,
    pub(crate) network: String,
}

/// The address of this machine alone, in both families.
pub(crate) fn loopback_addresses() -> Vec<(String, String)> {
    vec![
        ("127.0.0.1".to_owned(), "255.255.255.255".to_owned()),
        ("::1".to_owned(), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".to_owned()),
    ]
}

impl Machine {
    /// The machine that a definition describes.
    ///
    /// # Errors
    /// A partition's name cannot be one.
    pub(crate) fn defined(definition: &Definition) -> Result<Self, slap::InvalidId> {
        let partition = |defined: &DefinedPartition| {
            Ok(Place {
                id: defined.name.parse()?,
                user: defined.user.clone(),
                addresses: defined.addresses.clone(),
                ipv6_range: defined.ipv6_range.as_ref().map(|(address, prefix)| Range {
                    address: address.clone(),
                    prefix: *prefix,
                    netmask: String::new(),
                    network: format!("{address}/{prefix}"),
                }),
                tap: Link { name: defined.network_interface.clone(), ..Link::default() },
                tun: None,
                capabilities: defined.capabilities.clone(),
            })
        };
        Ok(Self {
            address: definition.address.clone().unwrap_or_default(),
            software_user: definition.software_user.clone().unwrap_or_else(|| "slapsoft".to_owned()),
            partitions: definition
                .partitions
                .iter()
                .map(partition)
                .collect::<Result<_, slap::InvalidId>>()?,
        })
    }

    /// The same machine as a definition.
    pub(crate) fn definition(&self) -> Definition {
        Definition {
            address: Some(self.address.clone()),
            software_user: Some(self.software_user.clone()),
            partitions: self
                .partitions
                .iter()
                .map(|place| DefinedPartition {
                    name: place.id.to_string(),
                    user: place.user.clone(),
                    addresses: place.addresses.clone(),
                    network_interface: place.tap.name.clone(),
                    ipv6_range: place.ipv6_range.as_ref().map(|range| (range.address.clone(), range.prefix)),
                    capabilities: place.capabilities.clone(),
                })
                .collect(),
        }
    }

    /// The machine that an earlier format left in its state file.
    pub(crate) fn remembered(document: &ComputerConfiguration, software_user: &str) -> Self {
        Self {
            address: (document.address.clone(), document.netmask.clone()),
            software_user: software_user.to_owned(),
            partitions: document.partitions.iter().map(Place::remembered).collect(),
        }
    }

    /// The document for the master and for the state file.
    pub(crate) fn document(&self, configuration: &Configuration, facts: &Facts) -> ComputerConfiguration {
        let format = &configuration.format;
        let text = |text: &str| Value::from(text);
        let optional = |text: Option<&str>| text.map_or(Value::None, Value::from);
        let interface = match &format.interface_name {
            None => Value::None,
            Some(name) => map([
                ("ipv4_local_network", optional(format.ipv4_local_network.as_deref())),
                ("ipv6_interface", optional(format.ipv6_interface.as_deref())),
                ("ipv6_prefixshift", Value::Int(i64::from(format.ipv6_prefix_shift))),
                ("name", text(name)),
            ]),
        };
        let storage = configuration.instance_storage_home.as_ref().map(|path| path.as_str());
        let Value::Map(extra) = map([
            ("instance_root", text(configuration.instance_root.as_str())),
            ("instance_storage_home", optional(storage)),
            ("interface", interface),
            ("ipv6_interface", optional(format.ipv6_interface.as_deref())),
            ("os_type", text(&facts.os_type)),
            ("partition_has_ipv6_range", Value::Bool(format.partition_has_ipv6_range)),
            ("public_ipv4_address", Value::None),
            ("python_version", optional(facts.python_version.as_deref())),
            ("slapos_version", text(&facts.version)),
            ("software_root", text(configuration.software_root.as_str())),
            ("software_user", text(&self.software_user)),
            ("tap_gateway_interface", text(&format.tap_gateway_interface)),
            ("tap_ipv6", Value::Bool(format.tap_ipv6)),
        ]) else {
            unreachable!("a map was just made")
        };
        ComputerConfiguration {
            reference: configuration.computer_id.clone(),
            address: self.address.0.clone(),
            netmask: self.address.1.clone(),
            partitions: self.partitions.iter().map(|place| place.document(configuration)).collect(),
            extra,
        }
    }
}

impl Machine {
    /// The copy of the state for developers.
    pub(crate) fn json(&self, configuration: &Configuration, facts: &Facts) -> String {
        let document = self.document(configuration, facts);
        let mut entries = document.extra;
        entries.insert("reference".to_owned(), Value::from(document.reference.as_str()));
        entries.insert("address".to_owned(), Value::from(document.address));
        entries.insert("netmask".to_owned(), Value::from(document.netmask));
        let partitions = self.partitions.iter().map(|place| place.entries(configuration)).collect();
        entries.insert("partition_list".to_owned(), Value::List(partitions));
        indented_json(Value::Map(entries), b"  ")
    }
}

impl Place {
    fn remembered(document: &PartitionConfiguration) -> Self {
        let text = |map: Option<&Value>, name: &str| match map {
            Some(Value::Map(map)) => map.get(name).and_then(Value::as_text).unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        let link = |map: Option<&Value>| {
            let side = |family: &str| Side {
                address: text(map, &format!("{family}_addr")),
                gateway: text(map, &format!("{family}_gateway")),
                netmask: text(map, &format!("{family}_netmask")),
                network: text(map, &format!("{family}_network")),
            };
            Link { name: text(map, "name"), ipv4: side("ipv4"), ipv6: side("ipv6") }
        };
        let range = document.extra.get("ipv6_range");
        let prefix = match range {
            Some(Value::Map(map)) => match map.get("prefixlen") {
                Some(Value::Int(prefix)) => u8::try_from(*prefix).ok(),
                _ => None,
            },
            _ => None,
        };
        let capabilities = match document.extra.get("capability_list") {
            Some(Value::List(items)) => {
                Some(items.iter().filter_map(Value::as_text).map(str::to_owned).collect())
            }
            _ => None,
        };
        Self {
            id: document.reference.clone(),
            user: text(document.extra.get("user"), "name"),
            addresses: document.addresses.clone(),
            ipv6_range: prefix.map(|prefix| Range {
                address: text(range, "addr"),
                prefix,
                netmask: text(range, "netmask"),
                network: text(range, "network"),
            }),
            tap: link(document.extra.get("tap")),
            tun: document
                .extra
                .get("tun")
                .filter(|tun| matches!(tun, Value::Map(_)))
                .map(|tun| link(Some(tun))),
            capabilities,
        }
    }

    /// Where it is.
    pub(crate) fn path(&self, configuration: &Configuration) -> Utf8PathBuf {
        configuration.partition_directory(&self.id)
    }

    /// Its part of the document, which is also what an instance can read of its resources.
    pub(crate) fn document(&self, configuration: &Configuration) -> PartitionConfiguration {
        let path = self.path(configuration);
        let range = self.ipv6_range.as_ref().map_or_else(
            || map([]),
            |range| {
                map([
                    ("addr", Value::from(range.address.as_str())),
                    ("netmask", Value::from(range.netmask.as_str())),
                    ("network", Value::from(range.network.as_str())),
                    ("prefixlen", Value::Int(i64::from(range.prefix))),
                ])
            },
        );
        let user = map([
            ("additional_group_list", Value::List(vec![Value::from("slapsoft")])),
            ("name", Value::from(self.user.as_str())),
            ("path", Value::from(path.as_str())),
            ("shell", Value::from("/bin/sh")),
        ]);
        let partition = PartitionConfiguration::new(self.id.clone(), self.addresses.clone())
            .with("external_storage_list", Value::List(Vec::new()))
            .with("ipv6_range", range)
            .with("path", Value::from(path.as_str()))
            .with("tap", link(&self.tap))
            .with("tun", self.tun.as_ref().map_or(Value::None, link))
            .with("user", user);
        match &self.capabilities {
            None => partition,
            Some(list) => partition.with(
                "capability_list",
                Value::List(list.iter().map(|name| Value::from(name.as_str())).collect()),
            ),
        }
    }

    /// The text of `.slapos-resource`.
    pub(crate) fn resource(&self, configuration: &Configuration) -> String {
        indented_json(self.entries(configuration), b"    ")
    }

    /// Its part of the document as one value.
    fn entries(&self, configuration: &Configuration) -> Value {
        let document = self.document(configuration);
        let address = |(address, netmask): &(String, String)| {
            map([("addr", Value::from(address.as_str())), ("netmask", Value::from(netmask.as_str()))])
        };
        let mut entries = document.extra;
        entries.insert("reference".to_owned(), Value::from(self.id.as_str()));
        entries.insert("address_list".to_owned(), Value::List(self.addresses.iter().map(address).collect()));
        Value::Map(entries)
    }
}

/// JSON with sorted names and the given indentation, as Python writes it.
fn indented_json(value: Value, indent: &[u8]) -> String {
    let mut json = serde_json::Value::from(value);
    json.sort_all_objects();
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent);
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    serde::Serialize::serialize(&json, &mut serializer).expect("a JSON value can be written to memory");
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn link(link: &Link) -> Value {
    let text = |text: &str| Value::from(text);
    map([
        ("ipv4_addr", text(&link.ipv4.address)),
        ("ipv4_gateway", text(&link.ipv4.gateway)),
        ("ipv4_netmask", text(&link.ipv4.netmask)),
        ("ipv4_network", text(&link.ipv4.network)),
        ("ipv6_addr", text(&link.ipv6.address)),
        ("ipv6_gateway", text(&link.ipv6.gateway)),
        ("ipv6_netmask", text(&link.ipv6.netmask)),
        ("ipv6_network", text(&link.ipv6.network)),
        ("name", text(&link.name)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration() -> Configuration {
        Configuration::new(
            "local".parse().unwrap(),
            "http://127.0.0.1",
            "/srv/base/soft",
            "/srv/base/inst",
            &["/bin/slapos".into()],
        )
    }

    fn facts() -> Facts {
        Facts {
            os_type:
                "[\"Linux-6.18.44-fc-v445-x86_64-with-glibc2.36\", \"debian\", \"12\", \"Debian GNU/Linux\"]"
                    .to_owned(),
            version: "1.24.1".to_owned(),
            python_version: Some("3.11.2".to_owned()),
        }
    }

    fn machine() -> Machine {
        Machine::defined(&Definition {
            address: Some(("127.0.0.1".to_owned(), "255.255.255.255".to_owned())),
            software_user: None,
            partitions: (0..3)
                .map(|number| DefinedPartition {
                    name: format!("slappart{number}"),
                    user: "slappeer".to_owned(),
                    addresses: loopback_addresses(),
                    ..DefinedPartition::default()
                })
                .collect(),
        })
        .unwrap()
    }

    #[test]
    fn the_state_file_is_that_of_the_reference() {
        let document = machine().document(&configuration(), &facts());

        let text = slap::wire::configuration::write_indented(&document).unwrap();

        // Recorded from the reference.
        assert_eq!(text, include_str!("computer.golden.xml"));
    }

    #[test]
    fn the_resource_file_is_that_of_the_reference() {
        // Recorded from the reference.
        assert_eq!(machine().partitions[0].resource(&configuration()), include_str!("resource.golden.json"));
    }

    #[test]
    fn a_machine_is_read_back_from_its_state_file_and_from_its_definition() {
        let machine = machine();
        let document = slap::wire::configuration::read(include_str!("computer.golden.xml")).unwrap();

        assert_eq!(Machine::remembered(&document, "slapsoft"), machine);
        assert_eq!(Machine::defined(&machine.definition()).unwrap(), machine);
    }
}
