//! What proves who somebody is besides the password, and when it must be proven again: an authenticator app (`totp`), recovery codes
//! (`recovery`), the moment between the right password and the session (`pending`), proof again before dangerous acts (`step_up`)
//! and the forms that wait for it (`interrupted`), and how a lost factor is taken away (`reset`).
//!
//! Failures of every factor are counted together, at sign-in with the passwords (R19). A mail is no second factor (R27).

mod step_up;

pub use step_up::require_recent_proof;
