//! The part of URI templates (RFC 6570) that masters use: `{x}`, `{?x,y}`, `{&x,list*}`.

use url::form_urlencoded::byte_serialize;

/// A value of a variable: one text, or several.
pub(super) enum Variable<'a> {
    One(&'a str),
    Many(&'a [&'a str]),
}

/// Expands a template; unknown variables vanish.
pub(super) fn expand(template: &str, variables: &[(&str, Variable<'_>)]) -> String {
    let mut output = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        output.push_str(before);
        let Some((expression, following)) = after.split_once('}') else {
            output.push('{');
            rest = after;
            continue;
        };
        expand_expression(expression, variables, &mut output);
        rest = following;
    }
    output.push_str(rest);
    output
}

fn expand_expression(expression: &str, variables: &[(&str, Variable<'_>)], output: &mut String) {
    let (mut separator, names) = match expression.split_at_checked(1) {
        Some(("?", names)) => (Some('?'), names),
        Some(("&", names)) => (Some('&'), names),
        _ => (None, expression),
    };
    let is_named = separator.is_some();
    for specification in names.split(',') {
        let (name, explode) =
            specification.strip_suffix('*').map_or((specification, false), |name| (name, true));
        let Some((_, value)) = variables.iter().find(|(known, _)| *known == name) else { continue };
        let texts = match value {
            Variable::One(text) => vec![encode(text)],
            Variable::Many(texts) if explode => texts.iter().map(|text| encode(text)).collect(),
            Variable::Many(texts) => {
                vec![texts.iter().map(|text| encode(text)).collect::<Vec<_>>().join(",")]
            }
        };
        for text in texts {
            if let Some(separator) = separator.replace('&').filter(|_| is_named) {
                output.push(separator);
                output.push_str(name);
                output.push('=');
            }
            output.push_str(&text);
        }
    }
}

fn encode(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_templates_expand() {
        let variables = [
            ("query", Variable::One("a:\"b c\"")),
            ("select_list", Variable::Many(&["title", "url_string"])),
            ("limit", Variable::One("40")),
        ];

        insta::assert_snapshot!(expand("http://h/?mode=search&query={query}&select_list={select_list}", &variables), @"http://h/?mode=search&query=a%3A%22b%20c%22&select_list=title,url_string");
        insta::assert_snapshot!(expand("http://h/?mode=search{&query,select_list*,limit*,sort*}", &variables), @"http://h/?mode=search&query=a%3A%22b%20c%22&select_list=title&select_list=url_string&limit=40");
        insta::assert_snapshot!(expand("http://h/{?limit}{x", &variables), @"http://h/?limit=40{x");
    }
}
