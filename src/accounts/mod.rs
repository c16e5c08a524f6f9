//! Accounts: sign-up, proof of the address, sign-in, sessions, password reset, profile; and the personal workspace that every
//! account gets in the same transaction.
//!
//! Its face to other features: `Caller` (who asks, with what permissions) and `server::caller()`.

pub mod api;
pub mod components;
pub mod model;
pub mod pages;
pub mod server;

pub use model::{Caller, Reach, Via};
