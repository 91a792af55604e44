//! Every case of bad input: one clear message, a documented exit code, and a directory from which the next `up` goes on.

use crate::release::{empty_index, good, with_instance, with_software};
use crate::{cloud, failure};

/// What is told of a release with this software profile; the next `up`, of a good one, goes on from there.
fn refusal_of(software: &str) -> String {
    let cloud = cloud();
    let release = with_software(&cloud, software);

    let run = cloud.up(&release, &[]);

    let told = failure(&cloud, &run);
    let _ = cloud.up(&good(&cloud), &[]).success();
    told
}

#[test]
fn a_syntax_error_is_shown_with_its_line() {
    let told = refusal_of("[buildout]\nparts =\napp\n");

    insta::assert_snapshot!(told, @"
    error: this line is neither an option, a section nor a continuation
      ╭▸ TEST/release/software.cfg:3:1
      │
      3 │ app
      ╰╴━━━
    hint: a value that goes on must be indented: put at least one blank before “app”
    hint: then run slapos up again: it goes on from here, what is built is kept
    hint: the whole log: ROOT/var/log/agent.log
    E-profile-syntax
    exit code 1
    ");
}

#[test]
fn an_unknown_section_is_named() {
    let told = refusal_of(
        "[buildout]\nparts = app\n[app]\nrecipe = slapos.cookbook:mkdirectory\npath = ${nope:where}\n",
    );

    insta::assert_snapshot!(told, @"
    error: `${nope:where}` in section [app]: section [nope] does not exist
      ╭▸ TEST/release/software.cfg:5:8
      │
      5 │ path = ${nope:where}
      ╰╴       ━━━━━━━━━━━━━ there is no [nope]
    hint: correct it, then run slapos up again: it goes on from here, what is built is kept
    hint: the whole log: ROOT/var/log/agent.log
    E-profile-unknown-section
    exit code 1
    ");
}

#[test]
fn an_unknown_option_is_named_with_those_that_exist() {
    let told = refusal_of(
        "[buildout]\nparts = app\n[app]\nrecipe = slapos.cookbook:mkdirectory\npath = ${other:ur}\n[other]\nurl = x\n",
    );

    insta::assert_snapshot!(told, @"
    error: `${other:ur}` in section [app] refers to an option that does not exist
      ╭▸ TEST/release/software.cfg:5:8
      │
      5 │ path = ${other:ur}
      ╰╴       ━━━━━━━━━━━ [other] has: url
    hint: did you mean ${other:url}?
    hint: then run slapos up again: it goes on from here, what is built is kept
    hint: the whole log: ROOT/var/log/agent.log
    E-profile-unknown-option
    exit code 1
    ");
}

#[test]
fn a_circular_reference_is_named() {
    let told = refusal_of(
        "[buildout]\nparts = app\n[app]\nrecipe = slapos.cookbook:mkdirectory\na = ${:b}\nb = ${:a}\n",
    );

    insta::assert_snapshot!(told, @"
    error: the option a of section [app] refers to itself
      because: the way: ${app:a} → ${app:b} → ${app:a}
      ╭▸ TEST/release/software.cfg:6:5
      │
      6 │ b = ${:a}
      ╰╴    ━━━━━ the circle closes here
    hint: give one of these options a value of its own
    hint: then run slapos up again: it goes on from here, what is built is kept
    hint: the whole log: ROOT/var/log/agent.log
    E-profile-circular
    exit code 1
    ");
}

#[test]
fn a_recipe_that_does_not_exist_is_named() {
    let told = refusal_of(
        "[buildout]\noffline = true\nparts = app\n[app]\nrecipe = slapos.recipe.buildd:download\n",
    );

    insta::assert_snapshot!(told, @"
    error: recipe `slapos.recipe.buildd:download` of [app] is not built in and could not be loaded
      because: We don't have a distribution for slapos.recipe.buildd
      and can't install one in offline (no-install) mode.
      ╭▸ TEST/release/software.cfg:5:1
      │
      5 │ recipe = slapos.recipe.buildd:download
      ╰╴━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
    hint: build once without `offline = true`
    hint: then run slapos up again: it goes on from here, what is built is kept
    hint: the whole log: ROOT/var/log/agent.log
    E-eggs-missing
    exit code 1
    ");
}

#[test]
fn a_pin_that_the_index_does_not_have_is_named() {
    let index = empty_index();
    let told = refusal_of(&format!(
        "[buildout]\nindex = {index}\nparts = app\nversions = versions\n\
             [app]\nrecipe = zc.recipe.egg\neggs = nothing-of-that-name\n[versions]\nnothing-of-that-name = 1.2.3\n"
    ));

    insta::assert_snapshot!(told, @"
    error: Couldn't find a distribution for 'nothing-of-that-name==1.2.3'.
      because: [versions] sets nothing-of-that-name = 1.2.3 (TEST/release/software.cfg:9)
      because: looked at http://127.0.0.1:PORT/simple/
      ╭▸ TEST/release/software.cfg:7:1
      │
      7 │ eggs = nothing-of-that-name
      ╰╴━━━━━━━━━━━━━━━━━━━━━━━━━━━
    hint: check the name in `nothing-of-that-name==1.2.3`, `index` and `find-links`
    hint: then run slapos up again: it goes on from here, what is built is kept
    hint: the whole log: ROOT/var/log/agent.log
    E-eggs-missing
    exit code 1
    ");
}

#[test]
fn without_python_a_release_that_needs_it_says_so() {
    let cloud = cloud();
    let index = empty_index();
    let release = with_software(
        &cloud,
        &format!("[buildout]\nindex = {index}\nparts = app\n[app]\nrecipe = zc.recipe.egg\neggs = nothing\n"),
    );
    let (root, port) = (cloud.root(), cloud.port().to_string());
    let words = ["up", release.as_str(), "--detach", "--root", root.as_str(), "--port", &port];

    let run = cloud.run_with(&[("PATH", "/nonexistent")], &words);

    insta::assert_snapshot!(failure(&cloud, &run), @"
    error: no `python3` that this user may execute in /nonexistent
    hint: install it with `apt install python3`
    hint: then run slapos up again: it goes on from here, what is built is kept
    hint: the whole log: ROOT/var/log/agent.log
    E-bridge-python-missing
    exit code 1
    ");
    let _ = cloud.here(&["down"]).success();
    let _ = cloud.up(&good(&cloud), &[]).success();
}

#[test]
fn a_wrong_checksum_is_told_with_both() {
    let told = refusal_of(
        "[buildout]\nparts = app\n[app]\nrecipe = slapos.recipe.build:download\n\
         url = ${:_profile_base_location_}/instance.cfg.in\nmd5sum = 00000000000000000000000000000000\n",
    );

    insta::assert_snapshot!(told, @"
    error: the local file is not the one the profile expects
      because: md5 of TEST/release/instance.cfg.in is MD5, the profile says MD5
      ╭▸ TEST/release/software.cfg:6:1
      │
      6 │ md5sum = MD5
      ╰╴━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
    hint: if the file was changed on purpose, write MD5 in the place of 00000000000000000000000000000000; else put back the one that was meant
    hint: then run slapos up again: it goes on from here, what is built is kept
    hint: the whole log: ROOT/var/log/agent.log
    E-download-checksum
    exit code 1
    ");
}

#[test]
fn an_unreachable_address_is_named() {
    let [port] = testkit::ports::free();
    let told = refusal_of(&format!(
        "[buildout]\nparts = app\n[app]\nrecipe = slapos.recipe.build:download\nurl = http://127.0.0.1:{port}/app.tar.gz\n"
    ));

    insta::assert_snapshot!(told, @"
    error: http://127.0.0.1:PORT/app.tar.gz could not be fetched
      because: io: Connection refused (os error 111)
      ╭▸ TEST/release/software.cfg:5:1
      │
      5 │ url = http://127.0.0.1:PORT/app.tar.gz
      ╰╴━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
    hint: check the network, then run the same command again: it goes on where it stopped
    hint: then run slapos up again: it goes on from here, what is built is kept
    hint: the whole log: ROOT/var/log/agent.log
    E-download-failed
    exit code 1
    ");
}

#[test]
fn a_profile_that_does_not_exist_is_named() {
    let cloud = cloud();

    let run = cloud.up(&cloud.directory().join("nothing"), &[]);

    insta::assert_snapshot!(failure(&cloud, &run), @"
    error: there is no profile at TEST/nothing
      because: No such file or directory (os error 2)
    hint: give a directory that holds a software.cfg, such a file, or an address
    E-profile-missing
    exit code 1
    ");
}

#[test]
fn a_profile_at_an_unreachable_address_is_named() {
    let cloud = cloud();
    let [port] = testkit::ports::free();

    let run = cloud.up(format!("http://127.0.0.1:{port}/app/software.cfg").as_str().into(), &[]);

    insta::assert_snapshot!(failure(&cloud, &run), @"
    error: cannot read the profile http://127.0.0.1:PORT/app/software.cfg
      because: http://127.0.0.1:PORT/app/software.cfg could not be fetched
      because: io: Connection refused (os error 111)
      ╭▸ ROOT/soft/MD5/buildout.cfg:2:11
      │
      2 │ extends = http://127.0.0.1:PORT/app/software.cfg
      ╰╴          ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ extended here
    hint: check the network, then run the same command again: it goes on where it stopped
    hint: then run slapos up again: it goes on from here, what is built is kept
    hint: the whole log: ROOT/var/log/agent.log
    E-profile-extends-missing
    exit code 1
    ");
    let _ = cloud.up(&good(&cloud), &[]).success();
}

#[test]
fn no_free_port_is_told_with_the_range() {
    let cloud = cloud();
    let release = good(&cloud);
    let _taken = std::net::TcpListener::bind(("127.0.0.1", 65535));
    let root = cloud.root();

    let run = cloud.run(&["up", release.as_str(), "--detach", "--root", root.as_str(), "--port", "65535"]);

    insta::assert_snapshot!(failure(&cloud, &run), @"
    error: no free port for the master between 65535 and 65535 on 127.0.0.1
      because: each of them is used by another process
    hint: ss -ltnp 'sport >= 65535 and sport <= 65535' shows by which
    hint: start elsewhere: slapos up --port PORT
    E-no-free-port
    exit code 1
    ");
    let _ = cloud.up(&release, &[]).success();
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let cloud = cloud();
    let release = good(&cloud);
    fs_err::create_dir(cloud.root()).unwrap();
    fs_err::write(cloud.root().join("something"), "of somebody else").unwrap();
    fs_err::set_permissions(cloud.root(), std::os::unix::fs::PermissionsExt::from_mode(0o555)).unwrap();

    let run = cloud.up(&release, &[]);

    insta::assert_snapshot!(failure(&cloud, &run), @"
    error: cannot keep a cloud in ROOT
      because: failed to create directory `ROOT/etc`: Permission denied (os error 13)
    hint: make it writable, or choose another directory: --root DIR
    E-directory-unwritable
    exit code 1
    ");
    fs_err::set_permissions(cloud.root(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    fs_err::remove_file(cloud.root().join("something")).unwrap();
    let _ = cloud.up(&release, &[]).success();
}

#[test]
fn a_promise_that_hangs_is_a_failing_promise() {
    let cloud = cloud();
    let release = with_instance(
        &cloud,
        "[buildout]\nparts = promise\n\
         [promise]\nrecipe = slapos.recipe.template\noutput = ${buildout:directory}/etc/promise/patience\nmode = 755\ninline =\n  \
         #!/bin/sh\n  sleep 1000\n",
    );

    let run = cloud.up(&release, &["--patience", "3"]);

    insta::assert_snapshot!(failure(&cloud, &run), @"
    error: `release` was built, but 1 of 1 promises fail
      because: patience: Error: Promise timed out after 20 seconds
    hint: what it writes: slapos logs release
    hint: it is looked at again by itself: slapos status
    E-promise-failed
    exit code 2
    ");
    let _ = cloud.up(&good(&cloud), &[]).success();
}

#[test]
fn a_damaged_database_is_named_and_its_removal_is_enough() {
    let cloud = cloud();
    let release = good(&cloud);
    let _ = cloud.up(&release, &[]).success();
    let _ = cloud.here(&["down"]).success();
    let database = cloud.root().join("var/db/master.db");
    fs_err::write(
        &database,
        "this is no database, whatever its name says, and it is long enough to be looked at",
    )
    .unwrap();

    let run = cloud.up(&release, &[]);

    insta::assert_snapshot!(failure(&cloud, &run), @"
    error: the file `ROOT/var/db/master.db` is not a database of this master
    hint: move it away: mv ROOT/var/db/master.db ROOT/var/db/master.db.damaged; the next slapos up makes a new one
    E-database
    exit code 1
    ");
    fs_err::remove_file(&database).unwrap();
    let _ = cloud.up(&release, &[]).success();
}

#[test]
fn a_second_up_in_the_same_directory_is_told_who_works_there() {
    let cloud = cloud();
    let release = with_software(
        &cloud,
        "[buildout]\nparts = slow\n[slow]\nrecipe = plone.recipe.command\ncommand = sleep 60\n",
    );
    let port = cloud.port().to_string();
    let root = cloud.root();
    let mut first = cloud.start(&["up", release.as_str(), "--root", root.as_str(), "--port", &port]);
    testkit::cloud::wait_until("the first one works", || {
        cloud.root().join("inst/var/log/slapos-events.jsonl").exists()
    });

    let run = cloud.up(&release, &[]);

    insta::assert_snapshot!(failure(&cloud, &run), @"
    error: another slapos works on the cloud in ROOT
      because: pid N: slapos up TEST/release, since TIME TIME UTC
    hint: look at what it does: slapos status
    hint: end it: slapos down; or use another directory: --root DIR
    E-lock-held
    exit code 10
    ");
    let _ = cloud.here(&["down"]).success();
    first.process.wait().unwrap();
    assert_eq!(cloud.processes(), []);
    let _ = cloud.up(&good(&cloud), &[]).success();
}

#[test]
fn a_service_that_exits_at_once_is_shown_with_what_it_wrote() {
    let cloud = cloud();
    let release = with_instance(
        &cloud,
        "[buildout]\nparts = service\n\
         [service]\nrecipe = slapos.recipe.template\noutput = ${buildout:directory}/etc/service/web\nmode = 755\ninline =\n  \
         #!/bin/sh\n  echo cannot find my settings >&2\n  exit 3\n",
    );

    let run = cloud.up(&release, &["--patience", "3"]);

    insta::assert_snapshot!(failure(&cloud, &run), @"
    error: `release` was built, but a service of it does not run
      because: service web does not run: it ended with exit code 3
      cannot find my settings
    hint: what it writes: slapos logs release
    hint: it is looked at again by itself: slapos status
    E-service-down
    exit code 2
    ");
    let _ = cloud.up(&good(&cloud), &[]).success();
}

#[test]
fn a_profile_that_the_clouds_user_cannot_reach_is_named_with_the_remedy() {
    if !host::users::is_root() {
        // An ordinary user's cloud runs as that user, who reaches what he named.
        return;
    }
    let cloud = cloud();
    let release = cloud.write_release("closed/release", &[("software.cfg", "[buildout]\nparts =\n")]);
    let closed = cloud.directory().join("closed");
    fs_err::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();

    let run = cloud.up(&release, &[]);

    insta::assert_snapshot!(failure(&cloud, &run), @"
    error: the user `slapos`, as whom everything is built, cannot read TEST/closed/release/software.cfg
      because: TEST/closed is closed to it
      because: failed to open file `TEST/closed/release/software.cfg`: Permission denied (os error 13)
    hint: open the way: chmod o+x TEST/closed
    hint: or put the profile somewhere else, for example below /srv, or run slapos up as an ordinary user
    E-profile-unreachable
    exit code 1
    ");
    fs_err::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let _ = cloud.up(&good(&cloud), &[]).success();
}

#[test]
fn a_full_disk_is_told_with_the_way_out() {
    let cloud = cloud();
    let release = good(&cloud);
    let root = cloud.root();
    fs_err::create_dir(&root).unwrap();
    let mount = |words: &[&str]| {
        let finished =
            host::process::Program::new("/bin/mount").args(words.iter().copied()).run(None, &mut |_| {});
        finished.is_ok_and(|finished| finished.success())
    };
    if !mount(&["-t", "tmpfs", "-o", "size=40m,mode=755", "tmpfs", root.as_str()]) {
        // Only root may make a small disk, and not in every container.
        return;
    }

    let run = cloud.up(&release, &[]);

    assert!(mount(&["-o", "remount,size=400m", root.as_str()]));
    let again = cloud.up(&release, &[]);
    let _ = cloud.here(&["down"]);
    let unmounted = host::process::Program::new("/bin/umount").arg(root.as_str()).run(None, &mut |_| {});
    assert!(unmounted.unwrap().success());
    let _ = again.success();
    insta::assert_snapshot!(failure(&cloud, &run), @"
    error: the release could not be built
      because: Not enough space for ROOT/soft/MD5: available TIME MB, required TIME MB (option 'software_min_free_space')
    hint: free space, or lower software_min_free_space; the next pass continues
    hint: then run slapos up again: it goes on from here, what is built is kept
    hint: the whole log: ROOT/var/log/agent.log
    E-disk-full
    exit code 1
    ");
}
