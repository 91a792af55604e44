//! A machine written down by hand instead of discovered: the definition that `format` reads and writes.

use std::fmt::Write as _;

/// The definition of a computer and of its partitions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definition {
    /// The computer's address and netmask.
    pub address: Option<(String, String)>,
    /// Owner of the software root.
    pub software_user: Option<String>,
    /// The partitions, in the order of their numbers.
    pub partitions: Vec<DefinedPartition>,
}

/// One partition of a definition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DefinedPartition {
    /// Its name, which is also that of its directory.
    pub name: String,
    /// The user that it belongs to.
    pub user: String,
    /// Its addresses and their netmasks.
    pub addresses: Vec<(String, String)>,
    /// Its tap interface; empty for none.
    pub network_interface: String,
    /// Its IPv6 range: address and length of the prefix.
    pub ipv6_range: Option<(String, u8)>,
    /// What it is capable of; `None` when nothing is said.
    pub capabilities: Option<Vec<String>>,
}

/// A definition that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// An option that a partition needs.
    #[error("section [{section}] of the definition has no `{option}`")]
    Missing {
        /// The section.
        section: String,
        /// What is missing.
        option: &'static str,
    },
    /// An address without netmask, or a range without length.
    #[error("`{text}` in section [{section}] of the definition is not of the form ADDRESS/NETMASK")]
    Address {
        /// The section.
        section: String,
        /// The text.
        text: String,
    },
}

/// The options of one section.
type Options<'a> = &'a [(String, String)];

impl Definition {
    /// Understands the sections of a definition file.
    ///
    /// # Errors
    /// A partition without name, user or address, or an address that is none.
    pub fn from_sections(sections: &[(String, Vec<(String, String)>)]) -> Result<Self, DefinitionError> {
        let mut definition = Self::default();
        if let Some((name, options)) = sections.iter().find(|(name, _)| name == "computer") {
            definition.address = option(options, "address").map(|text| pair(name, text)).transpose()?;
            definition.software_user = option(options, "software_user").map(str::to_owned);
        }
        let mut numbered: Vec<(u32, &String, Options<'_>)> = sections
            .iter()
            .filter_map(|(name, options)| {
                Some((name.strip_prefix("partition_")?.parse().ok()?, name, options.as_slice()))
            })
            .collect();
        numbered.sort_by_key(|(number, ..)| *number);
        for (_, section, options) in numbered {
            definition.partitions.push(DefinedPartition::from_options(section, options)?);
        }
        Ok(definition)
    }

    /// The text of a definition file with the same meaning.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = "[computer]\n".to_owned();
        if let Some((address, netmask)) = &self.address {
            let _ = writeln!(text, "address = {address}/{netmask}");
        }
        if let Some(user) = &self.software_user {
            let _ = writeln!(text, "software_user = {user}");
        }
        for (number, partition) in self.partitions.iter().enumerate() {
            let addresses: Vec<String> =
                partition.addresses.iter().map(|(address, netmask)| format!("{address}/{netmask}")).collect();
            let _ = write!(
                text,
                "\n[partition_{number}]\naddress = {}\npathname = {}\nuser = {}\nnetwork_interface = {}\n",
                addresses.join(" "),
                partition.name,
                partition.user,
                partition.network_interface,
            );
            if let Some((address, length)) = &partition.ipv6_range {
                let _ = writeln!(text, "ipv6_range = {address}/{length}");
            }
            if let Some(capabilities) = &partition.capabilities {
                let _ = writeln!(text, "capability_list =\n  {}", capabilities.join("\n  "));
            }
        }
        text
    }
}

impl DefinedPartition {
    fn from_options(section: &str, options: Options<'_>) -> Result<Self, DefinitionError> {
        let required = |name: &'static str| {
            option(options, name)
                .ok_or_else(|| DefinitionError::Missing { section: section.to_owned(), option: name })
        };
        let addresses = required("address")?
            .split_whitespace()
            .map(|text| pair(section, text))
            .collect::<Result<_, _>>()?;
        let ipv6_range = match option(options, "ipv6_range") {
            None => None,
            Some(text) => {
                let wrong =
                    || DefinitionError::Address { section: section.to_owned(), text: text.to_owned() };
                let (address, length) = pair(section, text)?;
                Some((address, length.parse().map_err(|_| wrong())?))
            }
        };
        Ok(Self {
            name: required("pathname")?.to_owned(),
            user: required("user")?.to_owned(),
            addresses,
            network_interface: option(options, "network_interface").unwrap_or_default().to_owned(),
            ipv6_range,
            capabilities: option(options, "capability_list").map(|text| {
                text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
            }),
        })
    }
}

fn option<'a>(options: Options<'a>, name: &str) -> Option<&'a str> {
    options
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.trim())
        .filter(|value| !value.is_empty())
}

fn pair(section: &str, text: &str) -> Result<(String, String), DefinitionError> {
    match text.split_once('/') {
        Some((address, netmask)) if address.parse::<std::net::IpAddr>().is_ok() => {
            Ok((address.to_owned(), netmask.to_owned()))
        }
        _ => Err(DefinitionError::Address { section: section.to_owned(), text: text.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sections(text: &[(&str, &[(&str, &str)])]) -> Vec<(String, Vec<(String, String)>)> {
        let owned = |options: &[(&str, &str)]| {
            options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        text.iter().map(|(name, options)| ((*name).to_owned(), owned(options))).collect()
    }

    #[test]
    fn partitions_come_in_the_order_of_their_numbers() {
        let partition =
            |name: &'static str| [("address", "127.0.0.1/32 ::1/128"), ("pathname", name), ("user", "u")];
        let definition = Definition::from_sections(&sections(&[
            ("computer", &[("address", "10.0.0.1/255.0.0.0")]),
            ("partition_10", &partition("ten")),
            ("partition_2", &partition("two")),
        ]))
        .unwrap();

        let names: Vec<_> = definition.partitions.iter().map(|partition| partition.name.as_str()).collect();
        assert_eq!(names, ["two", "ten"]);
        assert_eq!(definition.address, Some(("10.0.0.1".to_owned(), "255.0.0.0".to_owned())));
        insta::assert_snapshot!(definition.text(), @r"
[computer]
address = 10.0.0.1/255.0.0.0

[partition_0]
address = 127.0.0.1/32 ::1/128
pathname = two
user = u
network_interface = 

[partition_1]
address = 127.0.0.1/32 ::1/128
pathname = ten
user = u
network_interface =
");
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let error = |options: &[(&str, &str)]| {
            Definition::from_sections(&sections(&[("partition_0", options)])).unwrap_err().to_string()
        };

        insta::assert_snapshot!(error(&[("address", "::1/128"), ("user", "u")]), @"section [partition_0] of the definition has no `pathname`");
        insta::assert_snapshot!(error(&[("address", "::1"), ("user", "u"), ("pathname", "p")]), @"`::1` in section [partition_0] of the definition is not of the form ADDRESS/NETMASK");
    }
}
