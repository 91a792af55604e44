//! Files and archives from elsewhere.

use std::io::Write;

use insta::assert_snapshot;

use crate::trial::Trial;

fn part(recipe: &str, options: &str) -> Trial {
    let trial =
        Trial::with_profile(&format!("[buildout]\nparts = app\n[app]\nrecipe = {recipe}\n{options}\n"));
    trial.write("source/app.py", "print('app')\n");
    let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(encoder);
    for (name, content) in [("pkg-1.0/README", "read me"), ("pkg-1.0/bin/run", "#!/bin/sh\n")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        archive.append_data(&mut header, name, content.as_bytes()).unwrap();
    }
    trial.write("source/pkg.tar.gz", archive.into_inner().unwrap().finish().unwrap());
    trial
}

#[test]
fn the_tutorials_download_of_a_plain_file_works() {
    let trial = part(
        "hexagonit.recipe.download",
        "url = ${buildout:directory}/source/app.py\nlocation = ${buildout:parts-directory}/app",
    );

    trial.built();

    assert_eq!(trial.read("parts/app/app.py"), "print('app')\n");
}

#[test]
fn archives_are_unpacked_unless_only_the_file_is_wanted() {
    let unpacked = part(
        "hexagonit.recipe.download",
        "url = ${buildout:directory}/source/pkg.tar.gz\nstrip-top-level-dir = true",
    );
    let kept = part(
        "hexagonit.recipe.download",
        "url = ${buildout:directory}/source/pkg.tar.gz\ndownload-only = true\nfilename = p.tgz",
    );

    unpacked.built();
    kept.built();

    assert_eq!(unpacked.read("parts/app/README"), "read me");
    assert!(kept.path("parts/app/p.tgz").is_file());
}

#[test]
fn build_download_offers_its_target_and_removes_it_with_the_part() {
    let trial = part(
        "slapos.recipe.build:download",
        "url = ${buildout:directory}/source/app.py\ndestination = ${buildout:directory}/here/app.py",
    );
    trial.built();
    assert_eq!(trial.read("here/app.py"), "print('app')\n");
    assert!(trial.read(".installed.cfg").contains(&format!("target = {}/here/app.py\n", trial.root())));
    trial.write("buildout.cfg", "[buildout]\nparts =\n");

    trial.built();

    assert!(!trial.path("here/app.py").exists());
    assert_eq!(trial.read("source/app.py"), "print('app')\n");
}

#[test]
fn build_download_without_destination_is_in_the_parts_directory() {
    let trial =
        part("slapos.recipe.build:download", "url = ${buildout:directory}/source/app.py\nfilename = x/y.py");

    trial.built();

    assert_eq!(trial.read("parts/app/y.py"), "print('app')\n");
}

#[test]
fn build_download_unpacked_takes_a_single_top_directory_away() {
    let stripped =
        part("slapos.recipe.build:download-unpacked", "url = ${buildout:directory}/source/pkg.tar.gz");
    let whole = part(
        "slapos.recipe.build:download-unpacked",
        "url = ${buildout:directory}/source/pkg.tar.gz\nstrip-top-level-dir = false",
    );

    stripped.built();
    whole.built();

    assert_eq!(stripped.read("parts/app/README"), "read me");
    assert_eq!(stripped.mode("parts/app/bin/run") & 0o100, 0o100);
    assert_eq!(whole.read("parts/app/pkg-1.0/README"), "read me");
}

#[test]
fn build_download_unpacked_depends_on_the_section_of_its_environment() {
    let archive = "url = ${buildout:directory}/source/pkg.tar.gz";
    let options = format!(
        "{archive}\nenvironment = tools\n[tools]\nrecipe = plone.recipe.command\ncommand = touch made"
    );
    let of_section = part("slapos.recipe.build:download-unpacked", &options);
    let wrong =
        part("slapos.recipe.build:download-unpacked", &format!("{archive}\nenvironment =\n  word\n  A = 1"));

    of_section.built();
    let error = wrong.build().unwrap_err();

    assert!(of_section.path("made").exists());
    let log = of_section.log().join("\n");
    assert!(!log.contains("unused"), "{log}");
    assert!(error.to_string().contains("Line 'word' in environment is incorrect"), "{error}");
}

#[test]
fn a_wrong_md5_leaves_nothing() {
    let trial = part(
        "slapos.recipe.build:download",
        "url = ${buildout:directory}/source/app.py\nmd5sum = 00000000000000000000000000000000",
    );

    assert_snapshot!(trial.refused(), @r"E-download-checksum: the local file is not the one the profile expects");
    assert!(!trial.path("parts/app").exists());
}

#[test]
fn an_address_that_nobody_answers_is_named() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    drop(silent);
    let trial = part("slapos.recipe.build:download", &format!("url = http://127.0.0.1:{port}/file"));

    let message = trial.refused().replace(&port.to_string(), "PORT");

    assert!(
        message.starts_with("E-download-failed: http://127.0.0.1:PORT/file could not be fetched"),
        "{message}"
    );
}

