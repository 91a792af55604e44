//! The shape of the tree: which crate may import which, how large a file may be, where the kernel, SQL and wire
//! formats are touched, and that the ledger names every recipe, endpoint and subcommand.
//!
//! These tests read the sources; they run nothing but `cargo metadata`.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the tree fails")]

#[path = "shape/arrows.rs"]
mod arrows;
#[path = "shape/files.rs"]
mod files;
#[path = "shape/ledger.rs"]
mod ledger;
#[path = "shape/tree.rs"]
mod tree;
#[path = "shape/walls.rs"]
mod walls;
