//! For tests only: places and ports to work in, a whole cloud, and the Python SlapOS to work with.

pub mod cloud;
pub mod page;
pub mod peer;
pub mod ports;
pub mod scratch;
