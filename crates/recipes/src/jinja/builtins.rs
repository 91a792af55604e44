//! Python's built-in functions, and its types as values: `str`, `dict`, `isinstance(x, list)`.

mod classes;
mod iteration;

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use self::classes::is_instance;
pub(super) use self::classes::types;
use self::iteration::{extreme, filter, map, next, zip};
use super::arguments::Arguments;
use super::format_spec;
use super::list_methods::sorted;
use super::modules::Module;
use super::number::{Number, absolute, arithmetic, rounded, truncated, whole};
use super::objects::{Cursor, Dict, List, failure, hashable, is_macro, iterate, tuple, type_name};
use super::operators::{add, defined};
use super::text::{display, dumps, repr};

type Body = fn(&mut State<'_, '_>, &Arguments) -> Result<Value, Error>;

/// A function, or a type that can be called, under its Python name.
pub(super) struct Builtin {
    pub(super) name: &'static str,
    body: Body,
    is_type: bool,
}

impl Builtin {
    pub(super) fn function(name: &'static str, body: Body) -> Value {
        Value::from_object(Self { name, body, is_type: false })
    }

    fn class(name: &'static str, body: Body) -> Value {
        Value::from_object(Self { name, body, is_type: true })
    }
}

impl fmt::Debug for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_type {
            write!(f, "<class '{}'>", self.name)
        } else {
            write!(f, "<built-in function {}>", self.name)
        }
    }
}

