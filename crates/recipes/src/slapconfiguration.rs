//! `slapos.cookbook:slapconfiguration`: what the master says about the instance.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `url`, or `server-url` | address of the master | required |
//! | `computer`, or `computer-id` | the computer | required |
//! | `partition`, or `partition-id` | the partition | required |
//! | `key`, or `key-file` | private key of the partition | none |
//! | `cert`, or `cert-file` | certificate of the partition | none |
//! | `storage-home` | directory with one directory per disk for data of partitions | none |
//!
//! The values of these options are those of `[slap-connection]`, which the node adds to every instance profile. The
//! master is asked when the section is initialised. Offers:
//!
//! | option | meaning |
//! |---|---|
//! | `configuration.<name>` | one parameter of the request; names with `=` or `:` are left out |
//! | `configuration` | all parameters, as a dictionary |
//! | `slap-software-type`, `slap-software-release-url` | what was requested |
//! | `slap-computer-id`, `slap-computer-partition-id` | where the instance is |
//! | `instance-title`, `root-instance-title`, `root-instance-short-title`, `instance-guid`, `instance-state` | what the instance is called and shall do |
//! | `slave-instance-list` | the shared instances it hosts, as a list of dictionaries |
//! | `timestamp` | changes when the request changes |
//! | `ipv4`, `ipv6` | the addresses, as sets; `ipv4-random` and `ipv6-random`: one of each |
//! | `storage-dict` | links to the data directories, by disk |
//! | names of the partition's resources | what `slapos node format` gave the partition, joined by `-` |
//!
//! `slapos.cookbook:slapconfiguration.serialised` takes the parameters from one JSON document, as
//! `slapos request --parameters-file` sends them. A part of this recipe has no files; every build asks the master anew.

use std::net::IpAddr;

use buildout::{OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section, Value};
use camino::Utf8PathBuf;
use fs_err as fs;
use slap::Partition;

use crate::master_connection::{ConnectionOptions, dictionary, failed, from_parameter, unpacked};
use crate::options::filled;
use crate::output_file::{create_directory, refused};

/// The recipe.
#[derive(Debug)]
pub(crate) struct SlapConfiguration {
    is_serialised: bool,
}

impl SlapConfiguration {
    /// Parameters one by one.
    pub(crate) const PLAIN: Self = Self { is_serialised: false };
    /// Parameters in one JSON document.
    pub(crate) const SERIALISED: Self = Self { is_serialised: true };
}

/// A part without files.
struct Asked;

impl RecipeKind for SlapConfiguration {
    fn names(&self) -> &'static [&'static str] {
        if self.is_serialised {
            &["slapos.cookbook:slapconfiguration.serialised"]
        } else {
            &["slapos.cookbook:slapconfiguration"]
        }
    }

    fn summary(&self) -> &'static str {
        "asks the master what the instance shall be"
    }

    fn options(&self) -> &'static [OptionDoc] {
        const {
            &[
                OptionDoc::optional("url", "address of the master"),
                OptionDoc::optional("server-url", "the same as `url`"),
                OptionDoc::optional("computer", "the computer"),
                OptionDoc::optional("computer-id", "the same as `computer`"),
                OptionDoc::optional("partition", "the partition"),
                OptionDoc::optional("partition-id", "the same as `partition`"),
                OptionDoc::optional("key", "private key of the partition"),
                OptionDoc::optional("key-file", "the same as `key`"),
                OptionDoc::optional("cert", "certificate of the partition"),
                OptionDoc::optional("cert-file", "the same as `cert`"),
                OptionDoc::optional(
                    "storage-home",
                    "directory with one directory per disk for data of partitions",
                ),
            ]
        }
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let options = ConnectionOptions {
            url: either(section, "server-url", "url")?,
            computer: either(section, "computer-id", "computer")?,
            partition: either(section, "partition-id", "partition")?,
            key_file: either_or_none(section, "key-file", "key")?,
            cert_file: either_or_none(section, "cert-file", "cert")?,
        };
        let connection = options.connect()?;
        let partition = connection
            .client
            .register_partition(&connection.computer, &connection.partition)
            .map_err(|error| failed("ask the master about the instance", error))?;
        set_identity(section, &partition)?;
        set_addresses(section, &partition)?;
        set_storage(section, &connection.partition)?;
        set_resources(section)?;
        self.set_parameters(section, &partition)?;
        Ok(Box::new(Asked))
    }
}

