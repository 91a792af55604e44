//! Records that are damaged, and builds that meet.

use super::*;

#[test]
fn a_record_that_breaks_off_or_is_none_is_refused_and_kept() {
    let trial = Trial::new();
    let record = fs::read_to_string(trial.path(".installed.cfg")).unwrap();
    let told = |record: &[u8]| {
        trial.write(".installed.cfg", record);
        let (code, text) = trial.run(&["-c", "good.cfg"]);
        assert_eq!(code, Some(1), "{text}");
        assert_eq!(fs::read(trial.path(".installed.cfg")).unwrap(), record);
        assert_eq!(fs::read_to_string(trial.path("app")).unwrap().trim(), "good");
        trial.scrub(&text)
    };
    for (end, _) in record.match_indices('\n').filter(|(end, _)| end + 1 < record.len()) {
        // At the end of a line the file may look whole; then it must be as good as whole.
        trial.write(".installed.cfg", &record[..=end]);
        let (code, text) = trial.run(&["-c", "good.cfg"]);
        assert!(code == Some(0) || text.contains("E-record-damaged"), "{end}: {text}");
        assert_eq!(fs::read_to_string(trial.path("app")).unwrap().trim(), "good");
    }

    insta::assert_snapshot!(told(&record.as_bytes()[..record.len() / 2]), @"
    While:
      Installing.
    Error: the record of installed parts DIRECTORY/.installed.cfg is damaged: it ends in the middle of a line
    error: the record of installed parts DIRECTORY/.installed.cfg is damaged
      because: it ends in the middle of a line
    hint: remove DIRECTORY/.installed.cfg: the next build then builds every part again
    E-record-damaged
    ");
    insta::assert_snapshot!(told(b"\0\0\0\0"), @"
    While:
      Installing.
    Error: the record of installed parts DIRECTORY/.installed.cfg is damaged: it ends in the middle of a line
    error: the record of installed parts DIRECTORY/.installed.cfg is damaged
      because: it ends in the middle of a line
    hint: remove DIRECTORY/.installed.cfg: the next build then builds every part again
    E-record-damaged
    ");
    insta::assert_snapshot!(told(b"[buildout]\nparts = \xff\n"), @"
    While:
      Installing.
    Error: the record of installed parts DIRECTORY/.installed.cfg is damaged: DIRECTORY/.installed.cfg is not UTF-8: invalid utf-8 sequence of 1 bytes from index 19
    error: the record of installed parts DIRECTORY/.installed.cfg is damaged
      because: DIRECTORY/.installed.cfg is not UTF-8: invalid utf-8 sequence of 1 bytes from index 19
    hint: remove DIRECTORY/.installed.cfg: the next build then builds every part again
    E-record-damaged
    ");
    fs::remove_file(trial.path(".installed.cfg")).unwrap();
    trial.goes_on();
}

#[test]
fn a_record_of_another_version_is_understood_as_far_as_it_goes() {
    let trial = Trial::new();
    let record = fs::read_to_string(trial.path(".installed.cfg")).unwrap();
    let future = record.replace("[buildout]\n", "[buildout]\nformat = 7\n") + "\n[later]\nkind = unknown\n";
    let past = record.replace(
        "__buildout_signature__ = ",
        "__buildout_signature__ = slapos.recipe.template-4.0-py2.7.egg ",
    );
    for other in [future, past] {
        trial.write(".installed.cfg", &other);
        trial.goes_on();
        assert_eq!(fs::read_to_string(trial.path(".installed.cfg")).unwrap(), record);
    }
}

#[test]
fn a_second_build_in_the_same_directory_is_refused() {
    let trial = Trial::new();
    let (asked, wait) = std::sync::mpsc::channel();
    let (go_on, held) = std::sync::mpsc::channel();
    let address = server(move |_, stream| {
        let _ = asked.send(());
        let _ = held.recv_timeout(LIMIT);
        reply(stream, "200 OK\r\nContent-Length: 5", "hello");
    });
    fs::create_dir(trial.path("cache")).unwrap();
    trial.write("buildout.cfg", cached(&address));

    std::thread::scope(|scope| {
        let first = scope.spawn(|| trial.run(&[]));
        wait.recv().unwrap();
        let (code, text) = trial.run(&["-c", "good.cfg"]);
        go_on.send(()).unwrap();
        let (first, output) = first.join().unwrap();

        assert_eq!((code, first), (Some(1), Some(0)), "{text}{output}");
        let mut text = trial.scrub(&text);
        let start = text.find("process ").unwrap() + 8;
        let pid: String = text[start..].chars().take_while(char::is_ascii_digit).collect();
        text = text.replace(&pid, "PID");
        insta::assert_snapshot!(text, @"
        While:
          Installing.
        Error: another build is running in DIRECTORY
        error: another build is running in DIRECTORY
          because: the process PID holds it
        hint: wait until it ends, or end it: kill PID
        E-lock-held
        ");
    });
    trial.goes_on();
}
