//! What is to be done to this machine so that it is as it should be, decided from what is there.

use camino::{Utf8Path, Utf8PathBuf};

use super::machine::Machine;
use crate::configuration::Configuration;

/// Mode of the two root directories.
const ROOT_MODE: u32 = 0o755;
/// Mode of a partition, and of its place on other disks.
const PARTITION_MODE: u32 = 0o750;
/// Mode of the directory of certificates.
const CERTIFICATES_MODE: u32 = 0o700;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Make a directory.
    Make { path: Utf8PathBuf, mode: u32 },
    /// Correct the mode of a directory.
    Mode { path: Utf8PathBuf, mode: u32 },
    /// Give a directory to a user.
    Give { path: Utf8PathBuf, user: String },
    /// Run a command of the system; `may_fail` when it only repeats what may be so already.
    Run { words: Vec<String>, may_fail: bool },
    /// Write a file whose content differs.
    Write { path: Utf8PathBuf, text: String, mode: u32 },
}

impl std::fmt::Display for Action {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Make { path, mode } => write!(formatter, "mkdir -p -m {mode:04o} {path}"),
            Self::Mode { path, mode } => write!(formatter, "chmod {mode:04o} {path}"),
            Self::Give { path, user } => write!(formatter, "chown {user}:{user} {path}"),
            Self::Run { words, .. } => formatter.write_str(&words.join(" ")),
            Self::Write { path, .. } => write!(formatter, "write {path}"),
        }
    }
}

/// What is there. Everything that a plan depends on beside the machine that is wanted.
pub(crate) trait Observed {
    /// The mode of a directory; `None` when there is none.
    fn mode(&self, path: &Utf8Path) -> Option<u32>;
    /// The owner of a file, by name.
    fn owner(&self, path: &Utf8Path) -> Option<String>;
    /// The content of a text file.
    fn text(&self, path: &Utf8Path) -> Option<String>;
    /// Whether a group of that name exists.
    fn has_group(&self, name: &str) -> bool;
    /// Whether a user of that name exists.
    fn has_user(&self, name: &str) -> bool;
    /// The disks offered to partitions, below the given parent.
    fn disks(&self, parent: &Utf8Path) -> Vec<Utf8PathBuf>;
}

/// Everything to be done before the master is told, in order.
pub(crate) fn plan(configuration: &Configuration, machine: &Machine, observed: &dyn Observed) -> Vec<Action> {
    let format = &configuration.format;
    let mut plan = Plan { observed, actions: Vec::new() };
    plan.directory(&configuration.instance_root, ROOT_MODE);
    plan.directory(&configuration.software_root, ROOT_MODE);
    if format.alter_user {
        plan.user(&machine.software_user, &configuration.software_root, None);
        plan.owner(&configuration.software_root, &machine.software_user);
    }
    if format.alter_network && format.partition_has_ipv6_range {
        plan.run(&["sysctl", "net.ipv6.ip_nonlocal_bind=1"], true);
    }
    for place in &machine.partitions {
        let path = place.path(configuration);
        if format.alter_user {
            plan.user(&place.user, &path, Some(&machine.software_user));
        }
        if format.alter_network {
            plan.network(format, place);
        }
        plan.directory(&path, PARTITION_MODE);
        if format.alter_user {
            plan.owner(&path, &place.user);
        }
        for disk in configuration.instance_storage_home.iter().flat_map(|parent| observed.disks(parent)) {
            let external = disk.join(place.id.as_str());
            plan.directory(&external, PARTITION_MODE);
            if format.alter_user {
                plan.owner(&external, &place.user);
            }
        }
        plan.file(&path.join(".slapos-resource"), place.resource(configuration));
    }
    if let Some(certificates) = &configuration.credentials.partition_directory {
        plan.directory(certificates, CERTIFICATES_MODE);
    }
    if let Some(path) = &format.output_definition {
        plan.file(path, machine.definition().text());
    }
    plan.actions
}

struct Plan<'a> {
    observed: &'a dyn Observed,
    actions: Vec<Action>,
}

