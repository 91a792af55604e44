//! The text form of values, and what is refused.

use super::*;
use proptest::prelude::*;

#[test]
fn an_answer_has_the_text_form_of_the_reference() {
    let state = Value::Struct(vec![("statecode".into(), 1.into()), ("statename".into(), "RUNNING".into())]);

    insta::assert_snapshot!(write_answer(&Ok(state)), @r"
    <?xml version='1.0'?>
    <methodResponse>
    <params>
    <param>
    <value><struct>
    <member>
    <name>statecode</name>
    <value><int>1</int></value>
    </member>
    <member>
    <name>statename</name>
    <value><string>RUNNING</string></value>
    </member>
    </struct></value>
    </param>
    </params>
    </methodResponse>
    ");
}

#[test]
fn a_fault_is_read_back() {
    let fault = Fault::new(code::BAD_NAME, "nope");

    let read = read_answer(&write_answer(&Err(fault.clone()))).unwrap();

    assert_eq!(read, Err(fault));
}

#[test]
fn a_value_without_type_is_text() {
    let document = "<methodCall><methodName>a.b</methodName><params><param><value>x &amp; &#65;</value></param></params></methodCall>";

    assert_eq!(read_call(document).unwrap(), ("a.b".to_owned(), vec!["x & A".into()]));
}

#[test]
fn nesting_without_end_is_refused() {
    let document = "<value>".repeat(10_000);

    assert!(read_call(&document).is_err());
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Boolean),
        any::<i64>().prop_map(Value::Integer),
        "[ -~\n]{0,20}".prop_map(Value::Text),
        Just(Value::Nil),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::vec(("[a-z<&]{1,6}", inner), 0..4).prop_map(Value::Struct),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(value in value()) {
        let call = write_call("m", std::slice::from_ref(&value));
        prop_assert_eq!(read_call(&call).unwrap().1, vec![value]);
    }
}
