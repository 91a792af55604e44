//! Directories, links, ports, passwords.

use std::os::unix::fs::PermissionsExt;

use fs_err as fs;
use insta::assert_snapshot;

use crate::trial::Trial;

#[test]
fn directories_are_created_and_never_removed() {
    let trial = Trial::with_profile(
        "[buildout]\nparts = directories\n[directories]\nrecipe = slapos.cookbook:makedirectory\n\
         var = ${buildout:directory}/var\nlog = ${:var}/log\nmode = 0700\n",
    );
    trial.built();
    trial.write("var/data", "of a user");
    trial.write("buildout.cfg", "[buildout]\nparts =\n");

    trial.built();

    assert_eq!(trial.mode("var/log"), 0o700);
    assert_eq!(trial.read("var/data"), "of a user");
}

#[test]
fn a_directory_that_vanished_comes_back_by_the_next_build() {
    let trial = Trial::with_profile(
        "[buildout]\nparts = directories\n[directories]\nrecipe = slapos.cookbook:mkdirectory\nvar = ${buildout:directory}/var\n",
    );
    trial.built();
    fs::remove_dir(trial.path("var")).unwrap();

    trial.built();

    assert!(trial.path("var").is_dir());
}

#[test]
fn a_mode_that_is_none_is_refused_with_what_to_write() {
    let trial = Trial::with_profile(
        "[buildout]\nparts = directories\n[directories]\nrecipe = slapos.cookbook:mkdirectory\nvar = var\nmode = rwx\n",
    );

    assert_snapshot!(trial.refused(), @r"
    E-recipe-failed: `rwx` is no file mode
      hint: write a mode in octal, such as `0644` or `0755`
    ");
}

#[test]
fn what_is_in_the_way_of_a_link_is_not_replaced() {
    let trial = Trial::with_profile(
        "[buildout]\nparts = link\n[link]\nrecipe = slapos.cookbook:symbolic.link\nlink-binary = /bin/true\n\
         target-directory = ${buildout:directory}/linked\n",
    );
    trial.write("linked/true", "somebody's file");

    assert_snapshot!(trial.refused(), @r"
    E-recipe-failed: DIRECTORY/linked/true already exists but is not a link
      hint: move DIRECTORY/linked/true away, or choose another `target-directory`
    ");
    assert_eq!(trial.read("linked/true"), "somebody's file");
}

#[test]
fn a_port_in_use_is_skipped_and_the_one_found_is_kept() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let first = taken.local_addr().unwrap().port();
    let last = first.saturating_add(50).max(first + 1);
    let trial = Trial::with_profile(&format!(
        "[buildout]\nparts = port\n[port]\nrecipe = slapos.cookbook:free_port\nminimum = {first}\nmaximum = {last}\nip = 127.0.0.1\n"
    ));
    trial.built();
    let record = trial.read(".installed.cfg");
    let port: u16 = record.lines().find_map(|line| line.strip_prefix("port = ")).unwrap().parse().unwrap();

    let _service = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    trial.built();

    assert!(port > first && port < last);
    assert!(trial.read(".installed.cfg").contains(&format!("port = {port}\n")));
}

#[test]
fn an_address_of_no_known_family_gives_port_zero() {
    let trial = Trial::with_profile(
        "[buildout]\nparts = port\n[port]\nrecipe = slapos.cookbook:free_port\nip = a.name\n",
    );
    trial.built();

    assert!(trial.read(".installed.cfg").contains("port = 0\n"));
}

const PASSWORD: &str = "[buildout]\nparts = password user\n\
     [password]\nrecipe = slapos.cookbook:generate.password\nstorage-path = ${buildout:directory}/password\n\
     [user]\nrecipe = slapos.recipe.template:jinja2\ninline = {{ passwd }}\ncontext = key passwd password:passwd\n\
     output = ${buildout:directory}/used\nmode = 0600\n";

#[test]
fn a_password_is_made_once_and_kept_out_of_the_record() {
    let trial = Trial::with_profile(PASSWORD);
    trial.built();
    let password = trial.read("used");

    trial.built();

    assert_eq!(trial.read("used"), password);
    assert!(password.len() == 16 && password.chars().all(|next| next.is_ascii_alphanumeric()), "{password}");
    assert_eq!(trial.read("password"), format!("{{\"\": \"{password}\"}}"));
    assert_eq!(trial.mode("password"), 0o600);
    assert!(!trial.read(".installed.cfg").contains(&password));
}

#[test]
fn a_password_in_the_older_form_is_read() {
    let trial = Trial::with_profile(PASSWORD);
    trial.write("password", "secret\n");

    trial.built();

    assert_eq!(trial.read("used"), "secret");
}

#[test]
fn a_directory_that_cannot_be_written_is_named_with_the_remedy() {
    if host::users::is_root() {
        // Nothing is read-only for root; a file in the place of the directory is in the way of everybody.
        let trial = Trial::with_profile(
            "[buildout]\nparts = file\n[file]\nrecipe = slapos.recipe.template\ninline = x\noutput = ${buildout:directory}/blocked/file\n",
        );
        trial.write("blocked", "a file");
        assert!(trial.refused().contains("cannot write DIRECTORY/blocked"), "{}", trial.refused());
        return;
    }
    let trial = Trial::with_profile(
        "[buildout]\nparts = file\n[file]\nrecipe = slapos.recipe.template\ninline = x\noutput = ${buildout:directory}/closed/file\n",
    );
    fs::create_dir(trial.path("closed")).unwrap();
    fs::set_permissions(trial.path("closed"), std::fs::Permissions::from_mode(0o555)).unwrap();

    let message = trial.refused();

    assert!(message.starts_with("E-file-permission: cannot write DIRECTORY/closed/file"), "{message}");
    assert!(
        message.contains("hint: let the user that runs the build write to DIRECTORY/closed"),
        "{message}"
    );
}
