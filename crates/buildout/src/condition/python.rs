//! The part of Python that conditions can see: names, modules and functions, answered from the facts of an
//! interpreter.

use std::io::Read as _;

use host::python::Facts;

use super::ConditionError;
use super::value::{Value, method};

/// Larger files are refused.
const LARGEST_FILE: u64 = 1 << 20;

fn marker<'a>(facts: &'a Facts, name: &str) -> &'a str {
    facts.markers.get(name).map_or("", String::as_str)
}

fn text_of(facts: &Facts, name: &str) -> Value {
    Value::Text(marker(facts, name).to_owned())
}

/// The three numbers of the version.
fn release(facts: &Facts) -> [u32; 3] {
    let micro = facts.version.rsplit('.').next().and_then(|number| number.parse().ok());
    [facts.major, facts.minor, micro.unwrap_or_default()]
}

pub(super) fn global(name: &str, facts: &Facts) -> Result<Value, ConditionError> {
    let [major, minor, _] = release(facts);
    let implementation = marker(facts, "platform_python_implementation").to_ascii_lowercase();
    let platform = marker(facts, "sys_platform").to_ascii_lowercase();
    let flag = match name {
        "sys" | "os" | "platform" | "len" | "int" | "str" | "open" => {
            return Ok(Value::Module(name.to_owned()));
        }
        "cpython" => !matches!(implementation.as_str(), "pypy" | "jython" | "ironpython"),
        "pypy" | "jython" | "ironpython" => implementation == name,
        "linux" => platform.contains("linux"),
        "windows" => platform.contains("win32"),
        "cygwin" => platform.contains("cygwin"),
        "solaris" => platform.contains("sunos"),
        "macosx" => platform.contains("darwin"),
        "posix" => marker(facts, "os_name").contains("posix"),
        "bits32" => facts.bits == 32,
        "bits64" => facts.bits == 64,
        "little_endian" => !facts.big_endian,
        "big_endian" => facts.big_endian,
        _ => match name.strip_prefix("python") {
            Some(digits)
                if (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                if digits.len() == 1 {
                    digits == major.to_string()
                } else {
                    digits == format!("{major}{minor}")
                }
            }
            _ => return Err(ConditionError::Name(name.to_owned())),
        },
    };
    Ok(Value::Bool(flag))
}

pub(super) fn attribute(owner: &Value, name: &str, facts: &Facts) -> Result<Value, ConditionError> {
    let unknown = |owner: &str| Err(ConditionError::Name(format!("{owner}.{name}")));
    match owner {
        Value::Record(fields) => match fields.iter().find(|(field, _)| *field == name) {
            Some((_, value)) => Ok(value.clone()),
            None => unknown("(record)"),
        },
        Value::Text(text) => match name {
            "split" | "startswith" | "endswith" | "lower" | "upper" | "strip" => {
                Ok(Value::Method(text.clone(), name.to_owned()))
            }
            _ => unknown("(text)"),
        },
        Value::File(text) if name == "read" => Ok(Value::Method(text.clone(), name.to_owned())),
        Value::Module(module) => match (module.as_str(), name) {
            ("sys", "platform") => Ok(text_of(facts, "sys_platform")),
            ("sys", "byteorder") => {
                Ok(Value::Text(if facts.big_endian { "big" } else { "little" }.to_owned()))
            }
            ("sys", "maxsize") => {
                Ok(Value::Int(if facts.bits == 32 { i64::from(i32::MAX) } else { i64::MAX }))
            }
            ("sys", "version_info") => {
                let [major, minor, micro] = release(facts).map(|number| Value::Int(i64::from(number)));
                Ok(Value::Tuple(vec![
                    major,
                    minor,
                    micro,
                    Value::Text(facts.release_level.0.clone()),
                    Value::Int(i64::from(facts.release_level.1)),
                ]))
            }
            ("os", "name") => Ok(text_of(facts, "os_name")),
            ("os", "path") => Ok(Value::Module("os.path".to_owned())),
            ("os", "R_OK") => Ok(Value::Int(4)),
            ("os", "W_OK") => Ok(Value::Int(2)),
            ("os", "X_OK") => Ok(Value::Int(1)),
            ("os", "F_OK") => Ok(Value::Int(0)),
            ("os", "uname" | "access")
            | ("os.path", "isdir" | "isfile" | "exists" | "islink")
            | (
                "platform",
                "machine"
                | "system"
                | "release"
                | "version"
                | "python_implementation"
                | "python_version"
                | "freedesktop_os_release",
            ) => Ok(Value::Module(format!("{module}.{name}"))),
            (module, _) => unknown(module),
        },
        // The fields of `sys.version_info`.
        Value::Tuple(items) if items.len() == 5 => {
            let fields = ["major", "minor", "micro", "releaselevel", "serial"];
            match fields.iter().position(|field| *field == name) {
                Some(position) => Ok(items[position].clone()),
                None => unknown("(tuple)"),
            }
        }
        _ => unknown("(value)"),
    }
}

