//! JSON to a Tollgate somewhere else and back, for the command line. The requests themselves are `fetch`'s.
//!
//! Plain http is for this machine only: what travels are tokens. Redirects are not followed.

use super::fetch::{FetchError, Reach, fetch_within, is_allowed};
use axum::http::{Method, Request, StatusCode, header};
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("{0} is plain http off this machine: tokens would travel in clear. Use https.")]
    InClear(String),
    #[error("{0} can't be reached: {1}.")]
    Unreachable(String, String),
    #[error("{0} did not answer within {seconds} seconds.", seconds = PATIENCE.as_secs())]
    Late(String),
    #[error("{0} answered something that is no Tollgate's answer. Check the address.")]
    Strange(String),
}

/// Sends JSON, or nothing, and reads JSON, or nothing (`Null`). Every status is an answer.
pub async fn send(method: Method, url: &Url, bearer: Option<&str>, body: Option<&Value>) -> Result<(StatusCode, Value), ClientError> {
    let host = || url.origin().ascii_serialization();
    if !is_allowed(url, Reach::Anywhere) {
        return Err(ClientError::InClear(host()));
    }
    let mut request = Request::builder()
        .method(method)
        .uri(url.as_str())
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, concat!("tollgate/", env!("CARGO_PKG_VERSION")));
    if let Some(token) = bearer {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let bytes = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
    let request = request.body(bytes).map_err(|error| ClientError::Unreachable(host(), error.to_string()))?;
    let answer = fetch_within(request, Reach::Anywhere, PATIENCE).await.map_err(|error| match error {
        FetchError::Plain => ClientError::InClear(host()),
        FetchError::Late(_) => ClientError::Late(host()),
        FetchError::Answer(_) => ClientError::Strange(host()),
        FetchError::Connection(error) => ClientError::Unreachable(host(), error.to_string()),
        other => ClientError::Unreachable(host(), other.to_string()),
    })?;
    let read = match answer.body().as_slice() {
        [] => Value::Null,
        bytes => serde_json::from_slice(bytes).map_err(|_| ClientError::Strange(host()))?,
    };
    Ok((answer.status(), read))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tokens_travel_in_clear_on_this_machine_only() {
        for url in ["http://192.0.2.1/", "http://192.168.0.1/", "http://gate.example.com/", "ftp://localhost/"] {
            let sent = send(Method::GET, &url.parse().unwrap(), Some("token"), None).await;
            assert!(matches!(sent, Err(ClientError::InClear(_))), "{url}: {sent:?}");
        }
    }
}
