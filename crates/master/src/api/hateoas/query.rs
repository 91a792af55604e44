//! The four queries that clients send.

/// What is searched for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Query {
    Services,
    Service(String),
    Computers,
    Computer(String),
}

const SERVICES: &str = r#"portal_type:"Instance Tree" AND validation_state:validated"#;
const COMPUTERS: &str = r#"portal_type:"Compute Node" AND validation_state:validated"#;

/// Reads a query; `None` when it is none of the four, or quotes its text wrongly.
pub(super) fn parse(query: &str) -> Option<Query> {
    // Old clients use the names of an older model.
    let query = query
        .replace("\"Hosting Subscription\"", "\"Instance Tree\"")
        .replace("\"Computer\"", "\"Compute Node\"");
    if let Some(rest) = query.strip_prefix(SERVICES) {
        return match rest.strip_prefix(" AND title:=") {
            Some(quoted) => unquote(quoted).map(Query::Service),
            None => rest.is_empty().then_some(Query::Services),
        };
    }
    let rest = query.strip_prefix(COMPUTERS)?;
    match rest.strip_prefix(" AND reference:=").or_else(|| rest.strip_prefix(" AND title:=")) {
        Some(quoted) => unquote(quoted).map(Query::Computer),
        None => rest.is_empty().then_some(Query::Computers),
    }
}

/// Takes away the quotes around a text and the backslashes inside.
fn unquote(quoted: &str) -> Option<String> {
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = String::new();
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => text.push(characters.next()?),
            _ => text.push(character),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_queries_are_understood_and_no_other() {
        assert_eq!(parse(SERVICES), Some(Query::Services));
        assert_eq!(parse(COMPUTERS), Some(Query::Computers));
        assert_eq!(
            parse(&format!(r#"{SERVICES} AND title:="a \"b\" c""#)),
            Some(Query::Service(r#"a "b" c"#.to_owned()))
        );
        assert_eq!(
            parse(&format!(r#"{COMPUTERS} AND reference:="x""#)),
            Some(Query::Computer("x".to_owned()))
        );
        for wrong in [
            "",
            "x",
            &format!("{SERVICES} OR 1"),
            &format!(r#"{SERVICES} AND title:="a"b""#),
            &format!(r#"{SERVICES} AND title:=a"#),
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
