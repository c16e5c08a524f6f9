//! Tollgate, the front office of an API: this is the map.
//!
//! A feature is a folder with the same four roles in it: `model` (nouns, both sides), `api` (server functions), `pages` and
//! `islands` (views), `server` (operations over a private `store`). `boot` is the only place that knows every feature;
//! `platform` and `ui` know none. `src/tests/architecture.rs` checks it.

#![recursion_limit = "256"]

pub mod app; //      the document and the route table
pub mod error; //    AppError, the one error that crosses the wire
pub mod ui;
pub mod values; //   small parsed types of both sides: ids, Email, Slug, Permission, Outcome //       the design system; knows no feature

pub mod accounts; // sign-up, sign-in, sessions, profile, workspaces
pub mod activity; // events: one row per change
pub mod admin; //    the operator's pages
pub mod keys; //     APIs, keys, secrets, limits and the gate that verifies them
pub mod site;
pub mod usage; //    counted verifications: metering, rollups, charts //     landing, home, docs, the component gallery

#[cfg(feature = "ssr")]
pub mod boot;
#[cfg(feature = "ssr")]
pub mod platform; // what operations stand on: config, database, clock, mail, jobs, HTTP layers //     the command line, the router, the worker

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
