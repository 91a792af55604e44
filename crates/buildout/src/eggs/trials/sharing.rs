//! What builds, and the parts of one build, share: directories, stores, and what they have learnt.

use super::index_over_http::serve;
use super::*;

#[test]
fn two_builds_at_once_share_a_store_and_an_eggs_directory() {
    let mut place = place(&[("one", "1.0"), ("two", "1.0")]);
    place.wheel("one", "1.0", &["two"]);
    place.wheel("two", "1.0", &[]);
    place.settings.shared_store = Some(place.root.join("store"));

    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| place.installed(&["one"]))).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap().len(), 2);
        }
    });

    let left: Vec<String> = Utf8Path::new(&place.settings.eggs_directory)
        .read_dir_utf8()
        .unwrap()
        .map(|e| e.unwrap().file_name().to_owned())
        .collect();
    assert!(left.iter().all(|name| !name.starts_with(".egg-")), "{left:?}");
}

#[test]
fn parts_of_one_build_share_what_they_learn() {
    let mut place = place(&[]);
    let one = fs::read(place.wheel("one", "1.0", &[])).unwrap();
    let (address, asked) = serve(BTreeMap::from([
        ("/one/".to_owned(), b"<a href='/one-1.0-py3-none-any.whl'>one</a>".to_vec()),
        ("/one-1.0-py3-none-any.whl".to_owned(), one),
    ]));
    place.settings.index = Some(address);
    let memory = EggMemory::default();

    for _ in 0..3 {
        let set = Eggs::new(&place.settings, &|_, _| {}).with_memory(&memory).install(&["one"]).unwrap();
        assert_eq!(set.path().len(), 1);
    }

    assert_eq!(*asked.lock().unwrap(), ["/one/", "/one-1.0-py3-none-any.whl"]);
}

#[test]
fn eggs_have_byte_code_when_the_build_ends() {
    let place = place(&[]);
    place.wheel("one", "1.0", &[]);
    let memory = EggMemory::default();

    let set = Eggs::new(&place.settings, &|_, _| {}).with_memory(&memory).install(&["one"]).unwrap();
    drop(memory);

    assert_eq!(set.path()[0].join("__pycache__").read_dir_utf8().unwrap().count(), 1);
}

#[test]
fn python_is_started_once_however_often_a_set_is_resolved() {
    let mut place = place(&[("one", "1.0")]);
    place.wheel("one", "1.0", &[]);
    let (launcher, starts) = (place.root.join("python3"), place.root.join("starts"));
    fs::write(
        &launcher,
        format!("#!/bin/sh\necho start >> {starts}\nexec {} \"$@\"\n", place.settings.python),
    )
    .unwrap();
    fs::set_permissions(&launcher, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    place.settings.python = launcher;

    for _ in 0..3 {
        place.install(&["one"]).unwrap();
    }

    assert_eq!(fs::read_to_string(&starts).unwrap(), "start\n");
}
