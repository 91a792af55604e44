//! Computers, partitions and answers to requests as marshalled objects, in the two dialects that masters speak:
//! ours writes that of the stand-alone Python master and reads both.

use std::collections::{BTreeMap, HashMap};

use super::marshal::{Class, Marshalled};
use super::{WireError, instance_xml, shared};
use crate::computer::{Address, Computer, Partition, Release, Route};
use crate::id::{ComputerId, PartitionId, SoftwareUrl};
use crate::instance::Instance;
use crate::state::{RequestedState, SoftwareState};
use crate::value::Parameters;

/// Reads the document about a whole computer.
///
/// # Errors
/// A document of another form, or with ids that are none.
pub fn read_computer(document: &str) -> Result<Computer, WireError> {
    let mut fields = Fields::of_object(Marshalled::read(document)?, &[Class::Computer])?;
    let id = fields.require_text("_computer_id")?.parse()?;
    let releases =
        fields.take_items("_software_release_list").into_iter().map(release).collect::<Result<_, _>>()?;
    let partitions = fields
        .take_items("_computer_partition_list")
        .into_iter()
        .map(|item| partition(Fields::of_object(item, &[Class::Partition])?))
        .collect::<Result<_, _>>()?;
    Ok(Computer { id, releases, partitions })
}

/// Reads the document about one partition.
///
/// # Errors
/// As [`read_computer`].
pub fn read_partition(document: &str) -> Result<Partition, WireError> {
    partition(Fields::of_object(Marshalled::read(document)?, &[Class::Partition])?)
}

/// Reads the answer to a request.
///
/// # Errors
/// As [`read_computer`].
pub fn read_instance(document: &str) -> Result<Instance, WireError> {
    let mut fields = Fields::of_object(Marshalled::read(document)?, &[Class::Instance, Class::Partition])?;
    let mut parameters = fields.take_fields("_parameter_dict");
    let connection_xml = fields.take_text("connection_xml");
    let connection = match (fields.take("_connection_dict"), connection_xml) {
        (None | Some(Marshalled::None), Some(xml)) => instance_xml::read(&xml)?,
        (value, _) => texts(value.unwrap_or(Marshalled::None)),
    };
    Ok(Instance {
        place: place(&mut fields)?,
        guid: optional(fields.take_text("_instance_guid"))?,
        requested_state: optional(fields.take_text("_requested_state"))?,
        release: optional(fields.take_text("slap_software_release_url"))?,
        software_type: optional(fields.take_text("slap_software_type"))?,
        // Stand-alone masters mix it into the parameters, production ones set it beside them.
        timestamp: fields.take_text("timestamp").or_else(|| parameters.take_text("timestamp")),
        parameters: parameters.into_parameters(),
        connection,
        addresses: fields.take_items("ip_list").into_iter().filter_map(address).collect(),
    })
}

/// Writes the document about a whole computer.
///
/// # Errors
/// A text with a character that XML cannot carry.
pub fn write_computer(computer: &Computer) -> Result<String, WireError> {
    let id = || Marshalled::text(computer.id.as_str());
    let releases =
        computer.releases.iter().map(|r| release_object(&computer.id, &r.url, Some(r.state))).collect();
    let partitions = computer.partitions.iter().map(partition_object).collect();
    Marshalled::Object {
        class: Class::Computer,
        arguments: vec![id()],
        attributes: named([
            ("_computer_id", id()),
            ("_software_release_list", Marshalled::List(releases)),
            ("_computer_partition_list", Marshalled::List(partitions)),
        ]),
    }
    .write()
}

/// Writes the document about one partition.
///
/// # Errors
/// As [`write_computer`].
pub fn write_partition(partition: &Partition) -> Result<String, WireError> {
    partition_object(partition).write()
}

