//! Blocks: addresses, keys and workspaces whose calls are refused for a time, made by operators or by rules that watch for abuse.
//!
//! The gate refuses and counts (`keys::server::gate`, `blocked` and `watch`): it reads the tables of this feature, as it reads those of
//! plans. Everything else is here, so the feature stands right of `keys`: it names keys and workspaces, answers REST callers, and acts
//! on what the gate suspects (`server::guard`). A block ends by the clock; its row stays as history for 30 days.

pub mod api;
pub mod model;
pub mod pages;
pub mod server;
