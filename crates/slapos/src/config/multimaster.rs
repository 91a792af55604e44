//! `[multimaster/URL]`: the masters that fulfil requests in place of this one.

use master::Forwarding;
use slap::{InvalidId, SoftwareUrl};

use crate::config::Options;
use crate::config::ini::Ini;
use crate::context::Context;
use crate::failure::Failure;

const PREFIX: &str = "multimaster/";

/// Reads all sections of this kind, in the file's order.
pub(crate) fn load(context: &Context<'_>, ini: &Ini) -> Result<Vec<Forwarding>, Failure> {
    let sections = ini.section_names().filter(|name| name.starts_with(PREFIX));
    sections.map(|section| forwarding(context, ini, section)).collect()
}

fn forwarding(context: &Context<'_>, ini: &Ini, section: &str) -> Result<Forwarding, Failure> {
    let sections = [section];
    let options = Options::new(ini, context.environment, &sections);
    let mut forwarding = Forwarding::new(section.trim_start_matches(PREFIX).to_owned());
    forwarding.key_file = options.path("key")?;
    forwarding.cert_file = options.path("cert")?;
    for line in options.lines("software_release_list")? {
        let refused = |error: InvalidId| options.refused("software_release_list", &line, &error.to_string());
        forwarding.releases.push(line.parse::<SoftwareUrl>().map_err(refused)?);
    }
    let computer = options.parsed("computer", |text| text.parse())?;
    let partition = options.parsed("partition", |text| text.parse())?;
    forwarding.requester = computer.zip(partition);
    Ok(forwarding)
}