impl Plan<'_> {
    fn directory(&mut self, path: &Utf8Path, mode: u32) {
        match self.observed.mode(path) {
            None => self.actions.push(Action::Make { path: path.to_owned(), mode }),
            Some(present) if present != mode => {
                self.actions.push(Action::Mode { path: path.to_owned(), mode });
            }
            Some(_) => {}
        }
    }

    fn owner(&mut self, path: &Utf8Path, user: &str) {
        if self.observed.owner(path).as_deref() != Some(user) {
            self.actions.push(Action::Give { path: path.to_owned(), user: user.to_owned() });
        }
    }

    fn file(&mut self, path: &Utf8Path, text: String) {
        if self.observed.text(path).as_ref() != Some(&text) {
            self.actions.push(Action::Write { path: path.to_owned(), text, mode: 0o644 });
        }
    }

    fn run(&mut self, words: &[&str], may_fail: bool) {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        self.actions.push(Action::Run { words, may_fail });
    }

    /// The commands of the reference, word for word: people look for them in their logs.
    fn user(&mut self, name: &str, home: &Utf8Path, further_group: Option<&str>) {
        if !self.observed.has_group(name) {
            self.run(&["groupadd", name], false);
        }
        let exists = self.observed.has_user(name);
        let mut words = if exists { vec!["usermod"] } else { vec!["useradd"] };
        words.extend(["-d", home.as_str(), "-g", name, "-s", "/bin/sh"]);
        if !exists {
            words.push("-r");
        }
        if let Some(group) = further_group {
            words.extend([if exists { "-aG" } else { "-G" }, group]);
        }
        words.push(name);
        self.run(&words, exists);
        self.run(&["passwd", "-l", name], false);
    }

    fn network(&mut self, format: &crate::configuration::Format, place: &super::machine::Place) {
        if format.create_tap && !place.tap.name.is_empty() {
            self.run(
                &["ip", "tuntap", "add", "dev", &place.tap.name, "mode", "tap", "user", &place.user],
                true,
            );
            self.run(&["ip", "link", "set", &place.tap.name, "up"], false);
        }
        if let Some(tun) = &place.tun {
            self.run(&["ip", "tuntap", "add", "dev", &tun.name, "mode", "tun", "user", &place.user], true);
            self.run(&["ip", "link", "set", &tun.name, "up"], false);
            for (side, prefix) in [(&tun.ipv4, None), (&tun.ipv6, Some("-6"))] {
                if !side.network.is_empty() {
                    let mut words = vec!["ip"];
                    words.extend(prefix);
                    words.extend(["addr", "add", &side.network, "dev", &tun.name]);
                    self.run(&words, true);
                }
            }
        }
        if let Some(interface) = &format.interface_name {
            // Every machine has its loopback addresses already.
            let is_loopback =
                |text: &str| text.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
            for (address, netmask) in place.addresses.iter().filter(|(address, _)| !is_loopback(address)) {
                let length = super::addresses::prefix_length(netmask).unwrap_or(128);
                let device = match &format.ipv6_interface {
                    Some(own) if address.contains(':') => own,
                    _ => interface,
                };
                self.run(&["ip", "addr", "add", &format!("{address}/{length}"), "dev", device], true);
            }
        }
        if let Some(range) = &place.ipv6_range {
            self.run(&["ip", "-6", "route", "add", "local", &range.network, "dev", "lo"], true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::definition::{DefinedPartition, Definition};
    use super::super::machine::loopback_addresses;
    use super::*;

    /// A machine on which nothing exists but what is listed.
    #[derive(Default)]
    struct Bare {
        modes: BTreeMap<&'static str, u32>,
        users: Vec<&'static str>,
    }

    impl Observed for Bare {
        fn mode(&self, path: &Utf8Path) -> Option<u32> {
            self.modes.get(path.as_str()).copied()
        }
        fn owner(&self, _: &Utf8Path) -> Option<String> {
            None
        }
        fn text(&self, _: &Utf8Path) -> Option<String> {
            None
        }
        fn has_group(&self, name: &str) -> bool {
            self.users.contains(&name)
        }
        fn has_user(&self, name: &str) -> bool {
            self.users.contains(&name)
        }
        fn disks(&self, _: &Utf8Path) -> Vec<Utf8PathBuf> {
            Vec::new()
        }
    }

    fn configuration(change: impl FnOnce(&mut crate::configuration::Format)) -> Configuration {
        let mut configuration = Configuration::new(
            "local".parse().unwrap(),
            "http://m",
            "/soft",
            "/inst",
            &["/bin/slapos".into()],
        );
        configuration.format.alter_network = false;
        change(&mut configuration.format);
        configuration
    }

    fn public_addresses() -> Vec<(String, String)> {
        [("10.0.0.1", "255.255.255.255"), ("2001:db8::2", "ffff:ffff:ffff:ffff::")]
            .map(|(address, netmask)| (address.to_owned(), netmask.to_owned()))
            .into()
    }

    fn machine() -> Machine {
        Machine::defined(&Definition {
            partitions: (0..2)
                .map(|number| DefinedPartition {
                    name: format!("slappart{number}"),
                    user: format!("slapuser{number}"),
                    addresses: if number == 0 { public_addresses() } else { loopback_addresses() },
                    ..DefinedPartition::default()
                })
                .collect(),
            ..Definition::default()
        })
        .unwrap()
    }

    fn lines(configuration: &Configuration, observed: &Bare) -> String {
        let plan = plan(configuration, &machine(), observed);
        plan.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn an_ordinary_user_makes_directories_and_files_only() {
        let configuration = configuration(|format| format.alter_user = false);

        insta::assert_snapshot!(lines(&configuration, &Bare::default()), @r"
mkdir -p -m 0755 /inst
mkdir -p -m 0755 /soft
mkdir -p -m 0750 /inst/slappart0
write /inst/slappart0/.slapos-resource
mkdir -p -m 0750 /inst/slappart1
write /inst/slappart1/.slapos-resource
");
    }

    #[test]
    fn root_makes_users_with_the_commands_of_the_reference() {
        let configuration = configuration(|_| {});

        insta::assert_snapshot!(lines(&configuration, &Bare { users: vec!["slapuser1"], ..Bare::default() }), @r"
mkdir -p -m 0755 /inst
mkdir -p -m 0755 /soft
groupadd slapsoft
useradd -d /soft -g slapsoft -s /bin/sh -r slapsoft
passwd -l slapsoft
chown slapsoft:slapsoft /soft
groupadd slapuser0
useradd -d /inst/slappart0 -g slapuser0 -s /bin/sh -r -G slapsoft slapuser0
passwd -l slapuser0
mkdir -p -m 0750 /inst/slappart0
chown slapuser0:slapuser0 /inst/slappart0
write /inst/slappart0/.slapos-resource
usermod -d /inst/slappart1 -g slapuser1 -s /bin/sh -aG slapsoft slapuser1
passwd -l slapuser1
mkdir -p -m 0750 /inst/slappart1
chown slapuser1:slapuser1 /inst/slappart1
write /inst/slappart1/.slapos-resource
");
    }

    #[test]
    fn a_mode_that_is_wrong_is_corrected_and_one_that_is_right_left_alone() {
        let configuration = configuration(|format| format.alter_user = false);
        let modes =
            [("/inst", 0o755), ("/soft", 0o700), ("/inst/slappart0", 0o755), ("/inst/slappart1", 0o750)];

        insta::assert_snapshot!(lines(&configuration, &Bare { modes: modes.into(), users: Vec::new() }), @r"
chmod 0755 /soft
chmod 0750 /inst/slappart0
write /inst/slappart0/.slapos-resource
write /inst/slappart1/.slapos-resource
");
    }

    #[test]
    fn addresses_are_added_where_the_network_may_be_changed() {
        let configuration = configuration(|format| {
            format.alter_user = false;
            format.alter_network = true;
            format.interface_name = Some("eth0".to_owned());
        });

        insta::assert_snapshot!(lines(&configuration, &Bare::default()), @r"
mkdir -p -m 0755 /inst
mkdir -p -m 0755 /soft
sysctl net.ipv6.ip_nonlocal_bind=1
ip addr add 10.0.0.1/32 dev eth0
ip addr add 2001:db8::2/64 dev eth0
mkdir -p -m 0750 /inst/slappart0
write /inst/slappart0/.slapos-resource
mkdir -p -m 0750 /inst/slappart1
write /inst/slappart1/.slapos-resource
");
    }
}
