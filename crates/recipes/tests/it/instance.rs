//! Instances and their master, which here is a thread that answers as one does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use insta::assert_snapshot;
use slap::{ComputerId, Partition, PartitionId};

use crate::trial::Trial;

/// Answers every request about the partition, and tells what was posted.
struct Master {
    port: u16,
    posted: Receiver<(String, String)>,
}

fn master(partition: Partition) -> Master {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, posted) = channel();
    let document = slap::wire::write_partition(&partition).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut first = String::new();
            reader.read_line(&mut first).unwrap();
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
            let answer = if first.starts_with("POST") {
                let _ = tell.send((path, String::from_utf8(body).unwrap()));
                String::new()
            } else {
                document.clone()
            };
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", answer.len());
            let _ = stream.write_all(format!("{head}{answer}").as_bytes());
        }
    });
    Master { port, posted }
}

impl Master {
    /// What was published, as the form says it.
    fn published(&self) -> Vec<(String, String)> {
        let (path, body) = self.posted.recv_timeout(std::time::Duration::from_secs(120)).unwrap();
        assert_eq!(path, "/setComputerPartitionConnectionXml");
        url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
    }

    fn connection(&self) -> String {
        format!(
            "[slap-connection]\nserver-url = http://127.0.0.1:{}/\ncomputer-id = COMP-1\npartition-id = part0\n\
             software-release-url = /srv/software.cfg\nkey-file =\ncert-file =\n",
            self.port
        )
    }
}

fn partition(parameters: &[(&str, slap::Value)]) -> Partition {
    let mut partition =
        Partition::free("COMP-1".parse::<ComputerId>().unwrap(), "part0".parse::<PartitionId>().unwrap());
    partition.requested_state = slap::RequestedState::Started;
    partition.release = Some("/srv/software.cfg".parse().unwrap());
    partition.guid = Some("SOFTINST-1".parse().unwrap());
    partition.software_type = Some("default".parse().unwrap());
    partition.title = Some("mine".to_owned());
    partition.root_title = Some("mine".to_owned());
    partition.addresses =
        vec![("eth0".to_owned(), "127.0.0.2".to_owned()), ("eth0".to_owned(), "::1".to_owned())];
    partition.timestamp = Some("17".to_owned());
    partition.parameters =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    partition
}

const CONFIGURATION: &str = "[slap-configuration]\nrecipe = slapos.cookbook:slapconfiguration\n\
     computer = ${slap-connection:computer-id}\npartition = ${slap-connection:partition-id}\n\
     url = ${slap-connection:server-url}\nkey = ${slap-connection:key-file}\ncert = ${slap-connection:cert-file}\n\
     configuration.greeting = hello\nconfiguration.port = 5000\n";