fn either_or_none(section: &mut Section<'_>, name: &str, older: &str) -> Result<Option<String>, RecipeError> {
    match filled(section, name)? {
        Some(value) => Ok(Some(value)),
        None => filled(section, older),
    }
}

fn either(section: &mut Section<'_>, name: &str, older: &str) -> Result<String, RecipeError> {
    either_or_none(section, name, older)?.ok_or_else(|| {
        RecipeError::new(format!("the option `{older}` is missing"))
            .hint(format!("add `{older} = ${{slap-connection:{name}}}`"))
            .code("E-profile-missing-option")
    })
}

fn set_identity(section: &mut Section<'_>, partition: &Partition) -> Result<(), RecipeError> {
    section.set("instance-state", partition.requested_state.to_string());
    section.set("slap-computer-id", partition.computer.to_string());
    section.set("slap-computer-partition-id", partition.id.to_string());
    let optional = [
        ("slap-software-type", partition.software_type.as_ref().map(ToString::to_string)),
        ("slap-software-release-url", partition.release.as_ref().map(ToString::to_string)),
        ("timestamp", partition.timestamp.clone()),
        ("instance-guid", partition.guid.as_ref().map(ToString::to_string)),
    ];
    for (option, value) in optional {
        if let Some(value) = value {
            section.set(option, value);
        }
    }
    let titles = [
        ("instance-title", &partition.title, "UNKNOWN Instance"),
        ("root-instance-title", &partition.root_title, "UNKNOWN"),
        ("root-instance-short-title", &partition.root_short_title, "UNKNOWN"),
    ];
    for (option, title, unknown) in titles {
        section.set(option, title.as_deref().unwrap_or(unknown));
    }
    let shared = partition.shared_instances.iter().map(|shared| {
        let mut entries = vec![
            (Value::from("slave_title"), Value::from(shared.title.as_str())),
            (Value::from("slave_reference"), Value::from(shared.reference.as_str())),
        ];
        if let Some(kind) = &shared.software_type {
            entries.push((Value::from("slap_software_type"), Value::Str(kind.to_string())));
        }
        if let Some(timestamp) = &shared.timestamp {
            entries.push((Value::from("timestamp"), Value::from(timestamp.as_str())));
        }
        let own: Vec<Value> = entries.iter().map(|(name, _)| name.clone()).collect();
        let parameters =
            shared.parameters.iter().map(|(name, value)| (Value::from(name.as_str()), from_parameter(value)));
        entries.extend(parameters.filter(|(name, _)| !own.contains(name)));
        Value::Dict(entries)
    });
    section.set_value("slave-instance-list", &Value::List(shared.collect()))
}

fn set_addresses(section: &mut Section<'_>, partition: &Partition) -> Result<(), RecipeError> {
    for (option, is_wanted) in [("ipv4", IpAddr::is_ipv4 as fn(&IpAddr) -> bool), ("ipv6", IpAddr::is_ipv6)] {
        let is_of_kind = |address: &str| address.parse::<IpAddr>().is_ok_and(|address| is_wanted(&address));
        let mut addresses: Vec<&str> = partition
            .addresses
            .iter()
            .map(|(_, address)| address.as_str())
            .filter(|address| is_of_kind(address))
            .collect();
        addresses.sort_unstable();
        addresses.dedup();
        if let Some(first) = addresses.first() {
            section.set(&format!("{option}-random"), *first);
        }
        section.set_value(option, &Value::Set(addresses.into_iter().map(Value::from).collect()))?;
    }
    Ok(())
}

