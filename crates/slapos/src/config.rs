//! Configuration files: which one is read, its dialect, and its typed content.

pub(crate) mod ini;