pub(super) fn call(function: &Value, arguments: &[Value], facts: &Facts) -> Result<Value, ConditionError> {
    let wrong =
        |name: &str| ConditionError::Beyond(format!("`{name}` cannot be called with these arguments"));
    match (function, arguments) {
        (Value::Method(text, name), _) => method(text, name, arguments).ok_or_else(|| wrong(name)),
        (Value::Module(name), []) => match name.as_str() {
            "platform.machine" => Ok(text_of(facts, "platform_machine")),
            "platform.system" => Ok(text_of(facts, "platform_system")),
            "platform.release" => Ok(text_of(facts, "platform_release")),
            "platform.version" => Ok(text_of(facts, "platform_version")),
            "platform.python_implementation" => Ok(text_of(facts, "platform_python_implementation")),
            "platform.python_version" => Ok(Value::Text(facts.version.clone())),
            "platform.freedesktop_os_release" => os_release(),
            "os.uname" => Ok(Value::Record(vec![
                ("sysname", text_of(facts, "platform_system")),
                ("release", text_of(facts, "platform_release")),
                ("version", text_of(facts, "platform_version")),
                ("machine", text_of(facts, "platform_machine")),
            ])),
            _ => Err(wrong(name)),
        },
        (Value::Module(name), [Value::Text(path), rest @ ..]) if name.starts_with("os.") => {
            let path = std::path::Path::new(path);
            match (name.as_str(), rest) {
                ("os.path.isdir", []) => Ok(Value::Bool(path.is_dir())),
                ("os.path.isfile", []) => Ok(Value::Bool(path.is_file())),
                ("os.path.exists", []) => Ok(Value::Bool(path.exists())),
                ("os.path.islink", []) => Ok(Value::Bool(path.is_symlink())),
                ("os.access", [Value::Int(mode)]) => Ok(Value::Bool(host::files::is_accessible(path, *mode))),
                _ => Err(wrong(name)),
            }
        }
        (Value::Module(name), [argument]) => match (name.as_str(), argument) {
            ("len", Value::Text(text)) => Ok(Value::Int(text.chars().count() as i64)),
            ("len", Value::Tuple(items) | Value::List(items)) => Ok(Value::Int(items.len() as i64)),
            ("int", Value::Text(text)) => text.trim().parse().map(Value::Int).map_err(|_| wrong(name)),
            ("int", Value::Int(number)) => Ok(Value::Int(*number)),
            ("str", Value::Int(number)) => Ok(Value::Text(number.to_string())),
            ("open", Value::Text(path)) => open(path),
            ("str", Value::Text(text)) => Ok(Value::Text(text.clone())),
            _ => Err(wrong(name)),
        },
        _ => Err(wrong("it")),
    }
}

fn open(path: &str) -> Result<Value, ConditionError> {
    let mut text = String::new();
    let read =
        fs_err::File::open(path).and_then(|file| file.take(LARGEST_FILE + 1).read_to_string(&mut text));
    read.map_err(|error| ConditionError::Meaning(error.to_string()))?;
    if text.len() as u64 > LARGEST_FILE {
        return Err(ConditionError::Meaning(format!("{path} is too large")));
    }
    Ok(Value::File(text))
}

/// `/etc/os-release` as `platform.freedesktop_os_release()` gives it.
fn os_release() -> Result<Value, ConditionError> {
    let read =
        fs_err::read_to_string("/etc/os-release").or_else(|_| fs_err::read_to_string("/usr/lib/os-release"));
    let text = read.map_err(|error| ConditionError::Meaning(error.to_string()))?;
    let mut fields: Vec<(String, Value)> = [("NAME", "Linux"), ("ID", "linux"), ("PRETTY_NAME", "Linux")]
        .map(|(name, value)| (name.to_owned(), Value::Text(value.to_owned())))
        .into();
    for line in text.lines() {
        let Some((name, value)) = line.trim().split_once('=') else { continue };
        let value = value.trim_matches(['"', '\'']).to_owned();
        fields.retain(|(known, _)| known != name);
        fields.push((name.to_owned(), Value::Text(value)));
    }
    Ok(Value::Map(fields))
}