/// Links the partition's directory on every disk into `DATA`.
fn set_storage(section: &mut Section<'_>, partition: &slap::PartitionId) -> Result<(), RecipeError> {
    let mut links = Vec::new();
    if let Some(home) = filled(section, "storage-home")?.map(Utf8PathBuf::from).filter(|home| home.is_dir()) {
        let mut disks: Vec<_> = home
            .read_dir_utf8()
            .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
            .map_err(|error| refused(&home, error))?;
        disks.sort_by(|left, right| left.file_name().cmp(right.file_name()));
        for disk in disks {
            let storage = disk.path().join(partition.as_str());
            if !storage.is_dir() {
                continue;
            }
            let link = section.directory().join("DATA").join(disk.file_name());
            if !section.only_looks() && fs::symlink_metadata(&link).is_err() {
                create_directory(&section.directory().join("DATA"), 0o777)?;
                fs::os::unix::fs::symlink(&storage, &link).map_err(|error| refused(&link, error))?;
            }
            links.push((Value::from(disk.file_name()), Value::from(link.as_str())));
        }
    }
    section.set_value("storage-dict", &Value::Dict(links))
}

const RESOURCES: &str = ".slapos-resource";

/// Adds what the node gave the partition, found in the nearest directory above that has it. What the master says and
/// what the profile writes comes first.
fn set_resources(section: &mut Section<'_>) -> Result<(), RecipeError> {
    let above = section
        .directory()
        .ancestors()
        .map(|directory| directory.join(RESOURCES))
        .find(|path| path.is_file());
    let Some(path) = above else { return Ok(()) };
    let text = fs::read_to_string(&path).map_err(|error| refused(&path, error))?;
    let document: serde_json::Value = serde_json::from_str(&text).map_err(|error| {
        RecipeError::new(format!("{path} is no JSON document"))
            .because(error)
            .hint("run `slapos node format`, which writes it anew")
    })?;
    let mut found = Vec::new();
    flatten(&document, "", &mut found);
    let present = section.option_names();
    for (name, value) in found.into_iter().filter(|(name, _)| !present.contains(name)) {
        section.set_value(&name, &from_parameter(&value.into()))?;
    }
    Ok(())
}

fn flatten(document: &serde_json::Value, prefix: &str, found: &mut Vec<(String, serde_json::Value)>) {
    let serde_json::Value::Object(entries) = document else { return };
    for (name, value) in entries {
        let name = format!("{prefix}{}", name.replace('_', "-"));
        if value.is_object() {
            flatten(value, &format!("{name}-"), found);
        } else {
            found.push((name, value.clone()));
        }
    }
}

impl SlapConfiguration {
    fn set_parameters(&self, section: &mut Section<'_>, partition: &Partition) -> Result<(), RecipeError> {
        if !self.is_serialised {
            section.set_value("configuration", &dictionary(&partition.parameters))?;
            return set_each(section, &partition.parameters);
        }
        let value = unpacked(&partition.parameters)?;
        section.set_value("configuration", &from_parameter(&value))?;
        match value {
            slap::Value::Map(parameters) => set_each(section, &parameters),
            _ => Ok(()),
        }
    }
}

fn set_each(section: &mut Section<'_>, parameters: &slap::Parameters) -> Result<(), RecipeError> {
    // Such a name could not be told from its value in a profile.
    for (name, value) in parameters.iter().filter(|(name, _)| is_option_name(name)) {
        section.set_value(&format!("configuration.{name}"), &from_parameter(value))?;
    }
    Ok(())
}

/// Whether a parameter can be an option of a section.
pub(crate) fn is_option_name(name: &str) -> bool {
    !name.contains(['=', ':', '\n'])
}

impl Recipe for Asked {
    fn install(&mut self, _: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_flattened_with_dashes() {
        let document = serde_json::json!({"tun": {"ipv4_addr": "10.0.0.1", "n": 1}, "ipv6_range": "x"});
        let mut found = Vec::new();

        flatten(&document, "", &mut found);

        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["tun-ipv4-addr", "tun-n", "ipv6-range"]);
    }
}
