//! The configuration files of a cloud: what is chosen once (the port) and what follows from it.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener};

use camino::Utf8Path;
use host::files;

use crate::cloud::Cloud;
use crate::config::ini::Ini;
use crate::failure::{Failure, Kind};

/// Reference of the one computer of a cloud.
pub(crate) const COMPUTER: &str = "local_computer";

/// Partitions of the one computer.
const PARTITIONS: usize = 10;

/// How many ports are tried for the master.
const PORTS: u16 = 100;

/// The port that the configuration names; `None` when there is none yet, or it cannot be read.
pub(crate) fn remembered_port(cloud: &Cloud) -> Option<u16> {
    let path = cloud.configuration();
    let text = files::read_text_if_present(&path).ok()??;
    Ini::parse(&path, &text).ok()?.get("slapproxy", "port").ok()??.parse().ok()
}

/// A port on which the master can listen: `first`, or the next free one.
pub(crate) fn free_port(first: u16) -> Result<u16, Failure> {
    let last = first.saturating_add(PORTS - 1);
    (first..=last).find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()).ok_or_else(|| {
        Failure::new(
            Kind::Failed,
            format!("no free port for the master between {first} and {last} on 127.0.0.1"),
        )
        .because("each of them is used by another process")
        .hint(format!("ss -ltnp 'sport >= {first} and sport <= {last}' shows by which"))
        .hint("start elsewhere: slapos up --port PORT")
        .code("E-no-free-port")
    })
}

/// `preferred` when the master can listen on it, else as [`free_port`].
pub(crate) fn free_port_or(preferred: u16, first: u16) -> Result<u16, Failure> {
    if TcpListener::bind((Ipv4Addr::LOCALHOST, preferred)).is_ok() { Ok(preferred) } else { free_port(first) }
}

/// Address of the master.
pub(crate) fn master_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Writes the configuration and the definition of the partitions; returns whether either changed.
pub(crate) fn write(cloud: &Cloud, port: u16, user: &str) -> std::io::Result<bool> {
    let definition = files::replace_if_changed(&cloud.definition(), definition(port, user), 0o644)?;
    let configuration = files::replace_if_changed(&cloud.configuration(), configuration(cloud, port), 0o644)?;
    Ok(configuration || definition)
}

fn configuration(cloud: &Cloud, port: u16) -> String {
    let path = |path: &Utf8Path| path.as_str().replace('%', "%%");
    format!(
        "# Written by `slapos up`, which writes it again at each start.
[slapos]
computer_id = {COMPUTER}
master_url = {url}
software_root = {software}
instance_root = {instance}
shared_part_list = {shared}
cache_directory = {cache}
root_check = false
software_min_free_space = 100M
instance_min_free_space = 20M
pidfile_software = {run}/slapgrid-sr.pid
pidfile_instance = {run}/slapgrid-cp.pid
pidfile_report = {run}/slapgrid-ur.pid

[slapformat]
computer_xml = {xml}
input_definition_file = {definition}
partition_amount = {PARTITIONS}
partition_base_name = slappart
alter_user = false
alter_network = false
create_tap = false
create_tun = false
partition_has_ipv6_range = false

[slapproxy]
host = 127.0.0.1
port = {port}
database_uri = {database}

[slapconsole]
",
        url = master_url(port),
        software = path(&cloud.software_root()),
        instance = path(&cloud.instance_root()),
        shared = path(&cloud.shared_root()),
        cache = path(&cloud.cache()),
        run = path(&cloud.root().join("var/run")),
        xml = path(&cloud.computer_xml()),
        definition = path(&cloud.definition()),
        database = path(&cloud.database()),
    )
}

/// The partitions. Each has a loopback address of its own, which follows from the master's port, so that neither the
/// partitions of one cloud nor those of two clouds meet on a port.
fn definition(port: u16, user: &str) -> String {
    let [high, low] = port.to_be_bytes();
    let mut text = format!("[computer]\naddress = 127.0.0.1/255.0.0.0\nsoftware_user = {user}\n");
    for number in 0..PARTITIONS {
        let _ = write!(
            text,
            "\n[partition_{number}]\naddress = 127.{high}.{low}.{host}/255.255.255.255 ::1/128\npathname = slappart{number}\n\
             user = {user}\nnetwork_interface =\n",
            host = number + 1
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_remembered_by_the_configuration() {
        let directory = tempfile::tempdir().unwrap();
        let cloud = Cloud::at(directory.path().to_str().unwrap());
        cloud.make_directories().unwrap();
        assert_eq!(remembered_port(&cloud), None);

        assert!(write(&cloud, 8499, "someone").unwrap());

        assert_eq!(remembered_port(&cloud), Some(8499));
        assert!(!write(&cloud, 8499, "someone").unwrap());
        assert!(write(&cloud, 8500, "someone").unwrap());
    }

    #[test]
    fn a_taken_port_is_passed_over() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();

        assert!(free_port(port).unwrap() > port);
    }
}