impl Object for Builtin {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        (self.body)(state, &Arguments::new(self.name, args))
    }

    /// `str.upper(x)` is `x.upper()`; `dict.fromkeys` has no instance.
    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        name: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        if !self.is_type {
            return Err(Error::from(ErrorKind::UnknownMethod));
        }
        match (self.name, name, args) {
            ("dict", "fromkeys", [keys, rest @ ..]) => {
                let value = rest.first().cloned().unwrap_or_else(|| Value::from(()));
                let pairs = iterate(keys)?.into_iter().map(|key| Ok((hashable(&key)?, value.clone())));
                Ok(Dict::value(pairs.collect::<Result<Vec<_>, Error>>()?))
            }
            (_, _, [instance, rest @ ..]) if type_name(instance) == self.name => {
                instance.call_method(state, name, rest)
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

const FUNCTIONS: [(&str, Body); 31] = [
    ("abs", |_, args| absolute(args.require(0, "x")?)),
    ("all", |_, args| Ok(Value::from(iterate(args.require(0, "iterable")?)?.iter().all(Value::is_true)))),
    ("any", |_, args| Ok(Value::from(iterate(args.require(0, "iterable")?)?.iter().any(Value::is_true)))),
    ("bin", |_, args| in_base(args, "#b")),
    ("callable", |_, args| Ok(Value::from(is_callable(args.require(0, "object")?)))),
    ("chr", |_, args| character(args)),
    ("divmod", |_, args| {
        let (left, right) = (args.require(0, "x")?, args.require(1, "y")?);
        Ok(tuple(vec![arithmetic("//", left, right)?, arithmetic("%", left, right)?]))
    }),
    ("enumerate", |_, args| {
        let start = args.optional_integer(1, "start")?.unwrap_or(0);
        let items = iterate(args.require(0, "iterable")?)?;
        Ok(Cursor::value((start..).zip(items).map(|(index, item)| tuple(vec![Value::from(index), item]))))
    }),
    ("filter", filter),
    ("format", |_, args| {
        let spec = args.optional_text(1, "format_spec")?.unwrap_or_default();
        format_spec::format(args.require(0, "value")?, spec).map(Value::from)
    }),
    ("hex", |_, args| in_base(args, "#x")),
    ("isinstance", |_, args| {
        is_instance(args.require(0, "object")?, args.require(1, "class")?).map(Value::from)
    }),
    ("iter", |_, args| {
        let value = args.require(0, "iterable")?;
        if value.downcast_object_ref::<Cursor>().is_some() {
            Ok(value.clone())
        } else {
            Ok(Cursor::value(iterate(value)?.into_iter()))
        }
    }),
    ("len", |_, args| length(args.require(0, "object")?)),
    ("map", map),
    ("max", |state, args| extreme(state, args, ">")),
    ("min", |state, args| extreme(state, args, "<")),
    ("next", next),
    ("oct", |_, args| in_base(args, "#o")),
    ("ord", |_, args| {
        let mut characters = args.text(0, "c")?.chars();
        match (characters.next(), characters.next()) {
            (Some(only), None) => Ok(Value::from(u32::from(only))),
            _ => Err(failure("ord() expected a character")),
        }
    }),
    ("pow", |_, args| {
        args.limit(2, &[])?;
        arithmetic("**", args.require(0, "base")?, args.require(1, "exponent")?)
    }),
    ("repr", |state, args| {
        defined(state, args.require(0, "object")?)?;
        Ok(Value::from(repr(args.require(0, "object")?)))
    }),
    ("reversed", |_, args| Ok(Cursor::value(iterate(args.require(0, "sequence")?)?.into_iter().rev()))),
    ("round", round),
    ("sorted", |state, args| sorted(state, iterate(args.require(0, "iterable")?)?, args).map(List::value)),
    ("sum", |_, args| {
        let start = args.get(1, "start").cloned().unwrap_or_else(|| Value::from(0));
        iterate(args.require(0, "iterable")?)?.iter().try_fold(start, |total, item| add(&total, item))
    }),
    ("zip", |_, args| zip(args)),
    ("assert", |_, args| {
        if args.require(0, "condition")?.is_true() {
            return Ok(Value::from(""));
        }
        Err(failure(format!("AssertionError: {}", args.get(1, "message").map(display).unwrap_or_default())))
    }),
    ("dumps", |state, args| {
        defined(state, args.require(0, "value")?)?;
        dumps(args.require(0, "value")?).map(Value::from)
    }),
    ("__do", |_, _| Ok(Value::from(""))),
    ("__float", |_, args| {
        args.text(0, "x")?.parse::<f64>().map(Value::from).map_err(|_| failure("not a number"))
    }),
];

/// Every global that the recipe offers to templates, `dumps` included.
pub(super) fn globals() -> Vec<(&'static str, Value)> {
    let mut globals: Vec<_> =
        FUNCTIONS.into_iter().map(|(name, body)| (name, Builtin::function(name, body))).collect();
    globals.extend(types());
    globals.push(("namespace", Value::from_function(minijinja::functions::namespace)));
    globals
}

fn in_base(args: &Arguments, spec: &str) -> Result<Value, Error> {
    format_spec::format(&Value::from(args.integer(0, "number")?), spec).map(Value::from)
}

pub(super) fn is_callable(value: &Value) -> bool {
    // Functions, types and methods are plain objects; so are modules.
    is_macro(value) || (value.kind() == ValueKind::Plain && value.downcast_object_ref::<Module>().is_none())
}

fn character(args: &Arguments) -> Result<Value, Error> {
    let code = u32::try_from(args.integer(0, "i")?).ok().and_then(char::from_u32);
    code.map(|found| Value::from(found.to_string()))
        .ok_or_else(|| failure("chr() arg not in range(0x110000)"))
}

/// `len(value)`.
pub(super) fn length(value: &Value) -> Result<Value, Error> {
    let is_sized = !matches!(type_name(value), "generator" | "object");
    value
        .len()
        .filter(|_| is_sized)
        .map(Value::from)
        .ok_or_else(|| failure(format!("object of type '{}' has no len()", type_name(value))))
}

fn round(_: &mut State<'_, '_>, args: &Arguments) -> Result<Value, Error> {
    let value = args.require(0, "number")?;
    let digits = args.optional_integer(1, "ndigits")?;
    match (Number::of(value), digits) {
        (Some(Number::Integer(number)), None | Some(0..)) => Ok(whole(number)),
        (Some(Number::Float(number)), Some(digits @ 0..=300)) => {
            rounded(number, usize::try_from(digits).unwrap_or(0))
        }
        (Some(Number::Float(number)), None) => truncated(number.round_ties_even())
            .map(whole)
            .ok_or_else(|| failure("this rounding is not supported")),
        _ => Err(failure("this rounding is not supported")),
    }
}
