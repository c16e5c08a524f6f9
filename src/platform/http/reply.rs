//! What a server function may say besides its answer: go elsewhere, show a toast there, keep something sealed in the browser for a while.
//!
//! Sealed cookies are encrypted and authenticated under the master key (axum-extra's private jar), so the server need not store what
//! belongs to one browser: the toast after a redirect, the token of a mailed link on its way out of the address bar (R54), a secret
//! that is shown once.

use crate::platform::Ctx;
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts},
    response::IntoResponse,
};
use axum_extra::extract::{
    PrivateCookieJar,
    cookie::{Cookie, Key, SameSite},
};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use std::collections::BTreeSet;

/// Name of the cookie that holds a toast until the next page shows it.
pub const TOAST: &str = "toast";

/// After this server function the browser goes to `path` (a path of ours, beginning with one slash).
pub fn redirect(path: &str) {
    leptos_axum::redirect(path);
}

/// The browser drops what it kept of this site, cookies aside (R44).
pub fn clear_site_data() {
    if let Some(options) = use_context::<ResponseOptions>() {
        options.insert_header(HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"cache\", \"storage\""));
    }
}

/// The next page says this, once.
pub fn toast(ctx: &Ctx, text: &str) {
    seal(ctx, TOAST, text, 60);
}

/// Keeps `value` in the caller's browser under `name` for `seconds`, unreadable and unchangeable there.
pub fn seal(ctx: &Ctx, name: &str, value: &str, seconds: i64) {
    set(sealed_cookie(ctx, name, value.to_owned(), seconds));
}

/// Takes back what was sealed under `name`.
pub fn unseal_and_drop(ctx: &Ctx, name: &str) {
    set(sealed_cookie(ctx, name, String::new(), 0));
}

/// What this browser holds under `name`, if it is ours and still valid.
pub fn sealed(ctx: &Ctx, name: &str) -> Option<String> {
    let parts = use_context::<Parts>()?;
    open(ctx, &parts.headers, name)
}

/// How many things this browser holds whose names begin so, as far as they are ours and still valid.
pub fn count_sealed(ctx: &Ctx, prefix: &str) -> usize {
    let Some(parts) = use_context::<Parts>() else { return 0 };
    let ours = full_name(ctx, prefix);
    // All of them at once: to open each by its name reads the whole header again, which may be long.
    let names = |key: &[u8; 64]| {
        let jar = PrivateCookieJar::from_headers(&parts.headers, Key::from(key));
        jar.iter().filter(|c| c.name().starts_with(ours.as_str()) && !c.value().is_empty()).map(|c| c.name().to_owned()).collect::<Vec<_>>()
    };
    ctx.vault.cookie_keys().iter().flat_map(names).collect::<BTreeSet<_>>().len()
}

/// The same as `sealed` outside of a server function.
pub fn open(ctx: &Ctx, headers: &HeaderMap, name: &str) -> Option<String> {
    let name = full_name(ctx, name);
    let opened = |key: &[u8; 64]| PrivateCookieJar::from_headers(headers, Key::from(key)).get(&name).map(|c| c.value().to_owned());
    ctx.vault.cookie_keys().iter().find_map(opened).filter(|v| !v.is_empty())
}

/// The `Set-Cookie` value for a sealed cookie; zero seconds drop it.
pub fn sealed_cookie(ctx: &Ctx, name: &str, value: String, seconds: i64) -> Option<HeaderValue> {
    let cookie = Cookie::build((full_name(ctx, name), value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(ctx.config.secure_cookies())
        .max_age(time::Duration::seconds(seconds))
        .build();
    let jar = PrivateCookieJar::new(Key::from(&ctx.vault.cookie_key())).add(cookie);
    jar.into_response().headers().get(header::SET_COOKIE).cloned()
}

/// `__Host-` binds a cookie to this host and to https; plain http (localhost in development) can't have it.
pub fn full_name(ctx: &Ctx, name: &str) -> String {
    if ctx.config.secure_cookies() { format!("__Host-{name}") } else { name.to_owned() }
}

fn set(value: Option<HeaderValue>) {
    if let (Some(options), Some(value)) = (use_context::<ResponseOptions>(), value) {
        options.append_header(header::SET_COOKIE, value);
    }
}
