//! The operations of keys over a private store, and the gate.

pub mod forward_auth;
pub mod gate;
pub mod meter;
pub mod ratelimit;
pub mod rest;
pub mod secret;
pub mod verify_http;
