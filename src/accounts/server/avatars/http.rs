//! `GET /avatars/{hash}/{size}`: the bytes of a picture, at a path of their own and under a policy of their own. Nobody needs to be
//! signed in: a public profile shows it, and its address is a hash that nobody can guess.
//!
//! Another picture has another address, so browsers may keep this one for a year. Once it is taken away it is 404 here, and while its account
//! is banned.

use super::store;
use crate::{
    error::AppError,
    platform::Ctx,
    values::{Picture, PictureSize},
};
use axum::{
    Router,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};

/// Should a browser ever take it for a page: nothing runs there, nothing is loaded, nothing frames it.
const POLICY: &str = "default-src 'none'; sandbox; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

pub fn routes() -> Router<Ctx> {
    Router::new().route("/avatars/{hash}/{size}", get(read_picture))
}

async fn read_picture(State(ctx): State<Ctx>, Path((hash, size)): Path<(String, String)>) -> Result<Response, AppError> {
    let (Ok(picture), Ok(size)) = (hash.parse::<Picture>(), size.parse::<PictureSize>()) else { return Err(AppError::NotFound) };
    let hash = picture.hash().ok_or(AppError::NotFound)?;
    let bytes = store::find_picture(&ctx.db, &hash, size, ctx.clock.now()).await?.ok_or(AppError::NotFound)?;
    let head = [
        (header::CONTENT_TYPE, "image/jpeg"),
        (header::CONTENT_DISPOSITION, "inline; filename=\"picture.jpg\""),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((head, bytes).into_response())
}