#[test]
fn parameters_of_the_request_take_the_place_of_defaults() {
    let master =
        master(partition(&[("port", slap::Value::from("8080")), ("a=b", slap::Value::from("left out"))]));
    let trial = Trial::with_profile(&format!(
        "[buildout]\nparts = file\n{CONFIGURATION}{}\
         [file]\nrecipe = slapos.recipe.template:jinja2\noutput = ${{buildout:directory}}/out\ncontext =\n  \
         section slap slap-configuration\n\
         inline =\n  {{{{ slap['configuration.port'] }}}} {{{{ slap['configuration.greeting'] }}}} {{{{ slap.configuration }}}}\n  \
         {{{{ slap['ipv4'] }}}} {{{{ slap['ipv4-random'] }}}} {{{{ slap['ipv6-random'] }}}} {{{{ slap['slap-software-type'] }}}}\n  \
         {{{{ slap['instance-guid'] }}}} {{{{ slap['instance-title'] }}}} {{{{ slap['instance-state'] }}}} {{{{ slap.timestamp }}}}\n",
        master.connection()
    ));

    trial.built();

    assert_snapshot!(trial.read("out"), @r"
    8080 hello {'a=b': 'left out', 'port': '8080'}
    {'127.0.0.2'} 127.0.0.2 ::1 default
    SOFTINST-1 mine started 17
    ");
}

#[test]
fn serialised_parameters_keep_their_types() {
    let packed = slap::Value::from(r#"{"port": 8080, "hosts": ["a", "b"], "debug": true}"#);
    let master = master(partition(&[("_", packed)]));
    let profile = CONFIGURATION.replace("slapconfiguration\n", "slapconfiguration.serialised\n");
    let trial = Trial::with_profile(&format!(
        "[buildout]\nparts = file\n{profile}{}\
         [file]\nrecipe = slapos.recipe.template:jinja2\noutput = ${{buildout:directory}}/out\ncontext =\n  \
         key port slap-configuration:configuration.port\n  key everything slap-configuration:configuration\n\
         inline = {{{{ port + 1 }}}} {{{{ everything.hosts[1] }}}} {{{{ dumps(everything) }}}}\n",
        master.connection()
    ));

    trial.built();

    assert_eq!(trial.read("out"), "8081 b !py!{'debug': True, 'hosts': ['a', 'b'], 'port': 8080}");
}

#[test]
fn resources_of_the_partition_are_offered() {
    let master = master(partition(&[]));
    let trial = Trial::with_profile(&format!(
        "[buildout]\nparts = file\n{CONFIGURATION}{}\
         [file]\nrecipe = slapos.recipe.template\noutput = ${{buildout:directory}}/out\n\
         inline = ${{slap-configuration:tun-ipv4-addr}}\n",
        master.connection()
    ));
    trial.write(".slapos-resource", r#"{"tun": {"ipv4_addr": "10.0.0.1"}, "ipv4": "not this"}"#);

    trial.built();

    assert_eq!(trial.read("out"), "10.0.0.1");
}

#[test]
fn connection_parameters_are_published_once() {
    let master = master(partition(&[]));
    let trial = Trial::with_profile(&format!(
        "[buildout]\nparts = publish\n{}[publish]\nrecipe = slapos.cookbook:publish\n-extends = more\nurl = http://[::1]:80/\nport = !py!80\n\
         [more]\nuser = me\nurl = hidden by the other\n",
        master.connection()
    ));

    trial.built();

    let form = master.published();
    let xml = &form.iter().find(|(name, _)| name == "connection_xml").unwrap().1;
    for part in ["http://[::1]:80/", "user", "me", "port"] {
        assert!(xml.contains(part), "{xml}");
    }
    assert!(!xml.contains("hidden"), "{xml}");
    assert!(form.contains(&("computer_partition_id".to_owned(), "part0".to_owned())));
}

#[test]
fn serialised_connection_parameters_are_one_document() {
    let master = master(partition(&[]));
    let trial = Trial::with_profile(&format!(
        "[buildout]\nparts = publish\n{}[publish]\nrecipe = slapos.cookbook:publish.serialised\nurl = http://h/\nports = !py![80, 443]\n",
        master.connection()
    ));

    trial.built();

    let form = master.published();
    let xml = &form.iter().find(|(name, _)| name == "connection_xml").unwrap().1;
    let plain = xml.replace("&quot;", "\"");
    assert!(plain.contains(r#"{"ports": [80, 443], "url": "http://h/"}"#), "{xml}");
}

#[test]
fn sections_without_recipe_take_parameters_and_publish() {
    let master =
        master(partition(&[("port", slap::Value::from("9000")), ("note", slap::Value::from("${x:y}"))]));
    let trial = Trial::with_profile(&format!(
        "[buildout]\nparts = file\n{}\
         [instance-parameter]\nconfiguration.host = 127.0.0.1\nconfiguration.port = 5000\n\
         [publish-connection-parameter]\nurl = http://${{instance-parameter:configuration.host}}:${{instance-parameter:configuration.port}}/\n\
         [file]\nrecipe = slapos.recipe.template\noutput = ${{buildout:directory}}/out\n\
         inline = ${{publish-connection-parameter:url}} ${{instance-parameter:configuration.note}}\n",
        master.connection()
    ));

    trial.built();

    assert_eq!(trial.read("out"), "http://127.0.0.1:9000/ ${x:y}");
    let form = master.published();
    assert!(
        form.iter().any(|(name, value)| name == "connection_xml" && value.contains("http://127.0.0.1:9000/"))
    );
}

/// A profile that writes wherever a recipe writes, and tells the master whatever there is to tell.
fn everything(master: &Master, trial: &Trial) -> String {
    format!(
        "[buildout]\nparts = file python publish password port script link\n{}{CONFIGURATION}storage-home = {}\n\
         [versions]\nslapos.recipe.template = 5.1\n\
         [instance-parameter]\nconfiguration.host = 127.0.0.1\n\
         [publish-connection-parameter]\nhost = ${{instance-parameter:configuration.host}}\n\
         [file]\nrecipe = slapos.recipe.template:jinja2\noutput = ${{buildout:directory}}/out\n\
         once = ${{buildout:directory}}/once\ncontext = key port slap-configuration:configuration.port\n\
         inline = {{{{ port }}}}\n\
         [python]\nrecipe = slapos.recipe.template:jinja2\noutput = ${{buildout:directory}}/made-by-python\n\
         context = import subprocess subprocess\ninline = {{{{ subprocess.check_output('touch ran', shell=True) }}}}\n\
         [publish]\nrecipe = slapos.cookbook:publish\nport = ${{port:port}}\n\
         [password]\nrecipe = slapos.cookbook:generate.password\n\
         [port]\nrecipe = slapos.cookbook:free_port\nip = 127.0.0.1\nminimum = 21000\nmaximum = 22000\n\
         [script]\nrecipe = slapos.cookbook:wrapper\nwrapper-path = ${{buildout:directory}}/x\n\
         command-line = /bin/true\n\
         [link]\nrecipe = slapos.cookbook:symbolic.link\ntarget-directory = ${{buildout:directory}}\n\
         link-binary = /bin/true\n",
        master.connection(),
        trial.path("disks"),
    )
}

#[test]
fn who_only_looks_leaves_the_disk_and_the_master_alone() {
    let trial = Trial::new();
    let master = master(partition(&[("port", slap::Value::from("8080"))]));
    trial.write("disks/one/part0/.keep", "");
    trial.write("buildout.cfg", everything(&master, &trial));
    let looks: [&[&str]; 3] = [&["plan"], &["why", "file"], &["graph"]];
    let before = trial.state();

    for words in looks {
        let said = trial.look(words);
        assert!(said.contains("file"), "{said}");
        assert_eq!(trial.state(), before, "{words:?}");
    }

    let native = everything(&master, &trial).replace("file python", "file").replace("5.1", "");
    trial.write("buildout.cfg", &native);
    trial.built();
    assert!(trial.path("DATA/one").exists() && trial.path("out").exists());
    assert_eq!((master.posted.recv().is_ok(), master.posted.recv().is_ok()), (true, true));
    trial.write("buildout.cfg", native.replace("{{ port }}", "changed {{ port }}"));
    let before = trial.state();
    for words in looks {
        let said = trial.look(words);
        assert!(words[0] == "graph" || said.contains("inline"), "{said}");
        assert_eq!(trial.state(), before, "{words:?}");
    }
    assert!(master.posted.try_recv().is_err(), "the master was told something");
}

#[test]
fn without_a_node_the_defaults_hold() {
    let trial = Trial::with_profile(
        "[buildout]\nparts = file\n[instance-parameter]\nconfiguration.port = 5000\n\
         [publish-connection-parameter]\nurl = http://x/\n\
         [file]\nrecipe = slapos.recipe.template\noutput = ${buildout:directory}/out\ninline = ${instance-parameter:configuration.port}\n",
    );

    trial.built();

    assert_eq!(trial.read("out"), "5000");
}

#[test]
fn a_master_that_does_not_answer_is_named_and_the_next_build_goes_on() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    drop(silent);
    let connection = format!(
        "[slap-connection]\nserver-url = http://127.0.0.1:{port}/\ncomputer-id = COMP-1\npartition-id = part0\n"
    );
    let trial = Trial::with_profile(&format!(
        "[buildout]\nparts = slap-configuration\n{connection}key-file =\ncert-file =\n{CONFIGURATION}"
    ));

    let message = trial.refused().replace(&port.to_string(), "PORT");

    assert!(
        message.starts_with("E-master-unreachable: failed to ask the master about the instance"),
        "{message}"
    );
    assert!(message.contains("no answer from the master at http://127.0.0.1:PORT/"), "{message}");
    assert!(message.contains("hint: check that the master runs"), "{message}");
}

#[test]
fn publishing_outside_a_node_is_refused_with_the_way_to_do_it() {
    let trial = Trial::with_profile(
        "[buildout]\nparts = publish\n[publish]\nrecipe = slapos.cookbook:publish\nurl = x\n",
    );

    assert_snapshot!(trial.refused(), @r"
    E-recipe-failed: the profile has no section [slap-connection]
      hint: the node adds it when it builds an instance: build the profile with `slapos node instance`
    ");
}

#[test]
fn a_module_beside_the_profile_is_found() {
    let trial = Trial::with_profile(
        "[buildout]\nparts = promise\n[promise]\nrecipe = slapos.cookbook:promise.plugin\nmodule = check_flask\n\
         output = ${buildout:directory}/plugin.py\nconfig-port = 5000\n",
    );
    trial.write("check_flask.py", "class RunPromise: pass\n");

    trial.built();

    let text = trial.read("plugin.py");
    assert!(text.contains(&format!("sys.path[0:0] = ('{}',)\n", trial.root())), "{text}");
    assert!(text.contains("extra_config_dict = {'port': '5000'}\n"), "{text}");
    assert!(text.ends_with("from check_flask import RunPromise\n"), "{text}");
}

#[test]
fn a_promise_that_is_not_described_well_is_refused() {
    let promise = |options: &str| {
        Trial::with_profile(&format!(
            "[buildout]\nparts = promise\n[promise]\nrecipe = slapos.cookbook:promise.plugin\noutput = ${{buildout:directory}}/p.py\n{options}\n"
        ))
    };

    assert_snapshot!(promise("").refused(), @r"
    E-recipe-failed: Either 'module' or 'file' is required but not both
      hint: write `module = package.module`, or `file = …` with the path of a Python file
    ");
    assert_snapshot!(promise("module = a\nfile = b").refused(), @r"
    E-recipe-failed: Either 'module' or 'file' is required but not both
      hint: write `module = package.module`, or `file = …` with the path of a Python file
    ");
    assert_snapshot!(promise("module = not-a-name").refused(), @r"
    E-recipe-failed: 'not-a-name' is not a valid module name
      hint: a module is named by its dotted path, such as `slapos.promise.plugin.check_socket_listening`
    ");
    assert_snapshot!(promise("module = a\nclass = 1x").refused(), @r"
    E-recipe-failed: '1x' is not a valid class name
      hint: a class is named by letters, digits and underscores
    ");
}