/// Writes the answer to a request. An instance without an id is a shared one, which says less.
///
/// # Errors
/// As [`write_computer`].
pub fn write_instance(instance: &Instance) -> Result<String, WireError> {
    let (computer, partition) = match &instance.place {
        Some((computer, partition)) => (computer.as_str(), partition.as_str()),
        None => ("", ""),
    };
    let mut parameters = parameter_entries(&instance.parameters);
    if let Some(timestamp) = &instance.timestamp {
        set(&mut parameters, "timestamp", Marshalled::text(timestamp));
    }
    let mut attributes = named([
        ("slap_computer_id", Marshalled::text(computer)),
        ("slap_computer_partition_id", Marshalled::text(partition)),
        ("slap_server_url", Marshalled::text("slap_server_url")),
        ("slap_software_release_url", optional_text(instance.release.as_ref())),
        ("slap_software_type", optional_text(instance.software_type.as_ref())),
        ("_connection_dict", text_map(&instance.connection)),
        ("_parameter_dict", Marshalled::map(parameters)),
        ("ip_list", Marshalled::List(instance.addresses.iter().map(address_tuple).collect())),
    ]);
    if let Some(guid) = &instance.guid {
        let state = instance.requested_state.unwrap_or(RequestedState::Started);
        let connection_xml = if instance.connection.is_empty() {
            Marshalled::None
        } else {
            Marshalled::Text(instance_xml::write(&instance.connection)?)
        };
        attributes.extend(named([
            ("_instance_guid", Marshalled::text(guid.as_str())),
            ("_requested_state", Marshalled::text(state.as_str())),
            ("connection_xml", connection_xml),
        ]));
    }
    Marshalled::Object { class: Class::Instance, arguments: vec![], attributes }.write()
}

/// The names that a master adds to the parameters of an instance. They win over parameters of the same name.
const TIMESTAMP: &str = "timestamp";

fn partition(mut fields: Fields) -> Result<Partition, WireError> {
    let computer: ComputerId = fields.require_text("_computer_id")?.parse()?;
    let id: PartitionId = fields.require_text("_partition_id")?.parse()?;
    let mut partition = Partition::free(computer, id);
    partition.requested_state = fields.require_text("_requested_state")?.parse()?;
    partition.guid = optional(fields.take_text("_instance_guid"))?;
    partition.access_status = fields.take_text("_access_status");
    partition.connection = fields.take("_connection_dict").map(texts).unwrap_or_default();
    partition.filter = fields.take("_filter_dict").map(texts).unwrap_or_default();
    partition.release = match fields.take("_software_release_document") {
        None | Some(Marshalled::None) => None,
        // A forwarded answer carries the address alone.
        Some(Marshalled::Text(url)) => Some(url.parse()?),
        Some(object) => Some(release(object)?.url),
    };
    let mut parameters = fields.take_fields("_parameter_dict");
    partition.addresses = parameters.take_items("ip_list").into_iter().filter_map(address).collect();
    partition.full_addresses = ["full_ip_list", "full_address_list"]
        .into_iter()
        .flat_map(|name| parameters.take_items(name))
        .filter_map(route)
        .collect();
    partition.shared_instances =
        parameters.take_items("slave_instance_list").into_iter().map(shared::read).collect();
    partition.timestamp = parameters.take_text(TIMESTAMP);
    partition.software_type = optional(parameters.take_text("slap_software_type"))?;
    partition.title = parameters.take_text("instance_title");
    partition.root_title = parameters.take_text("root_instance_title");
    partition.root_short_title = parameters.take_text("root_instance_short_title");
    for known_already in ["slap_software_release_url", "slap_computer_id", "slap_computer_partition_id"] {
        parameters.take(known_already);
    }
    partition.parameters = parameters.into_parameters();
    Ok(partition)
}

fn partition_object(partition: &Partition) -> Marshalled {
    let computer = || Marshalled::text(partition.computer.as_str());
    let id = || Marshalled::text(partition.id.as_str());
    let release = match &partition.release {
        Some(url) => release_object(&partition.computer, url, None),
        None => Marshalled::None,
    };
    let mut attributes = named([
        ("_computer_id", computer()),
        ("_partition_id", id()),
        ("_request_dict", Marshalled::None),
        ("_need_modification", Marshalled::Int(i64::from(partition.is_busy()))),
        ("_requested_state", Marshalled::text(partition.requested_state.as_str())),
        ("_software_release_document", release),
    ]);
    if let Some(guid) = &partition.guid {
        attributes.extend(named([("_instance_guid", Marshalled::text(guid.as_str()))]));
    }
    if let Some(url) = &partition.release {
        attributes.extend(named([
            ("_parameter_dict", Marshalled::map(full_parameters(partition, url))),
            ("_connection_dict", text_map(&partition.connection)),
            ("_filter_dict", text_map(&partition.filter)),
        ]));
        if let Some(status) = &partition.access_status {
            attributes.extend(named([("_access_status", Marshalled::text(status))]));
        }
    }
    Marshalled::Object {
        class: Class::Partition,
        arguments: vec![computer(), id(), Marshalled::None],
        attributes,
    }
}

