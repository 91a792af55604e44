//! For tests only: places and ports to work in, and the Python SlapOS to work with.

pub mod page;
pub mod peer;
pub mod ports;
pub mod scratch;
