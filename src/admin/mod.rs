//! Admin: what operators see and do. Accounts, APIs, all keys, refusals, jobs, and whether everything is all right.
//!
//! It is the rightmost feature: it owns no table, its operations compose those of the others, and nobody imports it. Every
//! operation checks one permission; the router lets nobody else than operators reach a page of it (`boot::router::guard`).

pub mod api;
mod components;
pub mod model;
pub mod pages;
pub mod server;
