//! Python's built-in functions, and its types as values: `str`, `dict`, `isinstance(x, list)`.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::arguments::{Arguments, integer};
use super::dict_methods::merged;
use super::list_methods::sorted;
use super::modules::Module;
use super::objects::{
    AsText, Cursor, Dict, List, Range, Set, failure, hashable, is_macro, iterate, tuple, type_name,
};
use super::operators::{Number, add, arithmetic, order, whole};
use super::text::{display, dumps, repr};
use super::{format_spec, string_methods};

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
        super::operators::defined(state, args.require(0, "object")?)?;
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
        super::operators::defined(state, args.require(0, "value")?)?;
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

pub(super) fn types() -> Vec<(&'static str, Value)> {
    let types: [(&'static str, Body); 12] = [
        ("bool", |_, args| Ok(Value::from(args.get(0, "x").is_some_and(Value::is_true)))),
        ("bytes", bytes),
        ("complex", |_, _| Err(failure("complex numbers are not supported"))),
        ("dict", |_, args| merged(args).map(Dict::value)),
        ("float", float),
        ("frozenset", |_, args| set(args, true)),
        ("int", int),
        ("list", |_, args| args.get(0, "iterable").map_or(Ok(Vec::new()), iterate).map(List::value)),
        ("range", range),
        ("set", |_, args| set(args, false)),
        ("str", str),
        ("tuple", |_, args| args.get(0, "iterable").map_or(Ok(Vec::new()), iterate).map(tuple)),
    ];
    types.into_iter().map(|(name, body)| (name, Builtin::class(name, body))).collect()
}

fn absolute(value: &Value) -> Result<Value, Error> {
    match Number::of(value) {
        Some(Number::Integer(number)) => Ok(whole(number.abs())),
        Some(Number::Float(number)) => Ok(Value::from(number.abs())),
        None => Err(failure(format!("bad operand type for abs(): '{}'", type_name(value)))),
    }
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

fn filter(state: &mut State<'_, '_>, args: &Arguments) -> Result<Value, Error> {
    let function = args.require(0, "function")?;
    let mut kept = Vec::new();
    for item in iterate(args.require(1, "iterable")?)? {
        let is_kept = if function.is_none() {
            item.is_true()
        } else {
            function.call(state, std::slice::from_ref(&item))?.is_true()
        };
        if is_kept {
            kept.push(item);
        }
    }
    Ok(Cursor::value(kept.into_iter()))
}

fn map(state: &mut State<'_, '_>, args: &Arguments) -> Result<Value, Error> {
    let function = args.require(0, "function")?;
    let rows = rows(args.positional().get(1..).unwrap_or_default())?;
    let mapped: Result<Vec<_>, _> = rows.into_iter().map(|row| function.call(state, &row)).collect();
    Ok(Cursor::value(mapped?.into_iter()))
}

fn zip(args: &Arguments) -> Result<Value, Error> {
    args.limit(usize::MAX, &[])?;
    Ok(Cursor::value(rows(args.positional())?.into_iter().map(tuple)))
}

/// The first items of every sequence, then the second ones, up to the shortest. Endless iterators are read only as far
/// as the others reach.
fn rows(sequences: &[Value]) -> Result<Vec<Vec<Value>>, Error> {
    let mut columns = Vec::new();
    for sequence in sequences {
        columns.push(match sequence.downcast_object::<Cursor>() {
            Some(cursor) => {
                Box::new(std::iter::from_fn(move || cursor.next())) as Box<dyn Iterator<Item = Value>>
            }
            None => Box::new(iterate(sequence)?.into_iter()),
        });
    }
    let mut rows = Vec::new();
    while !columns.is_empty() {
        let row: Option<Vec<Value>> = columns.iter_mut().map(Iterator::next).collect();
        match row {
            Some(row) => rows.push(row),
            None => break,
        }
    }
    Ok(rows)
}

fn is_instance(value: &Value, class: &Value) -> Result<bool, Error> {
    if class.is_tuple() {
        return iterate(class)?
            .iter()
            .try_fold(false, |found, class| Ok(found || is_instance(value, class)?));
    }
    let class = class.downcast_object_ref::<Builtin>().filter(|class| class.is_type);
    let class = class.ok_or_else(|| failure("isinstance() arg 2 must be a type or a tuple of types"))?;
    let found = type_name(value);
    Ok(found == class.name || (found == "bool" && class.name == "int"))
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

fn extreme(state: &mut State<'_, '_>, args: &Arguments, operator: &str) -> Result<Value, Error> {
    let items = match args.positional() {
        [only] => iterate(only)?,
        several => several.to_vec(),
    };
    let key = args.by_name("key").filter(|key| !key.is_none());
    let mut best: Option<(Value, Value)> = None;
    for item in items {
        let by = match key {
            Some(key) => key.call(state, std::slice::from_ref(&item))?,
            None => item.clone(),
        };
        let is_better = match &best {
            None => true,
            Some((other, _)) => match operator {
                ">" => order(operator, &by, other)? == Some(std::cmp::Ordering::Greater),
                _ => order(operator, &by, other)? == Some(std::cmp::Ordering::Less),
            },
        };
        if is_better {
            best = Some((by, item));
        }
    }
    best.map(|(_, item)| item)
        .or_else(|| args.by_name("default").cloned())
        .ok_or_else(|| failure("the sequence is empty"))
}

fn next(_: &mut State<'_, '_>, args: &Arguments) -> Result<Value, Error> {
    let iterator = args.require(0, "iterator")?;
    let cursor = iterator.downcast_object_ref::<Cursor>();
    let cursor =
        cursor.ok_or_else(|| failure(format!("'{}' object is not an iterator", type_name(iterator))))?;
    cursor.next().or_else(|| args.get(1, "default").cloned()).ok_or_else(|| failure("StopIteration"))
}

fn round(_: &mut State<'_, '_>, args: &Arguments) -> Result<Value, Error> {
    let value = args.require(0, "number")?;
    let digits = args.optional_integer(1, "ndigits")?;
    match (Number::of(value), digits) {
        (Some(Number::Integer(number)), None | Some(0..)) => Ok(whole(number)),
        #[expect(clippy::cast_possible_truncation, reason = "the size is checked")]
        (Some(Number::Float(number)), None) if number.abs() < 1e18 => {
            Ok(whole(number.round_ties_even() as i128))
        }
        // The decimal text of a float is exact, so that it is rounded as Python rounds.
        (Some(Number::Float(number)), Some(digits @ 0..=300)) => {
            let digits = usize::try_from(digits).unwrap_or(0);
            format!("{number:.digits$}")
                .parse::<f64>()
                .map(Value::from)
                .map_err(|_| failure("this number cannot be rounded"))
        }
        _ => Err(failure("this rounding is not supported")),
    }
}

fn bytes(_: &mut State<'_, '_>, args: &Arguments) -> Result<Value, Error> {
    match args.get(0, "source") {
        None => Ok(Value::from_bytes(Vec::new())),
        Some(text) if text.as_text().is_some() => {
            string_methods::encode(args.text(0, "source")?, Some(args.text(1, "encoding")?))
        }
        Some(bytes) if bytes.kind() == ValueKind::Bytes => Ok(bytes.clone()),
        Some(other) => {
            let numbers = iterate(other)?;
            let bytes = numbers.iter().map(|number| {
                u8::try_from(integer(number)?).map_err(|_| failure("bytes must be in range(0, 256)"))
            });
            bytes.collect::<Result<Vec<u8>, _>>().map(Value::from_bytes)
        }
    }
}

fn set(args: &Arguments, is_frozen: bool) -> Result<Value, Error> {
    let items = args.get(0, "iterable").map_or(Ok(Vec::new()), iterate)?;
    Ok(Set::value(items.iter().map(hashable).collect::<Result<Vec<_>, _>>()?, is_frozen))
}

fn str(state: &mut State<'_, '_>, args: &Arguments) -> Result<Value, Error> {
    let Some(value) = args.get(0, "object") else { return Ok(Value::from("")) };
    super::operators::defined(state, value)?;
    if value.kind() == ValueKind::Bytes && args.get(1, "encoding").is_some() {
        return string_methods::decode(
            value.as_bytes().unwrap_or_default(),
            args.optional_text(1, "encoding")?,
        );
    }
    Ok(Value::from(display(value)))
}

fn float(_: &mut State<'_, '_>, args: &Arguments) -> Result<Value, Error> {
    let Some(value) = args.get(0, "x") else { return Ok(Value::from(0.0)) };
    if let Some(number) = Number::of(value) {
        return Ok(Value::from(number.float()));
    }
    let text = value.as_text().ok_or_else(|| {
        failure(format!("float() argument must be a string or a number, not '{}'", type_name(value)))
    })?;
    text.trim()
        .replace('_', "")
        .parse::<f64>()
        .map(Value::from)
        .map_err(|_| failure(format!("could not convert string to float: {}", repr(value))))
}

fn int(_: &mut State<'_, '_>, args: &Arguments) -> Result<Value, Error> {
    let Some(value) = args.get(0, "x") else { return Ok(Value::from(0)) };
    if let (None, Some(number)) = (args.get(1, "base"), Number::of(value)) {
        return match number {
            Number::Integer(number) => Ok(whole(number)),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "Python truncates as well; the size is checked"
            )]
            Number::Float(number) if number.abs() < 1e18 => Ok(whole(number as i128)),
            Number::Float(_) => Err(failure("this float cannot be converted to an integer")),
        };
    }
    let base = args.optional_integer(1, "base")?.unwrap_or(10);
    let text = value.as_text().ok_or_else(|| {
        failure(format!(
            "int() argument must be a string, a bytes-like object or a real number, not '{}'",
            type_name(value)
        ))
    })?;
    parse_integer(text, base)
        .map(whole)
        .ok_or_else(|| failure(format!("invalid literal for int() with base {base}: {}", repr(value))))
}

/// An integer as `int(text, base)` reads it.
pub(super) fn parse_integer(text: &str, base: i64) -> Option<i128> {
    let text = text.trim();
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut radix = u32::try_from(base).ok()?;
    let mut digits = digits.to_ascii_lowercase();
    for (prefix, of) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if (radix == of || radix == 0) && digits.starts_with(prefix) {
            digits.drain(..2);
            radix = of;
        }
    }
    let is_plain =
        !digits.is_empty() && !digits.starts_with('_') && !digits.ends_with('_') && !digits.contains("__");
    let radix = if radix == 0 { 10 } else { radix };
    if !is_plain || digits.starts_with(['+', '-']) || !(2..=36).contains(&radix) {
        return None;
    }
    let number = i128::from_str_radix(&digits.replace('_', ""), radix).ok()?;
    Some(if is_negative { -number } else { number })
}

fn range(_: &mut State<'_, '_>, args: &Arguments) -> Result<Value, Error> {
    let bounds: Vec<i64> = args.positional().iter().map(integer).collect::<Result<_, _>>()?;
    let (start, stop, step) = match bounds[..] {
        [stop] => (0, stop, 1),
        [start, stop] => (start, stop, 1),
        [start, stop, step] => (start, stop, step),
        _ => return Err(failure("range expected 1 to 3 arguments")),
    };
    if step == 0 {
        return Err(failure("range() arg 3 must not be zero"));
    }
    Ok(Value::from_object(Range { start, stop, step }))
}
