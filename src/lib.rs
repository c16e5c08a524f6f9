//! Tollgate, the front office of an API: this is the map.
//!
//! A feature is a folder with the same four roles in it: `model` (nouns, both sides), `api` (server functions), `pages` and
//! `components` (views), `server` (operations over a private `store`). What moves in the browser is an island; the charts of `ui` are the
//! only ones so far, so the browser's build holds no feature. `boot` is the only place that knows every feature; `platform` and `ui` know
//! none. `src/tests/architecture.rs` checks it.

#![recursion_limit = "256"]

// AppError, the one error that crosses the wire.
pub mod error;
// The design system; it knows no feature.
pub mod ui;
// Small parsed types of both sides: ids, Email, Slug, Permission, Outcome.
pub mod values;

// The document and the route table, then the features. Only their islands would run in a browser, and none has one: the browser's build,
// which would translate every page to throw it away, leaves them out whole, and no feature asks again. The first island of one moves the
// `cfg` from its line to its `server`.
#[cfg(feature = "ssr")]
pub mod app;

// Sign-up, sign-in and its factors, sessions, profile, bans; personal workspaces.
#[cfg(feature = "ssr")]
pub mod accounts;
// Events: one row per change.
#[cfg(feature = "ssr")]
pub mod activity;
// The operator's pages.
#[cfg(feature = "ssr")]
pub mod admin;
// Timed blocks of addresses, keys and workspaces, and the rules that make them.
#[cfg(feature = "ssr")]
pub mod blocks;
// Files of usage, refusals and keys, written by a job.
#[cfg(feature = "ssr")]
pub mod exports;
// APIs, keys, secrets, limits, and the gate that verifies them.
#[cfg(feature = "ssr")]
pub mod keys;
// Mails before something stops: limits, expiry, rules on errors.
#[cfg(feature = "ssr")]
pub mod notices;
// Sets of limits with a name and a price, assigned to workspaces, groups and keys; and the groups.
#[cfg(feature = "ssr")]
pub mod plans;
// Landing, home, docs; in development the mailbox and the gallery of components.
#[cfg(feature = "ssr")]
pub mod site;
// Counted verifications: metering, rollups, charts.
#[cfg(feature = "ssr")]
pub mod usage;

// The command line, the router, the worker: the only place that knows every feature.
#[cfg(feature = "ssr")]
pub mod boot;
// What operations stand on: configuration, database, clock, mail, jobs, HTTP layers.
#[cfg(feature = "ssr")]
pub mod platform;

/// The browser's entry: brings the islands of the page to life and says so on `<html data-hydrated>`.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
    if let Some(root) = web_sys::window().and_then(|w| w.document()).and_then(|d| d.document_element()) {
        let _ = root.set_attribute("data-hydrated", "");
    }
}
