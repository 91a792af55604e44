//! The same parts of `slapos.recipe.cmmi`, made by us and by the Python recipe.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::process::Program;
use testkit::peer::Peer;

const LIMIT: Duration = Duration::from_secs(300);
const CONFIGURE: &str = "#!/bin/sh
echo \"configure $*\"
for word in \"$@\"; do case $word in --prefix=*) prefix=${word#--prefix=} ;; esac; done
echo \"prefix ?= $prefix\" > config.mk
env | grep -E '^(CFLAGS|GREETING|PERCENT|SEEN)=' | sort > variables
";
const MAKEFILE: &str = "-include config.mk
hello: hello.c
\t$(CC) $(CFLAGS) -o hello hello.c
install: hello
\tmkdir -p $(prefix)/bin $(prefix)/share
\tcp hello.c config.mk variables $(prefix)/share/
\tprintf '#!/%0150d/sh\\necho hi\\n' 0 > $(prefix)/bin/long; chmod 755 $(prefix)/bin/long
";
const PATCH: &str =
    "--- hello.c\n+++ hello.c\n@@ -1 +1 @@\n-int main(void) { return 0; }\n+int main(void) { return 7; }\n";
const PARTS: &str = "[plain]
recipe = slapos.recipe.cmmi
url = @/hello.tar.gz

[rich]
recipe = slapos.recipe.cmmi
url = @/hello.tar.gz
patches = @/change.patch
location = @@LOCATION@@
target = @@LOCATION@@/extra
word = two words
configure-options = --with='%(word)s'
  --at=@@LOCATION@@
make-options =
  V=1
  W=2
environment =
  GREETING = good = day
  CFLAGS = -O1
  PERCENT = 100%%
  SEEN = ${plain:location} %(PATH)s
pre-configure = echo pre-configure %(location)s
  echo second
pre-build = echo pre-build
pre-install = echo pre-install
post-install = mkdir -p %(target)s; echo %(compile-directory)s > %(target)s/where
promises =
  @@LOCATION@@/bin/long
  /nonexistent/x

[command]
recipe = slapos.recipe.cmmi
url = @/hello.tar.gz
configure-command = touch config.mk variables; :
configure-options = ignored

[mine]
recipe = slapos.recipe.cmmi
path = ${buildout:directory}/mine/hello-1.0
make-targets =
  install
  V=2
";

/// What a build said, recorded and made, with its own directory called DIRECTORY.
#[derive(Debug, PartialEq, Eq)]
struct Made {
    said: Vec<String>,
    record: Vec<String>,
    files: Vec<String>,
}

fn build(program: &Program, place: &Utf8Path) -> Made {
    let finished = program
        .clone()
        .directory(place)
        .env("HOME", place.as_str())
        .env("LC_ALL", "C.UTF-8")
        .env("PATH", "/usr/bin:/bin")
        .env("SLAPOS_ALLOW_ROOT", "1")
        .env("PYTHONWARNINGS", "ignore")
        .run(Some(LIMIT), &mut |_| {})
        .unwrap();
    assert!(finished.success(), "{}", finished.text());
    let neutral = |text: &str| text.replace(place.as_str(), "DIRECTORY");
    // What comes before is about distributions.
    let said = finished.text();
    let said = said.lines().skip_while(|line| *line != "Installing plain.").map(neutral).collect();
    let record = fs::read_to_string(place.join(".installed.cfg")).unwrap();
    let record = record.lines().filter(|line| !line.starts_with("__buildout_signature__")).map(neutral);
    let mut files = Vec::new();
    list(&place.join("parts"), &mut files);
    Made { said, record: record.collect(), files: files.iter().map(|line| neutral(line)).collect() }
}

/// Every file with its mode and, unless it is ours to word, its text.
fn list(directory: &Utf8Path, files: &mut Vec<String>) {
    let mut entries: Vec<Utf8PathBuf> =
        directory.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path()).collect();
    entries.sort();
    for path in entries {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let mode = metadata.permissions().mode() & 0o7777;
        if metadata.is_dir() {
            files.push(format!("{mode:o} {path}/"));
            list(&path, files);
        } else if path.with_extension("shebang").exists() {
            files.push(format!("{mode:o} {path}"));
        } else {
            files.push(format!("{mode:o} {path} {:?}", fs::read_to_string(&path).unwrap()));
        }
    }
}

fn sources(root: &Utf8Path) {
    let sources = root.join("sources/hello-1.0");
    fs::create_dir_all(&sources).unwrap();
    for (name, text) in
        [("configure", CONFIGURE), ("Makefile", MAKEFILE), ("hello.c", "int main(void) { return 0; }\n")]
    {
        host::files::replace(&sources.join(name), text, 0o755).unwrap();
    }
    host::files::replace(&root.join("change.patch"), PATCH, 0o644).unwrap();
    let archive = root.join("hello.tar.gz");
    let from = root.join("sources");
    let pack = Program::new("/bin/tar").args(["-C", from.as_str(), "-czf", archive.as_str(), "hello-1.0"]);
    assert!(pack.env("PATH", "/usr/bin:/bin").run(Some(LIMIT), &mut |_| {}).unwrap().success());
}

#[test]
fn parts_are_made_as_the_python_recipe_makes_them() {
    let guard = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::try_from(guard.path().canonicalize().unwrap()).unwrap();
    sources(&root);
    let peer = Peer::ready();
    let wheels = peer.programs().join("../../wheels");
    let profile = format!(
        "[buildout]\nfind-links = {wheels}\nindex = file://{wheels}/\nallow-hosts = none.invalid\n\
         versions = versions\nparts = plain rich command mine\n[versions]\nslapos.recipe.cmmi = 0.23\n\
         slapos.recipe.build = 0.66\nzc.buildout = 3.3\nsetuptools = 75.8.2\npip = 25.0\nwheel = 0.45.1\n{}",
        PARTS.replace("@/", &format!("{root}/"))
    );
    let made = ["ours", "peer"].map(|side| {
        let place = root.join(side);
        fs::create_dir_all(place.join("mine")).unwrap();
        let copy = Program::new("/bin/cp").args(["-r", root.join("sources/hello-1.0").as_str()]);
        let copy = copy.arg(place.join("mine").as_str());
        assert!(copy.run(Some(LIMIT), &mut |_| {}).unwrap().success());
        host::files::replace(&place.join("buildout.cfg"), &profile, 0o644).unwrap();
        let program = match side {
            "ours" => Program::new(env!("CARGO_BIN_EXE_slapos")).args(["buildout", "-j", "1"]),
            _ => Program::new(peer.programs().join("buildout")),
        };
        build(&program, &place)
    });

    let [ours, peers] = made;
    assert_eq!(ours.said.join("\n"), peers.said.join("\n"));
    assert_eq!(ours.record, peers.record);
    assert_eq!(ours.files, peers.files);
}
