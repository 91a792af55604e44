//! The graph of extended profiles, and the two orders in which its dialects apply them.

use std::collections::{HashMap, HashSet};

/// Repeating every profile wherever it is extended grows without bound; beyond so many the order is shortened.
const MOST_OCCURRENCES: usize = 20_000;

/// Nodes by key, each with what it extends, in order. There is no circle in it.
pub(super) struct Graph<N> {
    nodes: Vec<(N, Vec<usize>)>,
    positions: HashMap<String, usize>,
}

impl<N> Default for Graph<N> {
    fn default() -> Self {
        Self { nodes: Vec::new(), positions: HashMap::new() }
    }
}

impl<N> Graph<N> {
    pub(super) fn contains(&self, key: &str) -> bool {
        self.positions.contains_key(key)
    }

    /// Adds a node; its children are there already.
    pub(super) fn insert(&mut self, key: String, node: N, children: &[String]) {
        let children = children.iter().filter_map(|child| self.positions.get(child).copied()).collect();
        self.positions.insert(key, self.nodes.len());
        self.nodes.push((node, children));
    }

    pub(super) fn node(&mut self, position: usize) -> &mut N {
        &mut self.nodes[position].0
    }

    /// What is extended comes before what extends it; each node once, where it is met first.
    ///
    /// SlapOS relies on this: applying a common base again after a profile that changes it would undo the change.
    pub(super) fn first_occurrences(&self, root: &str) -> Vec<usize> {
        let mut order = Vec::new();
        let mut seen = HashSet::new();
        self.walk(self.positions[root], &mut |position| seen.insert(position), &mut order);
        order
    }

    /// What is extended comes before what extends it, as often as it is extended; where that becomes too much, each
    /// node once, where it is met last, which differs only in the repetition of added lines.
    pub(super) fn every_occurrence(&self, root: &str) -> Vec<usize> {
        let root = self.positions[root];
        if self.occurrences(root) > MOST_OCCURRENCES {
            return self.last_occurrences(root);
        }
        let mut order = Vec::new();
        self.walk(root, &mut |_| true, &mut order);
        order
    }

    fn walk(&self, position: usize, enter: &mut dyn FnMut(usize) -> bool, order: &mut Vec<usize>) {
        if !enter(position) {
            return;
        }
        for child in &self.nodes[position].1 {
            self.walk(*child, enter, order);
        }
        order.push(position);
    }

    fn last_occurrences(&self, root: usize) -> Vec<usize> {
        let mut order = Vec::new();
        let mut seen = HashSet::new();
        self.walk_back(root, &mut seen, &mut order);
        order.reverse();
        order
    }

    fn walk_back(&self, position: usize, seen: &mut HashSet<usize>, order: &mut Vec<usize>) {
        if !seen.insert(position) {
            return;
        }
        order.push(position);
        for child in self.nodes[position].1.iter().rev() {
            self.walk_back(*child, seen, order);
        }
    }

    /// How often nodes are met in all.
    fn occurrences(&self, root: usize) -> usize {
        // A node is inserted after its children, so counts of children are there when they are needed.
        let mut counts = vec![0_usize; self.nodes.len()];
        for (position, (_, children)) in self.nodes.iter().enumerate() {
            counts[position] = children.iter().fold(1, |sum, child| sum.saturating_add(counts[*child]));
        }
        counts[root]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(graph: &Graph<&'static str>, order: Vec<usize>) -> String {
        order.into_iter().map(|position| graph.nodes[position].0).collect()
    }

    /// r extends a and b, which both extend c.
    fn diamond() -> Graph<&'static str> {
        let mut graph = Graph::default();
        let key = |name: &str| name.to_owned();
        graph.insert(key("c"), "c", &[]);
        graph.insert(key("a"), "a", &[key("c")]);
        graph.insert(key("b"), "b", &[key("c")]);
        graph.insert(key("r"), "r", &[key("a"), key("b")]);
        graph
    }

    #[test]
    fn the_dialects_differ_in_a_diamond() {
        let graph = diamond();

        assert_eq!(names(&graph, graph.first_occurrences("r")), "cabr");
        assert_eq!(names(&graph, graph.every_occurrence("r")), "cacbr");
        assert_eq!(names(&graph, graph.last_occurrences(3)), "acbr");
    }

    #[test]
    fn a_tower_of_diamonds_is_walked_in_linear_time() {
        let mut graph = Graph::default();
        graph.insert("0".to_owned(), 0, &[]);
        for level in 1..200 {
            let below = (level - 1).to_string();
            graph.insert(level.to_string(), level, &[below.clone(), below]);
        }

        assert_eq!(graph.first_occurrences("199").len(), 200);
        assert_eq!(graph.every_occurrence("199").len(), 200);
    }
}
