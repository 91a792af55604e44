//! Caches that take nothing.

use super::*;

/// What is told of a profile that fetches into a download cache on a disk of 64 KiB, mounted and changed by `commands`.
fn refusal_of_cache(commands: &str) -> Option<String> {
    let mut trial = Trial::new();
    let unshare = ["-rm", "/bin/true"];
    if !Program::new("/usr/bin/unshare").args(unshare).capture(LIMIT).is_ok_and(|done| done.success()) {
        // Not every container lets its users make a disk.
        return None;
    }
    let address = server(|_, stream| {
        reply(stream, "200 OK\r\nContent-Length: 1000000", &"x".repeat(1_000_000));
    });
    fs::create_dir(trial.path("cache")).unwrap();
    let inside =
        format!("mount -t tmpfs -o size=64k none cache && mkdir cache/dist && {commands} && exec \"$@\"");
    trial.before = format!("exec unshare -rm /bin/sh -c '{inside}' sh \"$@\"; true");
    Some(trial.refusal(cached(&address)))
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    if let Some(told) = refusal_of_cache("mount -o remount,ro cache") {
        insta::assert_snapshot!(told, @"
        Updating app.
        Installing other.
        Downloading http://SERVER/file
        While:
          Installing other.
        Error: cannot keep what http://SERVER/file sends in DIRECTORY/cache: read-only filesystem or storage medium
        error: cannot keep what http://SERVER/file sends in DIRECTORY/cache
          because: read-only filesystem or storage medium
           ╭▸ DIRECTORY/buildout.cfg:11:1
           │
        11 │ url = http://SERVER/file
           ╰╴━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
        hint: run as a user who may write there, or choose another directory
        E-file-permission
        ");
    }
}

#[test]
fn a_cache_that_is_full_is_named() {
    if let Some(told) = refusal_of_cache("true") {
        insta::assert_snapshot!(told, @"
        Updating app.
        Installing other.
        Downloading http://SERVER/file
        While:
          Installing other.
        Error: cannot keep what http://SERVER/file sends in DIRECTORY/cache: No space left on device (os error 28)
        error: cannot keep what http://SERVER/file sends in DIRECTORY/cache
          because: No space left on device (os error 28)
           ╭▸ DIRECTORY/buildout.cfg:11:1
           │
        11 │ url = http://SERVER/file
           ╰╴━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
        hint: make room on the file system, then run the same command again: it goes on
        E-disk-full
        ");
    }
}
