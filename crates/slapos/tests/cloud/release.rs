//! Releases that need neither network nor Python packages.

use std::io::{Read, Write};
use std::net::TcpListener;

use camino::Utf8PathBuf;
use testkit::cloud::Cloud;

/// Installs the instance profile beside it.
const SOFTWARE: &str = "\
[buildout]
parts = instance-profile

[instance-profile]
recipe = slapos.recipe.template:jinja2
url = ${:_profile_base_location_}/instance.cfg.in
output = ${buildout:directory}/instance.cfg
context = key directory buildout:directory
";

/// A release whose instances are made by `instance`.
pub(crate) fn with_instance(cloud: &Cloud, instance: &str) -> Utf8PathBuf {
    cloud.write_release("release", &[("software.cfg", SOFTWARE), ("instance.cfg.in", instance)])
}

/// A release with only a software profile.
pub(crate) fn with_software(cloud: &Cloud, software: &str) -> Utf8PathBuf {
    cloud
        .write_release("release", &[("software.cfg", software), ("instance.cfg.in", "[buildout]\nparts =\n")])
}

/// The smallest release that builds, installs and runs.
pub(crate) fn good(cloud: &Cloud) -> Utf8PathBuf {
    with_instance(cloud, "[buildout]\nparts =\n")
}

/// Address of a package index that has nothing; it answers as long as the test runs.
pub(crate) fn empty_index() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ =
                stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    format!("http://{address}/simple/")
}
