//! The SQL of accounts, one file per table or reader. Private to the feature; time and ids are arguments.

pub mod accounts;
pub mod acting;
pub mod administration;
pub mod attempts;
pub mod avatars;
pub mod bans;
pub mod departures;
pub mod device_requests;
pub mod devices;
pub mod email_changes;
pub mod expired;
pub mod exports;
pub mod factors;
pub mod fields;
pub mod imports;
pub mod invites;
pub mod linked;
pub mod locks;
pub mod operators;
pub mod policies;
pub mod profiles;
pub mod programs;
pub mod recoveries;
pub mod sessions;
pub mod sign_up_work;
pub mod tokens;

mod callers;

pub use callers::{Begun, Found, find_caller};
