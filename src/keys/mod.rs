//! Keys: APIs, keys and their secrets, limits, and the gate that verifies a secret without database work.

#[cfg(feature = "ssr")]
pub mod server;
