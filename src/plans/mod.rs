//! Plans: named sets of limits, with what they entitle to and what a unit is worth, assigned to workspaces, groups and keys; limits of
//! workspaces and of APIs; groups of workspaces that are treated alike.
//!
//! Which limits hold a key is decided where the gate reads it (`keys::server::gate`, `limit_levels` of migration 0064). A price is an
//! estimate for the usage page; nothing here takes a payment.

pub mod api;
pub mod model;
pub mod pages;
pub mod server;
