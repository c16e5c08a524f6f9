//! What the router carries: the context of operations and what Leptos needs to render.

use crate::platform::Ctx;
use axum::extract::FromRef;
use leptos::config::LeptosOptions;

#[derive(Clone, FromRef)]
pub struct AppState {
    pub ctx: Ctx,
    pub leptos: LeptosOptions,
}
