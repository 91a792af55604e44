//! The tasks of the project: `cargo xtask check | test | bench`.

fn main() {}
