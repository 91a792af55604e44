//! The corner cases of the grammar.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Result<Vec<String>, String> {
    let sections = parse("p.cfg", &Arc::from(text), &mut |_, condition, _| Ok(condition.trim() == "yes"))
        .map_err(|error| match error.fault() {
            crate::Fault::Syntax(error) => format!("{:?} {:?}", error.kind, error.lines),
            other => format!("{other:?}"),
        })?;
    let mut found = Vec::new();
    for (name, section) in sections {
        for (option, assignments) in section.options {
            for Assignment { operator, value, .. } in assignments {
                let sign = match operator {
                    Operator::Set => "=",
                    Operator::Add => "+=",
                    Operator::Remove => "-=",
                };
                found.push(format!("{name}:{option}{sign}{value}"));
            }
        }
    }
    Ok(found)
}

#[test]
fn inline_values_are_stripped_and_lose_blank_lines() {
    assert_eq!(read("[a]\nx = 1  \n   2 \n\n  # 3\n#no\n;no\n\t4\n").unwrap(), ["a:x=1\n2\n# 3\n4"]);
}

#[test]
fn block_values_keep_their_relative_indentation_and_blank_lines() {
    let text = "[a]\nx =\n\n    if a:\n        b  \n\n    c\n\n";

    assert_eq!(read(text).unwrap(), ["a:x=if a:\n    b\n\nc"]);
}

#[test]
fn names_take_signs_with_and_without_blanks() {
    assert_eq!(
        read("[a]\nx+=1\ny +=2\nz  -= 3\n<= m\nw.-x=").unwrap(),
        ["a:x+=1", "a:y+=2", "a:z-=3", "a:<=m", "a:w.-x="]
    );
}

#[test]
fn repeated_increments_join_and_a_plain_value_forgets_them() {
    assert_eq!(read("[a]\nx += 1\nx += 2\nx +=\n  3\n").unwrap(), ["a:x+=1\n2\n  3"]);
    assert_eq!(read("[a]\nx += 1\nx -= 2\nx = 3\n").unwrap(), ["a:x=3"]);
    assert_eq!(read("[a]\nx = 1\nx += 2\n").unwrap(), ["a:x=1", "a:x+=2"]);
}

#[test]
fn a_section_may_be_opened_again() {
    assert_eq!(read("[a]\nx = 1\n[b]\ny = 2\n[a]\nx = 3\n").unwrap(), ["a:x=3", "b:y=2"]);
}

#[test]
fn a_header_closes_the_open_option() {
    assert_eq!(read("[a]\nx = 1\n[a]\n  2\n").unwrap_err(), "Unknown [4]");
}

#[test]
fn rejected_sections_are_dropped_with_their_continuations() {
    assert_eq!(read("[a:no]\nx = 1\n  2\n[a:yes]\ny = 3\n[b:no]\nz = 1\n").unwrap(), ["a:y=3"]);
}

#[test]
fn part_dependencies_have_a_shorthand() {
    assert_eq!(read("[a]\n=> b c\n").unwrap(), ["a:<part-dependencies>=b c"]);
}

#[test]
fn all_wrong_lines_are_collected() {
    assert_eq!(read("[a]\nx = 1\nfoo\nk: v\n{a} = 1\nx + y = 2\n").unwrap_err(), "Unknown [3, 4, 5, 6]");
    assert_eq!(read("[a]\n  x = 1\n").unwrap_err(), "Unknown [2]");
    assert_eq!(read("\n\nx = 1\n[a]\n").unwrap_err(), "NoSection [3]");
}

#[test]
fn line_ends_of_other_systems_are_line_ends() {
    assert_eq!(read("[a]\r\nx = 1\r\n  2\r[b]\ry = 2").unwrap(), ["a:x=1\n2", "b:y=2"]);
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "[\\[\\]a-c =+\\-<:#;\n\t\r\\PC]{0,200}") {
        let _ = read(&text);
    }
}
