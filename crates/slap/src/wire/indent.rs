//! The same document for a person: one element on each line, as the reference keeps it on disk.

/// Breaks a document that a writer of this module made into indented lines, with a line feed at the end.
pub(super) fn indent(document: &str) -> String {
    let mut text = String::with_capacity(document.len() * 2);
    let mut depth = 0_usize;
    let mut rest = document;
    while let Some(element) = rest.strip_prefix('<') {
        let Some(end) = element.find('>') else { break };
        let (tag, after) = (&element[..end], &element[end + 1..]);
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        if tag.starts_with('/') {
            depth = depth.saturating_sub(1);
        }
        text.push_str(&"  ".repeat(depth));
        if tag.starts_with('/') || tag.ends_with('/') {
            text.extend(["<", tag, ">"]);
            rest = after;
        } else if is_container(name) {
            text.extend(["<", tag, ">"]);
            depth += 1;
            rest = after;
        } else {
            // A value that is no container: its text runs to its end tag.
            let close = format!("</{name}>");
            let Some(stop) = after.find(&close) else { break };
            let value = &after[..stop];
            if value.is_empty() {
                text.extend(["<", tag, "/>"]);
            } else {
                text.extend(["<", tag, ">", value, close.as_str()]);
            }
            rest = &after[stop + close.len()..];
        }
        text.push('\n');
    }
    text
}

fn is_container(name: &str) -> bool {
    matches!(name, "marshal" | "dictionary" | "list" | "tuple" | "object" | "set")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_has_its_line() {
        let document = "<marshal><dictionary id=\"i2\"><string>a</string><string></string><string>b</string>\
                        <list id=\"i3\"><int>1</int><none/></list><string>c</string><list id=\"i4\"/></dictionary></marshal>";

        insta::assert_snapshot!(indent(document), @r#"
<marshal>
  <dictionary id="i2">
    <string>a</string>
    <string/>
    <string>b</string>
    <list id="i3">
      <int>1</int>
      <none/>
    </list>
    <string>c</string>
    <list id="i4"/>
  </dictionary>
</marshal>
"#);
    }
}
