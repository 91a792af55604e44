//! A drawing of what refers to what: as DOT, as JSON, or as SVG without another program.

mod svg;

use std::fmt::Write as _;

use serde_json::{Value, json};

/// Something that is drawn as a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// A second, smaller line.
    pub(crate) note: String,
}

/// Boxes and arrows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    /// From the one that refers to the one that it refers to.
    pub(crate) edges: Vec<(usize, usize)>,
}

impl Graph {
    pub(crate) fn dot(&self) -> String {
        let mut text =
            String::from("digraph {\n  rankdir = LR;\n  node [shape = box, fontname = \"sans-serif\"];\n");
        for (number, node) in self.nodes.iter().enumerate() {
            let label = if node.note.is_empty() {
                quoted(&node.name)
            } else {
                format!("{}\\n{}", quoted(&node.name), quoted(&node.note))
            };
            let _ = writeln!(text, "  n{number} [label = \"{label}\"];");
        }
        for (from, to) in &self.edges {
            let _ = writeln!(text, "  n{from} -> n{to};");
        }
        text.push_str("}\n");
        text
    }

    pub(crate) fn json(&self) -> Value {
        let nodes: Vec<Value> =
            self.nodes.iter().map(|node| json!({"name": node.name, "note": node.note})).collect();
        let name = |node: &usize| &self.nodes[*node].name;
        let edges: Vec<Value> =
            self.edges.iter().map(|(from, to)| json!({"from": name(from), "to": name(to)})).collect();
        json!({"nodes": nodes, "edges": edges})
    }

    pub(crate) fn svg(&self) -> String {
        svg::draw(self)
    }
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn triangle() -> Graph {
        let node = |name: &str| Node { name: name.to_owned(), note: "a <recipe>".to_owned() };
        Graph { nodes: vec![node("a"), node("b \"x\""), node("c")], edges: vec![(1, 0), (2, 1), (2, 0)] }
    }

    #[test]
    fn names_are_quoted_in_dot() {
        insta::assert_snapshot!(triangle().dot(), @r#"
        digraph {
          rankdir = LR;
          node [shape = box, fontname = "sans-serif"];
          n0 [label = "a\na <recipe>"];
          n1 [label = "b \"x\"\na <recipe>"];
          n2 [label = "c\na <recipe>"];
          n1 -> n0;
          n2 -> n1;
          n2 -> n0;
        }
        "#);
    }
}
