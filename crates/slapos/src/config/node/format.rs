//! `[slapformat]`: the partitions of a node, and their definition file.

use node::configuration::{Configuration, Format};
use node::format::Definition;

use super::FormatFlags;
use crate::config::ini::Ini;
use crate::config::{Options, read, syntax};
use crate::context::Context;
use crate::failure::{Failure, Kind};

pub(super) fn format(
    context: &Context<'_>,
    ini: &Ini,
    configuration: &Configuration,
    flags: &FormatFlags,
) -> Result<Format, Failure> {
    let mut options = Options::new(ini, context.environment, &["slapos", "slapformat"]);
    options.set("computer_xml", flags.computer_xml.as_ref());
    options.set("computer_json", flags.computer_json.as_ref());
    options.set("input_definition_file", flags.input_definition_file.as_ref());
    options.set("output_definition_file", flags.output_definition_file.as_ref());
    options.set("alter_user", flags.alter_user.as_ref());
    options.set("alter_network", flags.alter_network.as_ref());
    for name in ["bridge_name", "no_bridge"] {
        if options.raw(name)?.is_some() {
            return Err(Failure::new(
                Kind::Failed,
                format!("option `{name}` of [slapformat] has no meaning any more"),
            )
            .hint("name the interface itself: interface_name")
            .code("E-configuration-obsolete"));
        }
    }
    let defaults = Format::default();
    let or = |name, default: String| options.text(name).map(|value| value.unwrap_or(default));
    Ok(Format {
        partition_amount: options.number("partition_amount")?.unwrap_or(defaults.partition_amount),
        computer_xml: options
            .path("computer_xml")?
            .unwrap_or_else(|| configuration.instance_root.join("etc/slapos.xml")),
        computer_json: options.path("computer_json")?,
        input_definition: options.path("input_definition_file")?,
        output_definition: options.path("output_definition_file")?,
        interface_name: options.text("interface_name")?,
        ipv6_interface: options.text("ipv6_interface")?,
        ipv4_local_network: options.text("ipv4_local_network")?,
        partition_base_name: or("partition_base_name", defaults.partition_base_name)?,
        user_base_name: or("user_base_name", defaults.user_base_name)?,
        tap_base_name: or("tap_base_name", defaults.tap_base_name)?,
        software_user: or("software_user", defaults.software_user)?,
        alter_user: options.flag("alter_user", defaults.alter_user)?,
        alter_network: options.flag("alter_network", defaults.alter_network)?,
        create_tap: options.flag("create_tap", defaults.create_tap)?,
        tap_ipv6: options.flag("tap_ipv6", defaults.tap_ipv6)?,
        tap_gateway_interface: or("tap_gateway_interface", defaults.tap_gateway_interface)?,
        create_tun: options.flag("create_tun", defaults.create_tun)?,
        tun_ipv6: options.flag("tun_ipv6", defaults.tun_ipv6)?,
        partition_has_ipv6_range: options
            .flag("partition_has_ipv6_range", defaults.partition_has_ipv6_range)?,
        ipv6_prefix_shift: options.number("ipv6_prefixshift")?.unwrap_or(defaults.ipv6_prefix_shift),
    })
}

/// The definition file of the partitions, when the configuration names one.
pub(crate) fn definition(configuration: &Configuration) -> Result<Option<Definition>, Failure> {
    let Some(path) = &configuration.format.input_definition else { return Ok(None) };
    let ini = read(path)?;
    let mut sections = Vec::new();
    for name in ini.section_names() {
        let mut values = Vec::new();
        for option in ini.option_names(name) {
            let value = ini.get(name, option).map_err(|error| syntax(&error))?.unwrap_or_default();
            values.push((option.to_owned(), value));
        }
        sections.push((name.to_owned(), values));
    }
    Definition::from_sections(&sections).map(Some).map_err(|error| {
        Failure::of(Kind::Failed, &error).hint(format!("correct {path}")).code("E-format-definition")
    })
}
