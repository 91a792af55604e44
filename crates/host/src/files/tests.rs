//! What is on the disk after each of the changes, and after those that fail.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use super::*;

fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::try_from(directory.path().to_owned()).unwrap();
    (directory, path)
}

#[test]
fn replace_gives_the_mode_asked_for_and_leaves_nothing_beside() {
    let (_guard, root) = scratch();
    let path = root.join("state");

    replace(&path, "one", 0o640).unwrap();
    replace(&path, "two", 0o604).unwrap();

    assert_eq!(fs::read_to_string(&path).unwrap(), "two");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o604);
    assert_eq!(fs::read_dir(&root).unwrap().count(), 1);
}

#[test]
fn threads_that_replace_the_same_file_do_not_disturb_each_other() {
    let (_guard, root) = scratch();
    let path = root.join("state");

    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = &path;
            scope.spawn(move || {
                for round in 0..50 {
                    replace(path, format!("{writer} {round}"), 0o600).unwrap();
                }
            });
        }
    });

    assert!(fs::read_to_string(&path).unwrap().ends_with(" 49"));
    assert_eq!(fs::read_dir(&root).unwrap().count(), 1);
}

#[test]
fn replace_does_not_follow_a_link() {
    let (_guard, root) = scratch();
    let target = root.join("target");
    replace(&target, "untouched", 0o600).unwrap();
    fs::os::unix::fs::symlink(&target, root.join("link")).unwrap();

    replace(&root.join("link"), "new", 0o600).unwrap();

    assert_eq!(fs::read_to_string(&target).unwrap(), "untouched");
    assert_eq!(fs::read_to_string(root.join("link")).unwrap(), "new");
}

#[test]
fn replace_if_changed_reports_only_real_changes() {
    let (_guard, root) = scratch();
    let path = root.join("state");

    assert!(replace_if_changed(&path, "one", 0o600).unwrap());
    assert!(!replace_if_changed(&path, "one", 0o600).unwrap());
    assert!(replace_if_changed(&path, "one", 0o640).unwrap());
    assert!(replace_if_changed(&path, "two", 0o640).unwrap());
}

#[test]
fn remove_tree_removes_what_its_owner_cannot_write() {
    let (_guard, root) = scratch();
    let tree = root.join("tree");
    fs::create_dir_all(tree.join("a/b")).unwrap();
    replace(&tree.join("a/b/file"), "x", 0o400).unwrap();
    fs::set_permissions(tree.join("a/b"), Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(tree.join("a"), Permissions::from_mode(0o500)).unwrap();

    remove_tree(&tree).unwrap();
    remove_tree(&tree).unwrap();

    assert!(!tree.exists());
}

#[test]
fn a_read_only_tree_keeps_its_other_permissions_and_what_its_links_lead_to() {
    let (_guard, root) = scratch();
    let tree = root.join("tree");
    fs::create_dir_all(tree.join("a")).unwrap();
    replace(&tree.join("a/program"), "x", 0o755).unwrap();
    replace(&root.join("outside"), "x", 0o644).unwrap();
    fs::os::unix::fs::symlink(root.join("outside"), tree.join("link")).unwrap();

    make_read_only(&tree).unwrap();

    let mode = |path: &str| fs::metadata(root.join(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("tree") & 0o222, mode("tree/a") & 0o222), (0, 0));
    assert_eq!((mode("tree/a/program"), mode("outside")), (0o555, 0o644));
    remove_tree(&tree).unwrap();
}

#[test]
fn a_readable_tree_is_open_to_all_who_may_not_write_it() {
    let (_guard, root) = scratch();
    let tree = root.join("tree");
    fs::create_dir_all(tree.join("inside")).unwrap();
    for (name, mode, wanted) in
        [("text", 0o600, 0o644), ("program", 0o700, 0o755), ("kept", 0o466, 0o444), ("set", 0o4711, 0o4755)]
    {
        fs::write(tree.join(name), "x").unwrap();
        fs::set_permissions(tree.join(name), PermissionsExt::from_mode(mode)).unwrap();
        fs::set_permissions(tree.join("inside"), PermissionsExt::from_mode(0o700)).unwrap();

        make_readable(&tree).unwrap();

        let mode = |path: &str| fs::metadata(tree.join(path)).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode(name), mode("inside")), (wanted, 0o755), "{name}");
    }
}

#[test]
fn remove_tree_unlinks_a_link_and_keeps_its_target() {
    let (_guard, root) = scratch();
    fs::create_dir(root.join("kept")).unwrap();
    fs::os::unix::fs::symlink(root.join("kept"), root.join("link")).unwrap();

    remove_tree(&root.join("link")).unwrap();

    assert!(root.join("kept").is_dir());
}
