//! Mailed links leave the address bar at once (R54): `?token=` becomes a sealed cookie of this browser and the page comes back
//! under its clean address. Opening a link changes nothing else (R53). And: where a sign-in may lead (R76).

use crate::platform::{Ctx, http::reply};
use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// What this browser may hold of a link, per page.
pub const VERIFY: &str = "verify";
pub const RESET: &str = "reset";
/// Which mail for a new password this browser asked for (`reset_codes::Asked`).
pub const RESET_ASKED: &str = "reset_asked";
pub const INVITE: &str = "invite";
pub const UNLOCK: &str = "unlock";
pub const NOT_ME: &str = "not_me";
pub const CHANGE: &str = "change";
pub const UNDO: &str = "undo";
pub const DELETE: &str = "delete";
pub const KEEP: &str = "keep";
/// Who proved the password of an account that was left (`leaving::Ticket`).
pub const RETURN: &str = "return";
pub const KEEP_FACTORS: &str = "keep_factors";
/// A sign-in that waits for its second factor.
pub const SECOND_FACTOR: &str = "second";
/// A sign-in that is on its way to a provider and back (`openid::begin`), and one that waits to be linked (`openid::Offer`).
pub const FLOW: &str = "flow";
pub const OFFER: &str = "offer";
/// What ties a question for a passkey to this browser before anybody is signed in.
pub const PASSKEY: &str = "passkey";
/// Recovery codes that were just made, until they are saved.
pub const NEW_CODES: &str = "codes";
/// The sign-up that this browser began, or whose password it knew: whoever proves the address here keeps what was set up by it.
pub const SIGNED_UP: &str = "signed_up";
/// The address that mail went to, for the page that says so.
pub const PENDING: &str = "pending";

/// How long a browser remembers a link that was opened; opened again, it remembers it again.
const SECONDS: i64 = 3600;
const LONGEST: usize = 100;

/// The layer: takes the token out of the address of the pages that mails lead to.
pub async fn take_token(State(ctx): State<Ctx>, request: Request, next: Next) -> Response {
    let cookie = match request.uri().path() {
        "/verify-email" => VERIFY,
        "/reset-password" => RESET,
        "/sign-up" => INVITE,
        "/unlock" => UNLOCK,
        "/not-me" => NOT_ME,
        "/confirm-email" => CHANGE,
        "/undo-email" => UNDO,
        "/delete-account" => DELETE,
        "/come-back" => KEEP,
        "/keep-factors" => KEEP_FACTORS,
        _ => return next.run(request).await,
    };
    let query = request.uri().query().unwrap_or_default();
    let token = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "token").map(|(_, value)| value.into_owned());
    match token.filter(|token| *request.method() == Method::GET && token.len() <= LONGEST) {
        None => next.run(request).await,
        Some(token) => {
            let location = HeaderValue::from_str(request.uri().path()).unwrap_or(HeaderValue::from_static("/"));
            let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
            response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
            if let Some(value) = reply::sealed_cookie(&ctx, cookie, token, SECONDS) {
                response.headers_mut().append(header::SET_COOKIE, value);
            }
            response
        }
    }
}

/// Where to go after signing in: a path of this site and nothing else, or none.
pub fn safe_next(ctx: &Ctx, next: &str) -> Option<String> {
    let is_path = next.starts_with('/') && !next[1..].starts_with(['/', '\\']);
    let is_plain = !next.contains('\\') && !next.chars().any(|c| c.is_control() || c.is_whitespace());
    if !is_path || !is_plain || next.len() > 2000 {
        return None;
    }
    let url = ctx.config.server.public_url.join(next).ok()?;
    // `/..//host` is ours too, but its path becomes `//host`: nobody should have to think about that twice.
    let is_ours = url.origin() == ctx.config.server.public_url.origin() && !url.path().starts_with("//");
    // What is decoded on the way may become one of them; no path of ours has a slash or a backslash in it.
    let path = url.path().to_ascii_lowercase();
    let is_veiled = path.contains("%2f") || path.contains("%5c");
    let leads_away = ["/sign-in", "/sign-in/code", "/sign-out", "/sign-up", "/step-up"].contains(&url.path());
    (is_ours && !is_veiled && !leads_away).then(|| next.to_owned())
}
