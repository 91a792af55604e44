//! Evaluates the expressions of conditions against the facts of an interpreter.

use std::cmp::Ordering;
use std::io::Read as _;

use super::ConditionError;
use super::expression::{Comparison, Comprehension, Expression};
use host::python::Facts;

/// What an expression evaluates to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Text(String),
    Tuple(Vec<Self>),
    List(Vec<Self>),
    /// A module or one of its functions, by its full name.
    Module(String),
    /// A method of a text, to be called.
    Method(String, String),
    /// What an opened file holds.
    File(String),
    /// Named fields.
    Record(Vec<(&'static str, Self)>),
    Map(Vec<(String, Self)>),
}

impl Value {
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(number) => *number != 0,
            Self::Text(text) => !text.is_empty(),
            Self::Tuple(items) | Self::List(items) => !items.is_empty(),
            Self::Map(items) => !items.is_empty(),
            Self::Module(_) | Self::Method(..) | Self::File(_) | Self::Record(_) => true,
        }
    }
}

/// More evaluations than this are refused: nested comprehensions multiply.
const MOST_STEPS: u32 = 100_000;
/// Larger files are refused.
const LARGEST_FILE: u64 = 1 << 20;

/// What names mean while an expression is evaluated.
struct Scope<'a> {
    facts: &'a Facts,
    /// Variables of comprehensions, the innermost last.
    variables: Vec<(String, Value)>,
    steps: u32,
}

pub(super) fn evaluate(expression: &Expression, facts: &Facts) -> Result<Value, ConditionError> {
    Scope { facts, variables: Vec::new(), steps: 0 }.evaluate(expression)
}

impl Scope<'_> {
    fn evaluate(&mut self, expression: &Expression) -> Result<Value, ConditionError> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(ConditionError::Meaning("it takes too long".to_owned()));
        }
        Ok(match expression {
            Expression::None => Value::None,
            Expression::Bool(value) => Value::Bool(*value),
            Expression::Int(number) => Value::Int(*number),
            Expression::Text(text) => Value::Text(text.clone()),
            Expression::Name(name) => match self.variables.iter().rfind(|(known, _)| known == name) {
                Some((_, value)) => value.clone(),
                None => global(name, self.facts)?,
            },
            Expression::Tuple(items) => Value::Tuple(self.evaluate_all(items)?),
            Expression::List(items) => Value::List(self.evaluate_all(items)?),
            Expression::Comprehension(comprehension) => self.comprehension(comprehension)?,
            Expression::Attribute(owner, name) => attribute(&self.evaluate(owner)?, name, self.facts)?,
            Expression::Index(owner, index) => index_of(&self.evaluate(owner)?, &self.evaluate(index)?)?,
            Expression::Slice(owner, start, end) => slice(&self.evaluate(owner)?, *start, *end)?,
            Expression::Call(function, arguments) => {
                let function = self.evaluate(function)?;
                call(&function, &self.evaluate_all(arguments)?, self.facts)?
            }
            Expression::Not(inner) => Value::Bool(!self.evaluate(inner)?.is_true()),
            Expression::And(left, right) => match self.evaluate(left)? {
                left if left.is_true() => self.evaluate(right)?,
                left => left,
            },
            Expression::Or(left, right) => match self.evaluate(left)? {
                left if left.is_true() => left,
                _ => self.evaluate(right)?,
            },
            Expression::Compare(first, rest) => {
                let mut left = self.evaluate(first)?;
                for (comparison, right) in rest {
                    let right = self.evaluate(right)?;
                    if !compare(&left, *comparison, &right)? {
                        return Ok(Value::Bool(false));
                    }
                    left = right;
                }
                Value::Bool(true)
            }
        })
    }

    fn evaluate_all(&mut self, items: &[Expression]) -> Result<Vec<Value>, ConditionError> {
        items.iter().map(|item| self.evaluate(item)).collect()
    }

    fn comprehension(&mut self, comprehension: &Comprehension) -> Result<Value, ConditionError> {
        let items = match self.evaluate(&comprehension.items)? {
            Value::List(items) | Value::Tuple(items) => items,
            Value::Text(text) => text.chars().map(|letter| Value::Text(letter.to_string())).collect(),
            _ => return Err(ConditionError::Beyond("this cannot be gone through".to_owned())),
        };
        let mut made = Vec::new();
        for item in items {
            self.variables.push((comprehension.variable.clone(), item));
            let is_wanted = match &comprehension.condition {
                Some(condition) => self.evaluate(condition)?.is_true(),
                None => true,
            };
            if is_wanted {
                made.push(self.evaluate(&comprehension.element)?);
            }
            self.variables.pop();
        }
        Ok(Value::List(made))
    }
}

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

