//! Jinja2's tests: what follows `is` in `x is defined`.

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, State};

use super::arguments::integer;
use super::builtins::is_callable;
use super::objects::{AsText, Dict, List, Set, failure, is_mapping};
use super::operators::defined;
use super::order::{equal, holds};

const KINDS: [&str; 14] = [
    "defined",
    "undefined",
    "none",
    "string",
    "mapping",
    "number",
    "integer",
    "float",
    "boolean",
    "true",
    "false",
    "callable",
    "iterable",
    "sequence",
];

const COMPARISONS: [(&str, &str); 10] = [
    ("eq", "=="),
    ("equalto", "=="),
    ("ne", "!="),
    ("lt", "<"),
    ("lessthan", "<"),
    ("gt", ">"),
    ("greaterthan", ">"),
    ("le", "<="),
    ("ge", ">="),
    ("in", "in"),
];

/// The operator of a test that compares: that of its name, or the name itself.
pub(super) fn comparison(test: &str) -> Option<&'static str> {
    COMPARISONS
        .iter()
        .find(|(name, operator)| *name == test || *operator == test)
        .map(|(_, operator)| *operator)
}

/// Makes the tests known to `environment`.
pub(super) fn register(environment: &mut Environment<'_>) {
    for name in KINDS {
        environment.add_test(name, move |value: &Value| kind_test(name, value).unwrap_or(false));
    }
    for (name, operator) in COMPARISONS {
        environment.add_test(name, move |state: &mut State<'_, '_>, left: &Value, right: &Value| {
            defined(state, left)?;
            defined(state, right)?;
            holds(operator, left, right)
        });
    }
    environment.add_test("even", |value: &Value| Ok::<_, Error>(integer(value)? % 2 == 0));
    environment.add_test("odd", |value: &Value| Ok::<_, Error>(integer(value)?.rem_euclid(2) == 1));
    environment.add_test("divisibleby", |value: &Value, by: &Value| match integer(by)? {
        0 => Err(failure("integer modulo by zero")),
        by => Ok(integer(value)? % by == 0),
    });
    environment.add_test("lower", |value: &Value| {
        value.as_text().is_some_and(|text| has_case(text, char::is_lowercase, char::is_uppercase))
    });
    environment.add_test("upper", |value: &Value| {
        value.as_text().is_some_and(|text| has_case(text, char::is_uppercase, char::is_lowercase))
    });
    environment.add_test("sameas", same);
}

/// Whether a value is of a kind that the test of that name means.
fn kind_test(name: &str, value: &Value) -> Option<bool> {
    let kind = value.kind();
    Some(match name {
        "defined" => !value.is_undefined(),
        "undefined" => value.is_undefined(),
        "none" => value.is_none(),
        "string" => kind == ValueKind::String,
        "mapping" => is_mapping(value),
        "number" => matches!(kind, ValueKind::Number | ValueKind::Bool),
        "integer" => kind == ValueKind::Number && value.is_integer(),
        "float" => kind == ValueKind::Number && !value.is_integer(),
        "boolean" => kind == ValueKind::Bool,
        "true" => kind == ValueKind::Bool && value.is_true(),
        "false" => kind == ValueKind::Bool && !value.is_true(),
        "callable" => is_callable(value),
        "iterable" => matches!(
            kind,
            ValueKind::Seq | ValueKind::Map | ValueKind::Iterable | ValueKind::String | ValueKind::Bytes
        ),
        "sequence" => {
            matches!(kind, ValueKind::Seq | ValueKind::Map | ValueKind::String | ValueKind::Bytes)
        }
        _ => return None,
    })
}

fn has_case(text: &str, wanted: fn(char) -> bool, other: fn(char) -> bool) -> bool {
    text.chars().any(wanted) && !text.chars().any(other)
}

/// Identity: containers by address, None and booleans by value; Python does not define it for numbers and text.
fn same(left: &Value, right: &Value) -> Result<bool, Error> {
    if left.kind() != right.kind() {
        return Ok(false);
    }
    if left.is_none() || left.kind() == ValueKind::Bool {
        return Ok(equal(left, right));
    }
    match (address(left), address(right)) {
        (Some(left), Some(right)) => Ok(left == right),
        _ => Err(failure("the test `sameas` on such values is not supported")),
    }
}

fn address(value: &Value) -> Option<*const ()> {
    let list = value.downcast_object_ref::<List>().map(|list| std::ptr::from_ref(list).cast());
    let dict = || value.downcast_object_ref::<Dict>().map(|dict| std::ptr::from_ref(dict).cast());
    let set = || value.downcast_object_ref::<Set>().map(|set| std::ptr::from_ref(set).cast());
    list.or_else(dict).or_else(set)
}
