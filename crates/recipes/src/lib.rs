//! The native recipes, one file each, and their registry.

pub mod lint;