/// The parameters with all that the master adds to them.
fn full_parameters(partition: &Partition, release: &SoftwareUrl) -> Vec<(String, Marshalled)> {
    let routes = || Marshalled::List(partition.full_addresses.iter().map(route_tuple).collect());
    let title = || partition.title.as_deref().unwrap_or_default();
    let reserved = [
        ("ip_list", Marshalled::List(partition.addresses.iter().map(address_tuple).collect())),
        // Compatibility: the stand-alone and the production master call them differently, and recipes take both away.
        ("full_ip_list", routes()),
        ("full_address_list", routes()),
        ("slap_software_type", optional_text(partition.software_type.as_ref())),
        ("slap_software_release_url", Marshalled::text(release.as_str())),
        ("slap_computer_id", Marshalled::text(partition.computer.as_str())),
        ("slap_computer_partition_id", Marshalled::text(partition.id.as_str())),
        ("instance_title", Marshalled::text(title())),
        ("root_instance_title", Marshalled::text(partition.root_title.as_deref().unwrap_or_else(title))),
        (
            "slave_instance_list",
            Marshalled::List(partition.shared_instances.iter().map(shared::write).collect()),
        ),
    ];
    let mut entries = parameter_entries(&partition.parameters);
    for (name, value) in reserved {
        set(&mut entries, name, value);
    }
    if let Some(short_title) = &partition.root_short_title {
        set(&mut entries, "root_instance_short_title", Marshalled::text(short_title));
    }
    if let Some(timestamp) = &partition.timestamp {
        set(&mut entries, TIMESTAMP, Marshalled::text(timestamp));
    }
    entries
}

fn release(item: Marshalled) -> Result<Release, WireError> {
    let mut fields = Fields::of_object(item, &[Class::Release])?;
    let state = optional(fields.take_text("_requested_state"))?.unwrap_or(SoftwareState::Available);
    Ok(Release { url: fields.require_text("_software_release")?.parse()?, state })
}

fn release_object(computer: &ComputerId, url: &SoftwareUrl, state: Option<SoftwareState>) -> Marshalled {
    let mut attributes = named([
        ("_software_release", Marshalled::text(url.as_str())),
        ("_computer_guid", Marshalled::text(computer.as_str())),
        ("_software_instance_list", Marshalled::List(vec![])),
    ]);
    if let Some(state) = state {
        attributes.extend(named([("_requested_state", Marshalled::text(state.as_str()))]));
    }
    let arguments = vec![Marshalled::text(url.as_str()), Marshalled::text(computer.as_str())];
    Marshalled::Object { class: Class::Release, arguments, attributes }
}

/// Where an answer says that the instance is. A frontend that the master made up is on no computer.
fn place(fields: &mut Fields) -> Result<Option<(ComputerId, PartitionId)>, WireError> {
    let computer = fields.take_text("slap_computer_id").or_else(|| fields.take_text("_computer_id"));
    let partition =
        fields.take_text("slap_computer_partition_id").or_else(|| fields.take_text("_partition_id"));
    match (computer, partition) {
        (Some(computer), Some(partition)) if !computer.is_empty() => {
            Ok(Some((computer.parse()?, partition.parse()?)))
        }
        _ => Ok(None),
    }
}

/// Parses a text where there is one; an empty one counts as none.
fn optional<T: std::str::FromStr>(text: Option<String>) -> Result<Option<T>, T::Err> {
    text.filter(|text| !text.is_empty()).map(|text| text.parse()).transpose()
}

fn optional_text(text: Option<&impl AsRef<str>>) -> Marshalled {
    text.map_or(Marshalled::None, |text| Marshalled::text(text.as_ref()))
}

fn address(item: Marshalled) -> Option<Address> {
    let [interface, address] = <[String; 2]>::try_from(item_texts(item)).ok()?;
    Some((interface, address))
}

