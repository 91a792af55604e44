//! The command `slapos`.

fn main() {}