fn global(name: &str, facts: &Facts) -> Result<Value, ConditionError> {
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

fn attribute(owner: &Value, name: &str, facts: &Facts) -> Result<Value, ConditionError> {
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

fn call(function: &Value, arguments: &[Value], facts: &Facts) -> Result<Value, ConditionError> {
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

fn method(text: &str, name: &str, arguments: &[Value]) -> Option<Value> {
    let flag = |value| Some(Value::Bool(value));
    let list = |items: Vec<&str>| {
        Some(Value::List(items.into_iter().map(|item| Value::Text(item.into())).collect()))
    };
    match (name, arguments) {
        ("read", []) => Some(Value::Text(text.to_owned())),
        ("lower", []) => Some(Value::Text(text.to_lowercase())),
        ("upper", []) => Some(Value::Text(text.to_uppercase())),
        ("strip", []) => Some(Value::Text(text.trim().to_owned())),
        ("split", []) => list(text.split_whitespace().collect()),
        ("split", [Value::Text(by)]) if !by.is_empty() => list(text.split(by.as_str()).collect()),
        ("startswith", [Value::Text(start)]) => flag(text.starts_with(start.as_str())),
        ("endswith", [Value::Text(end)]) => flag(text.ends_with(end.as_str())),
        ("startswith" | "endswith", [Value::Tuple(choices)]) => {
            let mut any = false;
            for choice in choices {
                let Value::Text(choice) = choice else { return None };
                any |= if name == "startswith" { text.starts_with(choice) } else { text.ends_with(choice) };
            }
            flag(any)
        }
        _ => None,
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

fn index_of(owner: &Value, index: &Value) -> Result<Value, ConditionError> {
    let missing = || ConditionError::Meaning("there is no such item".to_owned());
    match (owner, index) {
        (Value::Tuple(items) | Value::List(items), Value::Int(index)) => {
            position(*index, items.len()).map(|index| items[index].clone()).ok_or_else(missing)
        }
        (Value::Text(text), Value::Int(index)) => {
            let letters: Vec<char> = text.chars().collect();
            position(*index, letters.len())
                .map(|index| Value::Text(letters[index].to_string()))
                .ok_or_else(missing)
        }
        (Value::Map(items), Value::Text(key)) => {
            items.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone()).ok_or_else(missing)
        }
        (Value::Tuple(_) | Value::List(_) | Value::Text(_) | Value::Map(_), _) => Err(missing()),
        // Of what `os.uname` gives, not every field is here.
        _ => Err(ConditionError::Beyond("this has no items".to_owned())),
    }
}

fn position(index: i64, length: usize) -> Option<usize> {
    let index = if index < 0 { index + length as i64 } else { index };
    usize::try_from(index).ok().filter(|index| *index < length)
}

fn slice(owner: &Value, start: Option<i64>, end: Option<i64>) -> Result<Value, ConditionError> {
    let cut = |length: usize| {
        let bound = |index: i64| {
            let index = if index < 0 { index + length as i64 } else { index };
            usize::try_from(index.max(0)).unwrap_or(length).min(length)
        };
        let from = start.map_or(0, bound);
        from..end.map_or(length, bound).max(from)
    };
    match owner {
        Value::Tuple(items) => Ok(Value::Tuple(items[cut(items.len())].to_vec())),
        Value::List(items) => Ok(Value::List(items[cut(items.len())].to_vec())),
        Value::Text(text) => {
            let letters: Vec<char> = text.chars().collect();
            Ok(Value::Text(letters[cut(letters.len())].iter().collect()))
        }
        _ => Err(ConditionError::Beyond("this has no slices".to_owned())),
    }
}

fn compare(left: &Value, comparison: Comparison, right: &Value) -> Result<bool, ConditionError> {
    let ordered =
        || order(left, right).ok_or_else(|| ConditionError::Beyond("these values have no order".to_owned()));
    Ok(match comparison {
        Comparison::Equal | Comparison::Is => is_equal(left, right),
        Comparison::NotEqual | Comparison::IsNot => !is_equal(left, right),
        Comparison::Less => ordered()?.is_lt(),
        Comparison::LessOrEqual => ordered()?.is_le(),
        Comparison::Greater => ordered()?.is_gt(),
        Comparison::GreaterOrEqual => ordered()?.is_ge(),
        Comparison::In => contains(right, left)?,
        Comparison::NotIn => !contains(right, left)?,
    })
}

fn is_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Bool(flag), Value::Int(number)) | (Value::Int(number), Value::Bool(flag)) => {
            i64::from(*flag) == *number
        }
        _ => left == right,
    }
}

fn contains(container: &Value, item: &Value) -> Result<bool, ConditionError> {
    match (container, item) {
        (Value::Text(text), Value::Text(part)) => Ok(text.contains(part.as_str())),
        (Value::Tuple(items) | Value::List(items), _) => Ok(items.iter().any(|other| is_equal(other, item))),
        (Value::Map(items), Value::Text(key)) => Ok(items.iter().any(|(name, _)| name == key)),
        _ => Err(ConditionError::Beyond("`in` has no meaning between these values".to_owned())),
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Tuple(left), Value::Tuple(right)) | (Value::List(left), Value::List(right)) => {
            for (left, right) in left.iter().zip(right) {
                if !is_equal(left, right) {
                    return order(left, right);
                }
            }
            Some(left.len().cmp(&right.len()))
        }
        _ => None,
    }
}
