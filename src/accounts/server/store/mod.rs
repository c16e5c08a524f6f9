//! The SQL of accounts, one file per table or reader. Private to the feature; time and ids are arguments.

pub mod accounts;
pub mod administration;
pub mod attempts;
pub mod expired;
pub mod factors;
pub mod invites;
pub mod operators;
pub mod sessions;
pub mod tokens;

mod callers;

pub use callers::find_caller;
