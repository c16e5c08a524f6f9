//! The theme button without JavaScript: sets the cookie and goes back to the page it was pressed on.

use super::{forms::see_other, state::AppState};
use crate::{error::AppError, ui::Theme};
use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    http::{HeaderMap, HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Chosen {
    theme: String,
}

/// Scripts set the same cookie, so it is not HttpOnly; it says nothing about the person.
pub async fn choose_theme(State(state): State<AppState>, headers: HeaderMap, chosen: Result<Form<Chosen>, FormRejection>) -> Response {
    let Ok(Form(chosen)) = chosen else { return AppError::invalid(Theme::COOKIE, "Choose light or dark.").into_response() };
    let mut response = see_other(&back(&headers));
    if let Some(theme) = Theme::parse(&chosen.theme) {
        let secure = if state.ctx.config.secure_cookies() { "; Secure" } else { "" };
        let cookie = format!("{}={}; Path=/; Max-Age=31536000; SameSite=Lax{secure}", Theme::COOKIE, theme.as_str());
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// The path of the page that sent the form; only its path, so that nobody is sent to another site.
pub(super) fn back(headers: &HeaderMap) -> String {
    let referer = headers.get(header::REFERER).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<Uri>().ok());
    let path = referer.as_ref().and_then(Uri::path_and_query).map_or("/", |p| p.as_str());
    // `//host` would be another site.
    if path.starts_with('/') && !path.starts_with("//") { path.to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_back_to_a_page_of_ours() {
        let from = |referer: &str| back(&HeaderMap::from_iter([(header::REFERER, HeaderValue::from_str(referer).expect("a header"))]));
        assert_eq!(from("https://gate.example/keys?status=off"), "/keys?status=off");
        assert_eq!(from("https://gate.example//evil.example"), "/");
        assert_eq!(from("nonsense"), "/");
        assert_eq!(back(&HeaderMap::new()), "/");
    }
}
