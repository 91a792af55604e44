//! Typed option values: what recipes pass to one another beyond text, and its form in a profile, `!py!` and a Python
//! literal.

mod arithmetic;
mod literal;
pub mod python_text;
mod representation;

/// What introduces the text of a typed value.
const MAGIC: &str = "!py!";

/// A value of an option. Text stands for itself; everything else is written as `!py!` and a Python literal.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer.
    Int(i128),
    /// A finite number.
    Float(f64),
    /// A number with a real and an imaginary part, both finite.
    Complex(f64, f64),
    /// Text.
    Str(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Bytes that can change.
    ByteArray(Vec<u8>),
    /// A list.
    List(Vec<Self>),
    /// A tuple.
    Tuple(Vec<Self>),
    /// A set; the order has no meaning.
    Set(Vec<Self>),
    /// A set that cannot change; the order has no meaning.
    FrozenSet(Vec<Self>),
    /// A dictionary, in the order in which it was made.
    Dict(Vec<(Self, Self)>),
}

/// Why a text is not a typed value, or a value has no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The text after `!py!` is not a literal.
    #[error("the typed value is not a Python literal: {reason} at character {position}")]
    Literal {
        /// What was found or missed.
        reason: String,
        /// Where, counted from 1 after the `!py!`.
        position: usize,
    },
    /// A number that has no literal.
    #[error("a number that is not finite cannot be serialised")]
    NotFinite,
}

impl Value {
    /// The value that the text of an option stands for: typed when it starts with `!py!`, else the text itself.
    ///
    /// # Errors
    /// It starts so and is no literal.
    pub fn from_option(text: &str) -> Result<Self, ValueError> {
        match text.strip_prefix(MAGIC) {
            Some(literal) => literal::parse(literal),
            None => Ok(Self::Str(text.to_owned())),
        }
    }

    /// The text that stands for the value in an option: text as it is, everything else as `!py!` and a literal.
    ///
    /// # Errors
    /// [`ValueError::NotFinite`].
    pub fn to_option(&self) -> Result<String, ValueError> {
        match self {
            Self::Str(text) if !text.starts_with(MAGIC) => Ok(text.clone()),
            _ => self.serialise(),
        }
    }

    /// `!py!` and the literal, for text too: what `dumps` gives in a template.
    ///
    /// # Errors
    /// [`ValueError::NotFinite`].
    pub fn serialise(&self) -> Result<String, ValueError> {
        // Neither a substitution nor a comment can begin inside the literal.
        let literal = self.representation()?.replace('$', "\\x24").replace(';', "\\x3b");
        Ok(format!("{MAGIC}{literal}"))
    }

    /// Python's `repr`, with dictionaries and sets sorted.
    ///
    /// # Errors
    /// [`ValueError::NotFinite`].
    pub fn representation(&self) -> Result<String, ValueError> {
        let mut text = String::new();
        representation::write(self, &mut text)?;
        Ok(text)
    }

