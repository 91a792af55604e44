//! A request as the fields of a form.

use super::marshal::Marshalled;
use super::{WireError, instance_xml};
use crate::instance::InstanceRequest;
use crate::value::Value;

/// The fields that a request consists of.
pub const REQUEST_FIELDS: [&str; 9] = [
    "software_release",
    "software_type",
    "partition_reference",
    "partition_parameter_xml",
    "filter_xml",
    "state",
    "shared_xml",
    "computer_id",
    "computer_partition_id",
];

/// Writes the form of a request. What is missing travels as the word `None`.
///
/// # Errors
/// A parameter with a character that XML cannot carry.
pub fn write_request(request: &InstanceRequest) -> Result<Vec<(&'static str, String)>, WireError> {
    let none = || "None".to_owned();
    let (computer, partition) = match &request.requester {
        Some((computer, partition)) => (computer.to_string(), partition.to_string()),
        None => (none(), none()),
    };
    let software_type = request.software_type.clone().unwrap_or_default().to_string();
    let filter = Marshalled::map(request.filter.iter().map(|(name, text)| (name, Marshalled::text(text))));
    let state = request.state.map_or(Marshalled::None, |state| Marshalled::text(state.as_str()));
    let values = [
        request.software.to_string(),
        software_type,
        request.title.to_string(),
        Marshalled::from(&request.parameters).write()?,
        filter.write()?,
        state.write()?,
        Marshalled::Bool(request.shared).write()?,
        computer,
        partition,
    ];
    Ok(REQUEST_FIELDS.into_iter().zip(values).collect())
}

/// Reads the form of a request; `field` gives the text of a field that is present and not the word `None`. Parameters
/// and constraints become texts, as a stand-alone master keeps them; but those of a shared instance keep their types,
/// because its host sees them as they were given.
///
/// # Errors
/// A field that is missing or not what it should be.
pub fn read_request(field: impl Fn(&str) -> Option<String>) -> Result<InstanceRequest, WireError> {
    let require = |name: &str| {
        field(name).ok_or_else(|| WireError::unexpected(format!("the field `{name}` is missing")))
    };
    let marshalled = |name: &str| match field(name).filter(|text| !text.is_empty()) {
        Some(text) => Marshalled::read(&text),
        None => Ok(Marshalled::None),
    };
    let state = match marshalled("state")? {
        Marshalled::None => None,
        Marshalled::Text(text) if text.is_empty() => None,
        value => Some(value.python_str().parse()?),
    };
    let shared = match marshalled("shared_xml")? {
        Marshalled::None => false,
        Marshalled::Bool(shared) => shared,
        Marshalled::Int(number) => number != 0,
        _ => return Err(WireError::unexpected("the field `shared_xml` is not a truth value")),
    };
    let requester = match (field("computer_id"), field("computer_partition_id")) {
        (Some(computer), Some(partition)) if !computer.is_empty() && !partition.is_empty() => {
            Some((computer.parse()?, partition.parse()?))
        }
        _ => None,
    };
    let parameters = marshalled("partition_parameter_xml")?;
    let texts = instance_xml::stringify(&parameters)?;
    let parameters = match parameters.into() {
        Value::Map(typed) if shared => typed,
        _ => texts.into_iter().map(|(name, text)| (name, Value::Text(text))).collect(),
    };
    Ok(InstanceRequest {
        software: require("software_release")?.parse()?,
        software_type: field("software_type")
            .filter(|text| !text.is_empty())
            .map(|text| text.parse())
            .transpose()?,
        title: require("partition_reference")?.parse()?,
        shared,
        parameters,
        filter: instance_xml::stringify(&marshalled("filter_xml")?)?,
        state,
        requester,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::RequestedState;
    use crate::value::Parameters;

    fn read(form: &[(&str, String)]) -> Result<InstanceRequest, WireError> {
        read_request(|name| {
            let (_, text) = form.iter().find(|(field, _)| *field == name)?;
            (!text.eq_ignore_ascii_case("none")).then(|| text.clone())
        })
    }

    #[test]
    fn a_request_reads_back_as_it_was_written() {
        let mut request =
            InstanceRequest::new("/a/software.cfg".parse().unwrap(), "root & <1>".parse().unwrap());
        request.parameters = Parameters::from([("a".to_owned(), Value::from("1 & <2>"))]);
        request.filter = [("computer_guid".to_owned(), "COMP-1".to_owned())].into();
        request.software_type = Some("web".parse().unwrap());
        request.state = Some(RequestedState::Stopped);
        request.shared = true;
        request.requester = Some(("COMP-1".parse().unwrap(), "slappart0".parse().unwrap()));

        assert_eq!(read(&write_request(&request).unwrap()).unwrap(), request);
    }

    #[test]
    fn parameters_arrive_as_texts() {
        let mut request = InstanceRequest::new("/a".parse().unwrap(), "t".parse().unwrap());
        request.parameters.insert("n".to_owned(), Value::Int(3));
        request.parameters.insert("e".to_owned(), Value::from(""));

        let parameters = read(&write_request(&request).unwrap()).unwrap().parameters;

        assert_eq!(parameters["n"], Value::from("3"));
        assert_eq!(parameters["e"], Value::from(""));
    }

    #[test]
    fn parameters_of_a_shared_instance_keep_their_types() {
        let mut request = InstanceRequest::new("/a".parse().unwrap(), "t".parse().unwrap());
        request.shared = true;
        request.parameters.insert("n".to_owned(), Value::Int(3));

        assert_eq!(read(&write_request(&request).unwrap()).unwrap().parameters["n"], Value::Int(3));
    }

    #[test]
    fn a_form_without_release_or_with_nonsense_is_refused() {
        let complete =
            write_request(&InstanceRequest::new("/a".parse().unwrap(), "t".parse().unwrap())).unwrap();
        for (name, text) in [
            ("software_release", "None"),
            ("partition_reference", ""),
            ("state", "<marshal><string>running</string></marshal>"),
            ("shared_xml", "<marshal><string>yes</string></marshal>"),
            ("partition_parameter_xml", "<marshal><list/></marshal>"),
            ("filter_xml", "<nonsense"),
        ] {
            let form: Vec<_> = complete
                .iter()
                .map(|(n, t)| (*n, if *n == name { text.to_owned() } else { t.clone() }))
                .collect();
            assert!(read(&form).is_err(), "{name}");
        }
    }
}
