//! The routes of operators that belong to no other feature: bans and imported accounts over REST, and the preview of a mail.

pub mod bans;
pub mod imports;
mod templates;

use crate::platform::Ctx;
use axum::Router;

pub fn routes() -> Router<Ctx> {
    bans::routes().merge(imports::routes()).merge(templates::routes())
}
