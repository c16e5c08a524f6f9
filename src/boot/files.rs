//! The files of the site: scripts, styles and WASM with a hash in their name (kept for a year), the rest asked for again each time.
//!
//! They lie in `site/` beside the binary (`make build`), or where `LEPTOS_SITE_ROOT` says (cargo-leptos, tests).

use super::{forms, state::AppState};
use crate::error::AppError;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, Method, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::any,
};
use leptos::config::{Env, LeptosOptions};
use std::path::{Path, PathBuf};
use tower_http::services::ServeDir;

/// No file of the site has a longer name, in bytes as it is asked for, or a longer path.
const LONGEST_NAME: usize = 200;
const LONGEST_PATH: usize = 1_000;

/// What Leptos needs to know to name the site's files in a page.
pub fn leptos_options() -> LeptosOptions {
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_path_buf)).unwrap_or_default();
    let root = match std::env::var("LEPTOS_SITE_ROOT") {
        Ok(root) => PathBuf::from(root),
        Err(_) if beside.join("site").is_dir() => beside.join("site"),
        Err(_) => PathBuf::from("target/site"),
    };
    let env = if std::env::var("LEPTOS_WATCH").is_ok() { Env::DEV } else { Env::PROD };
    LeptosOptions::builder()
        .output_name("tollgate")
        .site_root(root.to_string_lossy().as_ref())
        .site_pkg_dir("pkg")
        .hash_files(beside.join("hash.txt").is_file())
        .env(env)
        .build()
}

/// Where cargo-leptos tells a page that it was built anew; none unless it watches (`make dev`).
pub fn reloader(options: &LeptosOptions) -> Option<String> {
    (options.env == Env::DEV).then(|| format!("ws://*:{}", options.reload_external_port.unwrap_or(options.reload_port)))
}

/// Files first; what is no file is a page that does not exist.
pub fn files(state: &AppState) -> Router<AppState> {
    let root = PathBuf::from(state.leptos.site_root.as_ref());
    let missing = any(missing).with_state(state.clone());
    let pkg = ServeDir::new(root.join("pkg")).precompressed_br().precompressed_gzip();
    let others = ServeDir::new(root).append_index_html_on_directories(false).precompressed_br().precompressed_gzip().fallback(missing);
    let short = from_fn_with_state(state.clone(), short_names);
    let others = Router::new().fallback_service(others).layer(from_fn(revalidate)).layer(short.clone());
    Router::new().nest_service("/pkg", pkg).layer(from_fn(forever)).layer(short).fallback_service(others)
}

/// The layer: what no file system takes as a name (255 bytes of one, 4096 of a path) is no file of ours, and no failure of the disk either.
async fn short_names(state: State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.len() > LONGEST_PATH || path.split('/').any(|name| name.len() > LONGEST_NAME) {
        return missing(state, request).await;
    }
    next.run(request).await
}

async fn forever(request: Request, next: Next) -> Response {
    cached(next.run(request).await, "public, max-age=31536000, immutable")
}

async fn revalidate(request: Request, next: Next) -> Response {
    cached(next.run(request).await, "public, no-cache")
}

fn cached(mut response: Response, rule: &'static str) -> Response {
    let is_page = response.headers().get(header::CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"text/html"));
    if (response.status().is_success() || response.status() == 304) && !is_page {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(rule));
    }
    response
}

/// A person gets the page that says so, in their frame, a program the problem document.
async fn missing(state: State<AppState>, request: Request) -> Response {
    let wants_page = request.headers().get(header::ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("text/html"));
    if wants_page && *request.method() == Method::GET && !request.uri().path().starts_with("/api/") {
        forms::get_open_page(state, request).await
    } else {
        AppError::NotFound.into_response()
    }
}
