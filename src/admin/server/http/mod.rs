//! The REST routes of operators that belong to no other feature.

pub mod bans;

use crate::platform::Ctx;
use axum::Router;

pub fn routes() -> Router<Ctx> {
    bans::routes()
}
