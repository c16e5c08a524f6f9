//! The operations of accounts over a private store.

mod caller;
mod store;

pub use caller::{caller, caller_of_account, context, identify, maybe_caller};
