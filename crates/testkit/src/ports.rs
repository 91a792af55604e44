//! Ports on loopback that nobody uses.

use std::net::TcpListener;

/// Finds `N` different ports on 127.0.0.1 that nobody listens on. Nothing keeps others from taking them afterwards; the
/// kernel hands out ports in turn, so that this does not happen soon.
///
/// # Panics
/// The machine has no free port.
#[must_use]
pub fn free<const N: usize>() -> [u16; N] {
    let listeners: [TcpListener; N] =
        std::array::from_fn(|_| TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port"));
    listeners.map(|listener| listener.local_addr().expect("a listener has an address").port())
}
