//! What a server function may say besides its answer: go elsewhere, show a toast there, keep something sealed in the browser for a while.
//!
//! Sealed cookies are encrypted and authenticated under the master key (axum-extra's private jar), so the server need not store what
//! belongs to one browser: the toast after a redirect, the token of a mailed link on its way out of the address bar (R54), a secret
//! that is shown once.

use crate::platform::{Ctx, telemetry::request_id};
use axum::{
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use axum_extra::extract::{
    CookieJar, PrivateCookieJar,
    cookie::{Cookie, Key, SameSite},
};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use std::collections::BTreeSet;

/// Name of the cookie that holds the id of the session.
pub const SESSION: &str = "sid";

/// Name of the cookie that holds a toast until the next page shows it.
pub const TOAST: &str = "toast";

/// The error of a server function as it crosses the wire, and beside it the id of the request, whatever the error is.
pub fn with_request_id(error: Bytes) -> Bytes {
    let Ok(serde_json::Value::Object(mut fields)) = serde_json::from_slice(&error) else { return error };
    fields.entry("request_id").or_insert_with(|| request_id().into());
    serde_json::Value::Object(fields).to_string().into()
}

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

/// The same with a button that takes it back: it calls the server function at `action` with these arguments. `ui::Toast` reads it.
pub fn toast_with_undo(ctx: &Ctx, text: &str, action: &str, fields: &[(&str, &str)]) {
    let toast = serde_json::json!({ "text": text, "undo": { "action": action, "fields": fields } });
    seal(ctx, TOAST, &toast.to_string(), 60);
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

/// How this browser holds it, unread: whatever is sealed twice looks otherwise each time.
pub fn as_held(ctx: &Ctx, name: &str) -> Option<String> {
    let parts = use_context::<Parts>()?;
    CookieJar::from_headers(&parts.headers).get(&full_name(ctx, name)).map(|cookie| cookie.value().to_owned())
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

/// The layer around the sessions: their cookie goes as it came. tower-sessions takes it back without `Secure`, and no browser takes a cookie
/// called `__Host-` from that: it would stay for as long as any session may.
///
/// What a script asked in the background takes nothing back: its answer may come after that of a form which gave this browser another cookie
/// meanwhile, and would take that one. The next page that is gone to does it.
pub async fn take_back_whole(State(ctx): State<Ctx>, request: Request, next: Next) -> Response {
    let is_behind = request.headers().get("sec-fetch-mode").is_some_and(|mode| mode != "navigate");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let name = full_name(&ctx, SESSION);
    let begins = format!("{name}=;");
    let cookies = headers.get_all(header::SET_COOKIE).iter().cloned();
    let (gone, kept): (Vec<HeaderValue>, Vec<HeaderValue>) = cookies.partition(|value| value.as_bytes().starts_with(begins.as_bytes()));
    if gone.is_empty() {
        return response;
    }
    headers.remove(header::SET_COOKIE);
    for cookie in kept {
        headers.append(header::SET_COOKIE, cookie);
    }
    let secure = if ctx.config.secure_cookies() { "; Secure" } else { "" };
    if !is_behind && let Ok(cookie) = HeaderValue::from_str(&format!("{name}=; HttpOnly; SameSite=Lax{secure}; Path=/; Max-Age=0")) {
        headers.append(header::SET_COOKIE, cookie);
    }
    response
}

fn set(value: Option<HeaderValue>) {
    if let (Some(options), Some(value)) = (use_context::<ResponseOptions>(), value) {
        options.append_header(header::SET_COOKIE, value);
    }
}
