//! Events: one row per change, written in the transaction of the change. What later feeds the activity page, the inbox and webhooks.

pub mod server;