#[test]
fn a_server_that_has_no_such_file_is_named() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut request = [0_u8; 1024];
        let _ = std::io::Read::read(&mut stream, &mut request).unwrap();
        stream
            .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .unwrap();
    });
    let trial = part("hexagonit.recipe.download", &format!("url = http://127.0.0.1:{port}/file"));

    let message = trial.refused().replace(&port.to_string(), "PORT");
    answering.join().unwrap();

    assert_snapshot!(message, @r"E-download-failed: http://127.0.0.1:PORT/file answered 404");
}

#[test]
fn a_file_is_never_fetched_onto_itself() {
    let trial = part(
        "slapos.recipe.build:download",
        "url = ${buildout:directory}/source/app.py\ndestination = ${buildout:directory}/source/app.py",
    );

    assert_snapshot!(trial.refused(), @r"
    E-recipe-failed: DIRECTORY/source/app.py would be fetched onto itself
      hint: choose another `destination`, or use the file where it is
    ");
    assert_eq!(trial.read("source/app.py"), "print('app')\n");
}

#[test]
fn files_beside_an_unpacked_archive_stay_when_the_part_goes() {
    let trial = part(
        "hexagonit.recipe.download",
        "url = ${buildout:directory}/source/pkg.tar.gz\ndestination = ${buildout:directory}/place\nignore-existing = true",
    );
    trial.write("place/mine", "kept");
    trial.built();
    assert!(trial.path("place/pkg-1.0/README").is_file());
    trial.write("buildout.cfg", "[buildout]\nparts =\n");

    trial.built();

    assert!(!trial.path("place/pkg-1.0").exists());
    assert_eq!(trial.read("place/mine"), "kept");
}

#[test]
fn an_archive_never_takes_the_place_of_the_build() {
    let trial = part(
        "slapos.recipe.build:download-unpacked",
        "url = ${buildout:directory}/source/pkg.tar.gz\ndestination = ${buildout:directory}",
    );

    assert!(trial.refused().contains("holds the whole build"), "{}", trial.refused());
    assert!(trial.path("source/pkg.tar.gz").is_file());
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let mode = part("slapos.recipe.build:download", "url = x\nmode = 0644");
    let no_url = part("slapos.recipe.build:download", "destination = y");
    let shared = part("slapos.recipe.build:download", "url = x\nshared = true");
    let text = part("slapos.recipe.build:download-unpacked", "url = ${buildout:directory}/source/app.py");
    let directory = part(
        "slapos.recipe.build:download",
        "url = ${buildout:directory}/source/app.py\ndestination = ${buildout:directory}/source",
    );

    assert_snapshot!(directory.refused(), @r"
    E-recipe-failed: DIRECTORY/source is a directory
      hint: `destination` is the path of the file itself
    ");
    assert_snapshot!(mode.refused(), @r"
    E-recipe-failed: the option `mode` is not supported
      hint: remove it; a part of recipe slapos.recipe.template can give a file a mode
    ");
    assert_snapshot!(no_url.refused(), @r"E-profile-missing-option: section [app] has no option `url`");
    assert_snapshot!(shared.refused(), @r"
    E-recipe-failed: When shared=true, option 'md5sum' must be set
    ");
    assert_snapshot!(text.refused(), @r"
    E-recipe-failed: the file is no archive that can be unpacked
      hint: tar archives (plain, gzip, bzip2, xz, lzip) and zip archives are understood
    ");
}

#[test]
fn shared_downloads_live_outside_of_the_release() {
    let shared = tempfile::tempdir().unwrap();
    let root = shared.path().display();
    let trials: Vec<Trial> = ["md5sum = 9bb3e6f6ba0fc2b4d6b9a2a4c0d3b6a5", ""]
        .iter()
        .map(|md5| {
            let trial = part(
                "slapos.recipe.build:download",
                &format!("url = http://localhost:1/a\nshared = true\n{md5}"),
            );
            let profile =
                trial.read("buildout.cfg").replace("[app]", &format!("shared-part-list = {root}\n[app]"));
            trial.write("buildout.cfg", profile);
            trial
        })
        .collect();
    assert!(trials[1].refused().contains("When shared=true, option 'md5sum' must be set"));
    assert!(trials[0].refused().contains("could not be fetched"));

    let unpacked = || {
        let trial = part("slapos.recipe.build:download-unpacked", "url = source/pkg.tar.gz\nshared = true");
        let profile =
            trial.read("buildout.cfg").replace("[app]", &format!("shared-part-list = {root}\n[app]"));
        trial.write("buildout.cfg", profile);
        trial.built();
        let lines = trial.log();
        let places: Vec<_> = std::fs::read_dir(shared.path().join("app"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert_eq!(places.len(), 1, "{places:?}");
        assert_eq!(std::fs::read_dir(&places[0]).unwrap().count(), 3);
        assert!(!trial.path("parts/app").exists());
        lines
    };
    assert!(unpacked().iter().any(|line| line.ends_with("(needs to build)")));
    assert!(unpacked().contains(&"app: shared part is already installed".to_owned()));
}
