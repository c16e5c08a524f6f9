//! The operations of keys over a private store, and the gate.

pub mod meter;
pub mod secret;
