//! Frontends that a stand-alone master makes up: what would ask a content delivery network for an address gets the
//! address that it wants to be delivered, so that releases work without such a network.

use std::collections::BTreeMap;

use slap::{Instance, InstanceRequest, Parameters, SoftwareUrl, Value};

/// The releases whose shared instances are answered here.
#[derive(Debug, Clone)]
pub struct BypassedReleases {
    /// Frontends of web addresses: the parameter `url` is the answer.
    pub web: Vec<SoftwareUrl>,
    /// Frontends of virtual machines: the parameters `host` and `port` are the answer.
    pub virtual_machines: Vec<SoftwareUrl>,
}

impl Default for BypassedReleases {
    fn default() -> Self {
        let release = |text: &str| vec![text.parse().expect("a constant that is an address")];
        Self {
            web: release(
                "http://git.erp5.org/gitweb/slapos.git/blob_plain/HEAD:/software/apache-frontend/software.cfg",
            ),
            virtual_machines: release(
                "http://git.erp5.org/gitweb/slapos.git/blob_plain/refs/tags/slapos-0.92:/software/kvm/software.cfg",
            ),
        }
    }
}

/// The answer to a request of a bypassed frontend; `None` when it is none.
pub(crate) fn bypass(releases: &BypassedReleases, request: &InstanceRequest) -> Option<Instance> {
    if !request.shared {
        return None;
    }
    let software_type = request.software_type.as_ref().map_or("", |software_type| software_type.as_str());
    let connection = if releases.web.contains(&request.software) {
        let is_default = matches!(software_type, "" | "default" | "RootSoftwareInstance");
        web(text(request, "url").filter(|_| is_default)?)
    } else if releases.virtual_machines.contains(&request.software) && software_type == "frontend" {
        virtual_machine(text(request, "host")?, text(request, "port")?)
    } else {
        return None;
    };
    Some(Instance {
        place: None,
        guid: None,
        requested_state: None,
        release: Some(request.software.clone()),
        software_type: request.software_type.clone(),
        parameters: Parameters::new(),
        connection,
        addresses: Vec::new(),
        timestamp: None,
    })
}

fn text<'a>(request: &'a InstanceRequest, name: &str) -> Option<&'a str> {
    request.parameters.get(name).and_then(Value::as_text).filter(|text| !text.is_empty())
}

fn web(wanted: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("secure_access".to_owned(), wanted.to_owned()),
        ("domain".to_owned(), authority(wanted).to_owned()),
    ])
}

/// The part between `//` and the next slash, as it is written.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

fn virtual_machine(host: &str, port: &str) -> BTreeMap<String, String> {
    let host =
        if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
    BTreeMap::from([
        ("url".to_owned(), format!("https://{host}:{port}/")),
        ("domainname".to_owned(), host),
        ("port".to_owned(), port.to_owned()),
        ("path".to_owned(), "/".to_owned()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(release: &SoftwareUrl, software_type: &str, parameters: &[(&str, &str)]) -> InstanceRequest {
        let mut request = InstanceRequest::new(release.clone(), "front".parse().unwrap());
        request.shared = true;
        request.software_type = software_type.parse().ok();
        request.parameters =
            parameters.iter().map(|(name, text)| ((*name).to_owned(), Value::from(*text))).collect();
        request
    }

    fn answer(request: &InstanceRequest) -> Option<Vec<String>> {
        let connection = bypass(&BypassedReleases::default(), request)?.connection;
        Some(connection.into_iter().map(|(name, text)| format!("{name}={text}")).collect())
    }

    #[test]
    fn a_web_frontend_answers_with_the_address_itself() {
        let releases = BypassedReleases::default();
        let request = ask(&releases.web[0], "default", &[("url", "https://[::1]:123/my/path?q=1#a")]);

        assert_eq!(
            answer(&request).unwrap(),
            ["domain=[::1]:123", "secure_access=https://[::1]:123/my/path?q=1#a"]
        );
    }

    #[test]
    fn a_frontend_of_a_virtual_machine_answers_with_host_and_port() {
        let releases = BypassedReleases::default();
        let request = ask(&releases.virtual_machines[0], "frontend", &[("host", "::1"), ("port", "6080")]);

        assert_eq!(
            answer(&request).unwrap(),
            ["domainname=[::1]", "path=/", "port=6080", "url=https://[::1]:6080/"]
        );
    }

    #[test]
    fn everything_else_is_requested_as_usual() {
        let releases = BypassedReleases::default();
        let mut own = ask(&releases.web[0], "default", &[("url", "http://a/")]);
        own.shared = false;

        assert_eq!(answer(&own), None);
        assert_eq!(answer(&ask(&releases.web[0], "custom", &[("url", "http://a/")])), None);
        assert_eq!(answer(&ask(&releases.web[0], "default", &[])), None);
        assert_eq!(answer(&ask(&"/x".parse().unwrap(), "default", &[("url", "http://a/")])), None);
    }
}
