//! What values look like as they travel, and which documents are refused.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::wire::WireError;

#[test]
fn texts_are_escaped_twice() {
    let written = Marshalled::text("a & <b> \"é\"\r\n\t").write().unwrap();

    assert_eq!(
        written,
        "<marshal><string>a &amp;amp; &amp;lt;b&amp;gt; \"&#233;\"&#13;\n\t</string></marshal>"
    );
    assert_eq!(Marshalled::read(&written).unwrap(), Marshalled::text("a & <b> \"é\"\r\n\t"));
}

#[test]
fn containers_are_numbered_and_sorted() {
    let value = Marshalled::map([
        ("b", Marshalled::List(vec![])),
        ("a", Marshalled::Tuple(vec![Marshalled::map([("k", Marshalled::None)]), Marshalled::Bool(true)])),
        ("", Marshalled::text("")),
    ]);

    insta::assert_snapshot!(
        value.write().unwrap(),
        @r#"<marshal><dictionary id="i2"><string></string><string></string><string>a</string><tuple><dictionary id="i3"><string>k</string><none/></dictionary><bool>1</bool></tuple><string>b</string><list id="i4"/></dictionary></marshal>"#
    );
}

#[test]
fn a_reference_repeats_an_earlier_container() {
    let document =
        r#"<marshal><tuple><list id="i2"><int>1</int></list><reference id="i2"/></tuple></marshal>"#;
    let list = Marshalled::List(vec![Marshalled::Int(1)]);

    assert_eq!(Marshalled::read(document).unwrap(), Marshalled::Tuple(vec![list.clone(), list]));
}

#[test]
fn references_cannot_multiply_a_document_without_bound() {
    let mut document = String::from(r#"<marshal><tuple><list id="i0"><int>1</int></list>"#);
    for level in 1..64 {
        let below = level - 1;
        let _ = write!(
            document,
            r#"<list id="i{level}"><reference id="i{below}"/><reference id="i{below}"/></list>"#
        );
    }
    document.push_str("</tuple></marshal>");

    assert!(matches!(Marshalled::read(&document), Err(WireError::TooLarge)));
}

#[test]
fn only_the_four_classes_are_let_in() {
    let document = r#"<marshal><object id="i2" module="os" class="Computer"><tuple/><dictionary id="i3"/></object></marshal>"#;

    insta::assert_snapshot!(
        Marshalled::read(document).unwrap_err(),
        @"unexpected document: objects of class `Computer` are not allowed"
    );
}

#[test]
fn integers_of_any_size_are_read_and_written() {
    let long = "1234567890123456789012345";
    let document = format!(
        "<marshal><tuple><int>-7</int><int>18446744073709551616</int><long>{long}</long></tuple></marshal>"
    );

    let value = Marshalled::read(&document).unwrap();

    assert_eq!(value.write().unwrap(), document);
}

#[test]
fn what_is_not_a_value_is_refused() {
    for inner in [
        "",
        "<x/>",
        "<int>x</int>",
        "<int/>",
        "<float>x</float>",
        "<reference id=\"i9\"/>",
        "<none/><none/>",
        "<complex/>",
        "<code/>",
    ] {
        assert!(Marshalled::read(&format!("<marshal>{inner}</marshal>")).is_err(), "{inner}");
    }
    assert!(Marshalled::read("<marshal><dictionary><string>k</string></dictionary></marshal>").is_err());
    assert!(Marshalled::read("<none/>").is_err());
}

#[test]
fn a_text_that_xml_cannot_carry_is_refused() {
    assert!(matches!(Marshalled::text("\u{7}").write(), Err(WireError::Unrepresentable('\u{7}'))));
}

fn any_value() -> impl Strategy<Value = Marshalled> {
    let text = "[ -~é\u{1F600}\t\r\n]{0,12}";
    let leaf = prop_oneof![
        Just(Marshalled::None),
        any::<bool>().prop_map(Marshalled::Bool),
        any::<i64>().prop_map(Marshalled::Int),
        any::<f64>().prop_filter("only equal to itself", |f| !f.is_nan()).prop_map(Marshalled::Float),
        text.prop_map(Marshalled::Text),
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Marshalled::Tuple),
            prop::collection::vec(inner.clone(), 0..5).prop_map(Marshalled::List),
            prop::collection::btree_map(text, inner, 0..5).prop_map(Marshalled::map),
        ]
    })
}

proptest! {
    #[test]
    fn every_value_is_read_back_as_it_was_written(value in any_value()) {
        let written = value.write().unwrap();
        prop_assert!(written.is_ascii());
        prop_assert_eq!(Marshalled::read(&written).unwrap(), value);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,200}") {
        let _ = Marshalled::read(&text);
        let _ = Marshalled::read(&format!("<marshal>{text}</marshal>"));
    }
}
