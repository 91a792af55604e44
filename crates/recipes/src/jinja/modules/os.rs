//! `os.path`, for POSIX.

use camino::Utf8Path;
use minijinja::value::Value;

use super::super::builtins::Builtin;
use super::super::objects::{failure, tuple};
use super::Module;

pub(super) fn module() -> Value {
    Module::value(
        "os",
        vec![
            ("path", path_module()),
            ("sep", Value::from("/")),
            ("linesep", Value::from("\n")),
            ("pathsep", Value::from(":")),
        ],
    )
}

pub(super) fn path_module() -> Value {
    let functions = vec![
        (
            "join",
            Builtin::function("join", |_, args| {
                let mut path = String::new();
                for index in 0..args.positional().len() {
                    path = join(path, args.text(index, "path")?);
                }
                if args.positional().is_empty() {
                    Err(failure("join() misses its argument 'a'"))
                } else {
                    Ok(Value::from(path))
                }
            }),
        ),
        ("basename", Builtin::function("basename", |_, args| Ok(Value::from(split(args.text(0, "p")?).1)))),
        ("dirname", Builtin::function("dirname", |_, args| Ok(Value::from(split(args.text(0, "p")?).0)))),
        (
            "split",
            Builtin::function("split", |_, args| {
                let (head, tail) = split(args.text(0, "p")?);
                Ok(tuple(vec![Value::from(head), Value::from(tail)]))
            }),
        ),
        (
            "splitext",
            Builtin::function("splitext", |_, args| {
                let (root, extension) = splitext(args.text(0, "p")?);
                Ok(tuple(vec![Value::from(root), Value::from(extension)]))
            }),
        ),
        (
            "normpath",
            Builtin::function("normpath", |_, args| Ok(Value::from(normpath(args.text(0, "path")?)))),
        ),
        ("isabs", Builtin::function("isabs", |_, args| Ok(Value::from(args.text(0, "s")?.starts_with('/'))))),
        (
            "exists",
            Builtin::function("exists", |_, args| {
                Ok(Value::from(Utf8Path::new(args.text(0, "path")?).exists()))
            }),
        ),
        (
            "isfile",
            Builtin::function("isfile", |_, args| {
                Ok(Value::from(Utf8Path::new(args.text(0, "path")?).is_file()))
            }),
        ),
        (
            "isdir",
            Builtin::function("isdir", |_, args| Ok(Value::from(Utf8Path::new(args.text(0, "s")?).is_dir()))),
        ),
        (
            "islink",
            Builtin::function("islink", |_, args| {
                Ok(Value::from(Utf8Path::new(args.text(0, "path")?).is_symlink()))
            }),
        ),
        (
            "lexists",
            Builtin::function("lexists", |_, args| {
                Ok(Value::from(Utf8Path::new(args.text(0, "path")?).symlink_metadata().is_ok()))
            }),
        ),
        ("sep", Value::from("/")),
    ];
    Module::value("os.path", functions)
}

fn join(path: String, more: &str) -> String {
    if more.starts_with('/') || path.is_empty() {
        more.to_owned()
    } else if path.ends_with('/') {
        format!("{path}{more}")
    } else {
        format!("{path}/{more}")
    }
}

fn split(path: &str) -> (&str, &str) {
    let (head, tail) = path.rfind('/').map_or(("", path), |at| path.split_at(at + 1));
    let trimmed = head.trim_end_matches('/');
    (if trimmed.is_empty() { head } else { trimmed }, tail)
}

fn splitext(path: &str) -> (&str, &str) {
    let name_start = path.rfind('/').map_or(0, |at| at + 1);
    let name = &path[name_start..];
    let stem_start = name.len() - name.trim_start_matches('.').len();
    match name[stem_start..].rfind('.') {
        Some(at) => path.split_at(name_start + stem_start + at),
        None => (path, ""),
    }
}

/// `os.path.normpath`, which looks at the text only.
fn normpath(path: &str) -> String {
    let root = if path.starts_with("//") && !path.starts_with("///") {
        "//"
    } else if path.starts_with('/') {
        "/"
    } else {
        ""
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        let climbs = part == ".." && parts.last().is_some_and(|last| *last != "..");
        if climbs {
            parts.pop();
        } else if part != ".." || root.is_empty() {
            parts.push(part);
        }
    }
    let joined = format!("{root}{}", parts.join("/"));
    if joined.is_empty() { ".".to_owned() } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cut_as_python_does() {
        assert_eq!(split("/a//b"), ("/a", "b"));
        assert_eq!(split("/a"), ("/", "a"));
        assert_eq!(split("a/"), ("a", ""));
        assert_eq!(splitext("/x.y/.bashrc"), ("/x.y/.bashrc", ""));
        assert_eq!(splitext("a.tar.gz"), ("a.tar", ".gz"));
        assert_eq!(normpath("/a/./b//../c/../.."), "/");
        assert_eq!(normpath("../a/../../b"), "../../b");
        assert_eq!(join("a/".to_owned(), "b"), "a/b");
        assert_eq!(join("a".to_owned(), "/b"), "/b");
    }
}