fn address_tuple((interface, address): &Address) -> Marshalled {
    Marshalled::Tuple(vec![Marshalled::text(interface), Marshalled::text(address)])
}

fn route(item: Marshalled) -> Option<Route> {
    let [interface, address, gateway, netmask, network] = <[String; 5]>::try_from(item_texts(item)).ok()?;
    Some((interface, address, gateway, netmask, network))
}

fn route_tuple((interface, address, gateway, netmask, network): &Route) -> Marshalled {
    Marshalled::Tuple([interface, address, gateway, netmask, network].map(Marshalled::text).to_vec())
}

fn item_texts(item: Marshalled) -> Vec<String> {
    match item {
        Marshalled::Tuple(items) | Marshalled::List(items) => {
            items.iter().map(Marshalled::python_str).collect()
        }
        _ => Vec::new(),
    }
}

fn texts(value: Marshalled) -> BTreeMap<String, String> {
    match value {
        Marshalled::Map(entries) => entries
            .into_iter()
            .map(|(key, value)| {
                (key.python_str(), if value == Marshalled::None { String::new() } else { value.python_str() })
            })
            .collect(),
        _ => BTreeMap::new(),
    }
}

/// A mapping of texts. An empty text travels as nothing, as it does from the reference.
fn text_map(texts: &BTreeMap<String, String>) -> Marshalled {
    Marshalled::map(
        texts.iter().map(|(name, text)| {
            (name, if text.is_empty() { Marshalled::None } else { Marshalled::text(text) })
        }),
    )
}

fn parameter_entries(parameters: &Parameters) -> Vec<(String, Marshalled)> {
    parameters.iter().map(|(name, value)| (name.clone(), Marshalled::from(value))).collect()
}

fn set(entries: &mut Vec<(String, Marshalled)>, name: &str, value: Marshalled) {
    match entries.iter_mut().find(|(present, _)| present == name) {
        Some((_, present)) => *present = value,
        None => entries.push((name.to_owned(), value)),
    }
}

fn named<const N: usize>(attributes: [(&str, Marshalled); N]) -> Vec<(String, Marshalled)> {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The named parts of an object or a mapping, taken out one by one.
pub(super) struct Fields {
    order: Vec<String>,
    values: HashMap<String, Marshalled>,
}

impl Fields {
    fn new(entries: impl IntoIterator<Item = (String, Marshalled)>) -> Self {
        let mut fields = Self { order: Vec::new(), values: HashMap::new() };
        for (name, value) in entries {
            if fields.values.insert(name.clone(), value).is_none() {
                fields.order.push(name);
            }
        }
        fields
    }

    pub(super) fn of_map(value: Marshalled) -> Self {
        match value {
            Marshalled::Map(entries) => {
                Self::new(entries.into_iter().map(|(key, value)| (key.python_str(), value)))
            }
            _ => Self::new([]),
        }
    }

    fn of_object(value: Marshalled, classes: &[Class]) -> Result<Self, WireError> {
        match value {
            Marshalled::Object { class, attributes, .. } if classes.contains(&class) => {
                Ok(Self::new(attributes))
            }
            _ => Err(WireError::unexpected("it is not the kind of object that was asked for")),
        }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Marshalled> {
        self.values.remove(name)
    }

    /// A text, or the text of a number.
    pub(super) fn take_text(&mut self, name: &str) -> Option<String> {
        match self.take(name) {
            None | Some(Marshalled::None) => None,
            Some(value) => Some(value.python_str()),
        }
    }

    fn require_text(&mut self, name: &str) -> Result<String, WireError> {
        self.take_text(name).ok_or_else(|| WireError::unexpected(format!("`{name}` is missing")))
    }

    pub(super) fn take_items(&mut self, name: &str) -> Vec<Marshalled> {
        match self.take(name) {
            Some(Marshalled::List(items) | Marshalled::Tuple(items) | Marshalled::Set(items)) => items,
            _ => Vec::new(),
        }
    }

    fn take_fields(&mut self, name: &str) -> Self {
        Self::of_map(self.take(name).unwrap_or(Marshalled::None))
    }

    pub(super) fn into_parameters(mut self) -> Parameters {
        self.order
            .into_iter()
            .filter_map(|name| self.values.remove(&name).map(|value| (name, value.into())))
            .collect()
    }
}
