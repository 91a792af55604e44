//! Scripts whose first line is longer than a kernel reads: a small shell script takes their place and starts them.

use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;

use camino::Utf8Path;
use fs_err as fs;

/// As much of a first line as every kernel reads, its end included.
const LONGEST: usize = 128;
/// Directories with programs.
const DIRECTORIES: [&str; 2] = ["bin", "sbin"];
/// What is appended to the name of a script that cannot be started by the kernel.
const SUFFIX: &str = ".shebang";
const STARTER: &str = r##"#!/bin/sh
# The first line of "$0.shebang" is longer than a kernel reads.
IFS= read -r line < "$0.shebang"
line=${line#"#!"}
read -r program argument <<END
$line
END
exec "$program" ${argument:+"$argument"} "$0.shebang" "$@"
"##;

/// Mends the programs below `location`.
///
/// # Errors
/// A directory or file that cannot be read or written.
pub(super) fn mend(location: &Utf8Path) -> io::Result<()> {
    for directory in DIRECTORIES.map(|name| location.join(name)) {
        if !directory.is_dir() {
            continue;
        }
        for entry in directory.read_dir_utf8()? {
            let entry = entry?;
            // A script that has made its place already may come up a second time.
            let is_moved = entry.file_name().ends_with(SUFFIX);
            if entry.file_type()?.is_file() && !is_moved && has_long_header(entry.path())? {
                let script = entry.path();
                let mode = fs::symlink_metadata(script)?.permissions().mode() & 0o7777;
                fs::rename(script, format!("{script}{SUFFIX}"))?;
                host::files::replace_unsynced(script, STARTER, mode)?;
            }
        }
    }
    Ok(())
}

fn has_long_header(path: &Utf8Path) -> io::Result<bool> {
    let mut start = Vec::with_capacity(LONGEST);
    let file = match fs::File::open(path) {
        Ok(file) => file,
        // A program that its owner cannot read is no script.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(false),
        Err(error) => return Err(error),
    };
    file.take(LONGEST as u64).read_to_end(&mut start)?;
    Ok(start.len() == LONGEST && start.starts_with(b"#!") && !start.contains(&b'\n'))
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;
    use host::process::Program;

    use super::*;

    #[test]
    fn scripts_with_long_first_lines_start_all_the_same() {
        let guard = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(guard.path().to_owned()).unwrap();
        let deep = root.join("d".repeat(140));
        fs::create_dir_all(root.join("bin")).unwrap();
        fs::create_dir(&deep).unwrap();
        std::os::unix::fs::symlink("/bin/sh", deep.join("sh")).unwrap();
        let write = |name: &str, text: String| {
            host::files::replace(&root.join("bin").join(name), text, 0o755).unwrap();
        };
        write("long", format!("#! {deep}/sh -e\necho \"$1\" \"$2\"\nfalse\necho not stopped\n"));
        write("short", "#!/bin/sh\n".to_owned());
        write("binary", "x".repeat(300));

        mend(&root).unwrap();
        mend(&root).unwrap();

        let done = Program::new(root.join("bin/long")).args(["a b", "c"]).run(None, &mut |_| {}).unwrap();
        assert_eq!((done.text().as_str(), done.verdict().as_str()), ("a b c\n", "exit code 1"));
        let mut names: Vec<String> = root
            .join("bin")
            .read_dir_utf8()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_owned())
            .collect();
        names.sort();
        assert_eq!(names, ["binary", "long", "long.shebang", "short"]);
    }
}