    /// Text, when the value is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The name of its Python type.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Complex(..) => "complex",
            Self::Str(_) => "str",
            Self::Bytes(_) => "bytes",
            Self::ByteArray(_) => "bytearray",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Set(_) => "set",
            Self::FrozenSet(_) => "frozenset",
            Self::Dict(_) => "dict",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(i128::from(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Value {
        Value::from(value)
    }

    #[test]
    fn values_are_written_as_the_reference_writes_them() {
        let value = Value::Dict(vec![
            (text("b"), Value::List(vec![Value::Int(1), Value::Float(1e16), Value::None])),
            (text("a"), Value::Tuple(vec![text("it's $5; ok\n")])),
            (text("c"), Value::Set(vec![])),
        ]);

        assert_eq!(
            value.serialise().unwrap(),
            r#"!py!{'a': ("it's \x245\x3b ok\n",), 'b': [1, 1e+16, None], 'c': set()}"#
        );
    }

    #[test]
    fn text_stands_for_itself_unless_it_looks_typed() {
        assert_eq!(text("plain").to_option().unwrap(), "plain");
        assert_eq!(text("!py!1").to_option().unwrap(), "!py!'!py!1'");
        assert_eq!(Value::from_option("!py!'!py!1'").unwrap(), text("!py!1"));
    }

    #[test]
    fn expressions_on_literals_are_read() {
        assert_eq!(Value::from_option("!py!'/srv/' + 'x'").unwrap(), text("/srv/x"));
        assert_eq!(Value::from_option("!py!'[::1]'[1:-1]").unwrap(), text("::1"));
        assert_eq!(Value::from_option("!py![1, 2][-1]").unwrap(), Value::Int(2));
        assert_eq!(Value::from_option("!py!'a' \"b\"").unwrap(), text("ab"));
        assert_eq!(
            Value::from_option("!py!frozenset([1, 2, 1])").unwrap(),
            Value::FrozenSet(vec![Value::Int(1), Value::Int(2)])
        );
    }

    #[test]
    fn complex_numbers_are_read_and_written() {
        for (text, expected) in [
            ("(1+2j)", "(1+2j)"),
            ("2j", "2j"),
            ("-1.5j", "(-0-1.5j)"),
            ("(1e+20+0j)", "(1e+20+0j)"),
            ("1.5-.25J", "(1.5-0.25j)"),
        ] {
            let value = Value::from_option(&format!("!py!{text}")).unwrap();
            assert_eq!(value.representation().unwrap(), expected);
        }
        assert_eq!(Value::from_option("!py!complex(1, 2)").unwrap(), Value::Complex(1.0, 2.0));
        assert_eq!(Value::from_option("!py!complex()").unwrap(), Value::Complex(0.0, 0.0));
    }

    #[test]
    fn slices_may_have_steps() {
        assert_eq!(Value::from_option("!py!'abcdef'[::2]").unwrap(), text("ace"));
        assert_eq!(Value::from_option("!py!'abcdef'[::-1]").unwrap(), text("fedcba"));
        assert_eq!(Value::from_option("!py!'abcdef'[4:1:-2]").unwrap(), text("ec"));
        assert_eq!(
            Value::from_option("!py![1, 2, 3][-2:]").unwrap(),
            Value::List(vec![Value::Int(2), Value::Int(3)])
        );
        assert!(Value::from_option("!py!'abc'[::0]").is_err());
    }

    #[test]
    fn what_is_no_literal_is_refused_with_its_place() {
        let error = Value::from_option("!py!__import__('os')").unwrap_err();

        assert_eq!(
            error.to_string(),
            "the typed value is not a Python literal: unknown name `__import__` at character 1"
        );
        for wrong in ["!py!", "!py![1", "!py!'a", "!py!{1: }", "!py!1 2", "!py![1][9]", "!py!'\\x2'"] {
            assert!(Value::from_option(wrong).is_err(), "{wrong}");
        }
        assert!(Value::from_option(&format!("!py!{}", "[".repeat(100_000))).is_err());
    }

    #[test]
    fn numbers_are_written_as_python_does() {
        for (number, expected) in [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e-5, "1.5e-05"),
            (0.0001, "0.0001"),
            (-2.5e300, "-2.5e+300"),
        ] {
            assert_eq!(Value::Float(number).representation().unwrap(), expected);
        }
        assert_eq!(Value::Float(f64::NAN).representation(), Err(ValueError::NotFinite));
    }
}

#[cfg(test)]
mod properties {
    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::None),
            any::<bool>().prop_map(Value::Bool),
            any::<i128>().prop_map(Value::Int),
            any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::Float),
            any::<String>().prop_map(Value::Str),
            any::<Vec<u8>>().prop_map(Value::Bytes),
            any::<Vec<u8>>().prop_map(Value::ByteArray),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Tuple),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|map| Value::Dict(map.into_iter().map(|(k, v)| (Value::Str(k), v)).collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_survives_its_text(value in values()) {
            prop_assert_eq!(Value::from_option(&value.serialise().unwrap()).unwrap(), value);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in any::<String>()) {
            let _ = Value::from_option(&format!("!py!{text}"));
        }
    }
}
