//! Drawing in layers: what refers to nothing stands in the last column, everything else left of all that it refers to;
//! within a column boxes stand near what they are joined with.

use std::fmt::Write as _;

use super::Graph;

const BOX_HEIGHT: usize = 36;
const ROW: usize = 48;
const MARGIN: usize = 16;
const GAP: usize = 90;
/// About the width of a letter.
const LETTER: usize = 8;
/// How often columns are put in order.
const SWEEPS: usize = 8;

/// Where the boxes stand.
struct Places {
    /// The column and the row of each node.
    at: Vec<(usize, usize)>,
    /// The left side and the width of each column.
    columns: Vec<(usize, usize)>,
    rows: usize,
}

pub(super) fn draw(graph: &Graph) -> String {
    let places = Places::of(graph);
    let width = places.columns.last().map_or(0, |(left, width)| left + width) + MARGIN;
    let height = places.rows * ROW + 2 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\">\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\"><path d=\"M0,0 L8,4 L0,8 z\" fill=\"#678\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for (from, to) in &graph.edges {
        let (left, width, top) = places.extent(*from);
        let (end, _, bottom) = places.extent(*to);
        let (x, y, to_y) = (left + width, top + BOX_HEIGHT / 2, bottom + BOX_HEIGHT / 2);
        let bend = GAP / 2;
        let _ = writeln!(
            svg,
            "<path d=\"M{x},{y} C{},{y} {},{to_y} {end},{to_y}\" fill=\"none\" stroke=\"#9ab\" \
             marker-end=\"url(#tip)\"/>",
            x + bend,
            end.saturating_sub(bend),
        );
    }
    for (number, node) in graph.nodes.iter().enumerate() {
        let (left, width, top) = places.extent(number);
        let middle = left + width / 2;
        let (name, note) = (escaped(&node.name), escaped(&node.note));
        let _ = writeln!(
            svg,
            "<g><title>{name}</title><rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{BOX_HEIGHT}\" \
             rx=\"5\" fill=\"#eef4fa\" stroke=\"#678\"/>\
             <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" font-size=\"13\">{name}</text>\
             <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" font-size=\"10\" fill=\"#567\">{note}</text></g>",
            top + 16,
            top + 30,
        );
    }
    svg.push_str("</svg>\n");
    svg
}

impl Places {
    fn of(graph: &Graph) -> Self {
        let depths = depths(graph);
        let deepest = depths.iter().copied().max().unwrap_or_default();
        let mut columns: Vec<Vec<usize>> = vec![Vec::new(); deepest + 1];
        for (node, depth) in depths.iter().enumerate() {
            columns[deepest - depth].push(node);
        }
        put_in_order(graph, &mut columns);
        let mut at = vec![(0, 0); graph.nodes.len()];
        let mut extents = Vec::new();
        let mut left = MARGIN;
        for (column, nodes) in columns.iter().enumerate() {
            for (row, node) in nodes.iter().enumerate() {
                at[*node] = (column, row);
            }
            let letters = |node: &usize| {
                let node = &graph.nodes[*node];
                node.name.chars().count().max(node.note.chars().count() * 4 / 5)
            };
            let width = nodes.iter().map(letters).max().unwrap_or_default() * LETTER + 2 * MARGIN;
            extents.push((left, width));
            left += width + GAP;
        }
        Self { at, columns: extents, rows: columns.iter().map(Vec::len).max().unwrap_or_default() }
    }

    /// The left side, the width and the upper side of a node's box.
    fn extent(&self, node: usize) -> (usize, usize, usize) {
        let (column, row) = self.at[node];
        let (left, width) = self.columns[column];
        (left, width, MARGIN + row * ROW)
    }
}

/// How many arrows the longest way from each node has. Arrows that close a circle do not count.
fn depths(graph: &Graph) -> Vec<usize> {
    let count = graph.nodes.len();
    let mut targets: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (from, to) in &graph.edges {
        targets[*from].push(*to);
    }
    let mut depths: Vec<Option<usize>> = vec![None; count];
    let mut is_open = vec![false; count];
    for start in 0..count {
        // A walk without recursion: graphs may be deeper than a stack.
        let mut way = vec![(start, 0)];
        while let Some((node, next)) = way.last().copied() {
            if depths[node].is_some() {
                way.pop();
                continue;
            }
            is_open[node] = true;
            if let Some(target) = targets[node].get(next) {
                if let Some(last) = way.last_mut() {
                    last.1 += 1;
                }
                if depths[*target].is_none() && !is_open[*target] {
                    way.push((*target, 0));
                }
                continue;
            }
            let below = targets[node].iter().filter_map(|target| depths[*target]).max();
            depths[node] = Some(below.map_or(0, |below| below + 1));
            is_open[node] = false;
            way.pop();
        }
    }
    depths.into_iter().map(Option::unwrap_or_default).collect()
}

/// Sorts each column by where the nodes stand that its nodes are joined with.
fn put_in_order(graph: &Graph, columns: &mut [Vec<usize>]) {
    let mut joined: Vec<Vec<usize>> = vec![Vec::new(); graph.nodes.len()];
    for (from, to) in &graph.edges {
        joined[*from].push(*to);
        joined[*to].push(*from);
    }
    let mut rows = vec![0_usize; graph.nodes.len()];
    for sweep in 0..SWEEPS {
        let mut order: Vec<usize> = (0..columns.len()).collect();
        if sweep % 2 == 1 {
            order.reverse();
        }
        for column in order {
            for (row, node) in columns[column].iter().enumerate() {
                rows[*node] = row;
            }
            let weight = |node: &usize| match joined[*node].as_slice() {
                [] => rows[*node] * 1000,
                others => others.iter().map(|other| rows[*other] * 1000).sum::<usize>() / others.len(),
            };
            let mut weighed: Vec<(usize, usize)> =
                columns[column].iter().map(|node| (weight(node), *node)).collect();
            weighed.sort_unstable();
            columns[column] = weighed.into_iter().map(|(_, node)| node).collect();
            for (row, node) in columns[column].iter().enumerate() {
                rows[*node] = row;
            }
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Node, tests::triangle};
    use super::*;

    #[test]
    fn what_refers_stands_left_of_what_it_refers_to() {
        let places = Places::of(&triangle());

        assert_eq!(places.at, [(2, 0), (1, 0), (0, 0)]);
        assert!(draw(&triangle()).contains("b &quot;x&quot;</text>"));
    }

    proptest! {
        #[test]
        fn boxes_do_not_overlap_even_in_circles(
            count in 1..20_usize,
            edges in proptest::collection::vec((0..20_usize, 0..20_usize), 0..60),
        ) {
            let nodes = (0..count).map(|number| Node { name: format!("n{number}"), note: String::new() }).collect();
            let edges = edges.into_iter().map(|(from, to)| (from % count, to % count)).collect();
            let graph = Graph { nodes, edges };

            let places = Places::of(&graph);

            let distinct: std::collections::BTreeSet<_> = places.at.iter().collect();
            prop_assert_eq!(distinct.len(), count);
            prop_assert!(draw(&graph).ends_with("</svg>\n"));
        }
    }
}
