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

/// Two services, one of which depends on a parameter; a promise that fails while a file is there.
pub(crate) const WEB: &str = "\
[buildout]
parts = page bystander web idle promise publish

[parameters]
recipe = slapos.cookbook:slapconfiguration
computer = ${slap-connection:computer-id}
partition = ${slap-connection:partition-id}
url = ${slap-connection:server-url}
key = ${slap-connection:key-file}
cert = ${slap-connection:cert-file}
configuration.text = hello
configuration.port = 0

[directory]
recipe = slapos.cookbook:mkdirectory
service = ${buildout:directory}/etc/service
promise = ${buildout:directory}/etc/promise
www = ${buildout:directory}/srv/www

[page]
recipe = slapos.recipe.template
inline = ${parameters:configuration.text}
output = ${directory:www}/index.html

[bystander]
recipe = slapos.recipe.template
inline = the same whatever is asked for
output = ${directory:www}/bystander.txt

[web]
recipe = slapos.cookbook:wrapper
command-line = python3 -m http.server --bind 127.0.0.1 --directory ${directory:www} ${parameters:configuration.port}
wrapper-path = ${directory:service}/web
hash-files = ${page:output}

[idle]
recipe = slapos.cookbook:wrapper
command-line = sleep 1000000
wrapper-path = ${directory:service}/idle

[promise]
recipe = slapos.recipe.template
output = ${directory:promise}/whole
mode = 755
inline =
  #!/bin/sh
  test -e ${buildout:directory}/broken || exit 0
  echo somebody broke it
  exit 1

[publish]
recipe = slapos.cookbook:publish
url = http://127.0.0.1:${parameters:configuration.port}/
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
