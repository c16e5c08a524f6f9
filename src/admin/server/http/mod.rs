//! The routes of operators that belong to no other feature: bans over REST, and the preview of a mail.

pub mod bans;
mod templates;

use crate::platform::Ctx;
use axum::Router;

pub fn routes() -> Router<Ctx> {
    bans::routes().merge(templates::routes())
}
