//! Requests that another master shall fulfil: the decision, and what the other master is asked.

use slap::InstanceRequest;
use thiserror::Error;

use crate::configuration::Forwarding;

/// The constraint that names another master.
pub(crate) const MASTER_URL: &str = "master_url";

/// The constraint that tells the other master whose request it is.
const SOURCE: &str = "source_instance_id";

/// Why a request cannot be forwarded as it asks.
#[derive(Debug, PartialEq, Eq, Error)]
pub(crate) enum ForwardError {
    #[error("External SlapOS Master URL {0} is not listed in multimaster list.")]
    Unlisted(String),
    #[error("External master {0} configuration did not specify key or certificate.")]
    WithoutCertificate(String),
}

/// The master that a request names, when it names one.
pub(crate) fn named_master(request: &InstanceRequest) -> Option<&str> {
    request.filter.get(MASTER_URL).map(String::as_str).filter(|url| !url.is_empty())
}

/// The master that shall fulfil a request; `None` for this one. `is_named_self` tells whether the master that the
/// request names is this one.
pub(crate) fn target<'a>(
    masters: &'a [Forwarding],
    request: &InstanceRequest,
    is_named_self: bool,
) -> Result<Option<&'a Forwarding>, ForwardError> {
    let found = match named_master(request).filter(|_| !is_named_self) {
        Some(url) => {
            let listed = masters.iter().find(|master| master.url == url);
            Some(listed.ok_or_else(|| ForwardError::Unlisted(url.to_owned()))?)
        }
        None => masters.iter().find(|master| master.releases.contains(&request.software)),
    };
    match found {
        Some(master) if master.url.starts_with("https") && !master.has_certificate() => {
            Err(ForwardError::WithoutCertificate(master.url.clone()))
        }
        found => Ok(found),
    }
}

/// The title under which the other master knows the instance: after the partition that asks, or after `user`.
pub(crate) fn title(request: &InstanceRequest) -> String {
    let requester = request.requester.as_ref().map_or("user", |(_, partition)| partition.as_str());
    format!("{requester}_{}", request.title)
}

/// What the other master is asked.
pub(crate) fn forwarded(
    request: &InstanceRequest,
    master: &Forwarding,
) -> Result<InstanceRequest, slap::InvalidId> {
    let title = title(request);
    let mut forwarded = InstanceRequest { title: title.parse()?, ..request.clone() };
    forwarded.requester.clone_from(&master.requester);
    if forwarded.requester.is_none() {
        forwarded.filter.insert(SOURCE.to_owned(), title);
    }
    Ok(forwarded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masters() -> Vec<Forwarding> {
        let mut plain = Forwarding::new("http://other:5000/".to_owned());
        plain.releases = vec!["/elsewhere.cfg".parse().unwrap()];
        vec![plain, Forwarding::new("https://secure/".to_owned())]
    }

    fn request(release: &str, named: Option<&str>) -> InstanceRequest {
        let mut request = InstanceRequest::new(release.parse().unwrap(), "db".parse().unwrap());
        request.filter.extend(named.map(|url| (MASTER_URL.to_owned(), url.to_owned())));
        request
    }

    fn chosen(release: &str, named: Option<&str>, is_self: bool) -> Result<Option<String>, ForwardError> {
        Ok(target(&masters(), &request(release, named), is_self)?.map(|master| master.url.clone()))
    }

    #[test]
    fn a_named_master_wins_then_the_release_decides() {
        let other = Some("http://other:5000/".to_owned());

        assert_eq!(chosen("/here.cfg", None, false), Ok(None));
        assert_eq!(chosen("/elsewhere.cfg", None, false), Ok(other.clone()));
        assert_eq!(chosen("/here.cfg", Some("http://other:5000/"), false), Ok(other.clone()));
        assert_eq!(chosen("/here.cfg", Some("http://me/"), true), Ok(None));
        assert_eq!(chosen("/elsewhere.cfg", Some("http://me/"), true), Ok(other));
        let unlisted = "http://other:5000".to_owned();
        assert_eq!(chosen("/here.cfg", Some(&unlisted), false), Err(ForwardError::Unlisted(unlisted)));
        let secure = "https://secure/".to_owned();
        assert_eq!(chosen("/here.cfg", Some(&secure), false), Err(ForwardError::WithoutCertificate(secure)));
    }

    #[test]
    fn the_other_master_learns_whose_request_it_is() {
        let mut asked = request("/elsewhere.cfg", None);
        asked.requester = Some(("local".parse().unwrap(), "slappart3".parse().unwrap()));

        let forwarded = forwarded(&asked, &masters()[0]).unwrap();

        assert_eq!(forwarded.title.as_str(), "slappart3_db");
        assert_eq!(forwarded.filter[SOURCE], "slappart3_db");
        assert_eq!(forwarded.requester, None);
    }
}
