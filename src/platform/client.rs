//! The HTTP client: JSON to a Tollgate somewhere else, for the command line. The one place that makes requests.
//!
//! https is checked against the roots that Mozilla trusts, built in, so that a bare machine needs no certificates. Plain http is for this
//! machine only: what travels are tokens. Redirects are not followed.

use super::config::loader::is_local;
use axum::{
    body::Bytes,
    http::{Method, Request, StatusCode, header},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer that is read.
const ANSWER_BYTES: usize = 256 * 1024;

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

/// Cheap to clone; keeps its connections.
#[derive(Clone)]
pub struct Client(Pool<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Client {
    #[must_use]
    pub fn new() -> Self {
        let https = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        Self(Pool::builder(TokioExecutor::new()).build(https))
    }

    /// Sends JSON, or nothing, and reads JSON, or nothing (`Null`). Every status is an answer.
    pub async fn send(&self, method: Method, url: &Url, bearer: Option<&str>, body: Option<&Value>) -> Result<(StatusCode, Value), ClientError> {
        let host = || url.origin().ascii_serialization();
        if url.scheme() != "https" && !is_local(url) {
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
        let bytes = body.map_or_else(Bytes::new, |body| body.to_string().into());
        let request = request.body(Full::new(bytes)).map_err(|error| ClientError::Unreachable(host(), error.to_string()))?;
        let asked = async {
            let answer = self.0.request(request).await.map_err(|error| ClientError::Unreachable(host(), in_full(&error)))?;
            let status = answer.status();
            let read = Limited::new(answer.into_body(), ANSWER_BYTES).collect().await.map_err(|_| ClientError::Strange(host()))?;
            Ok((status, read.to_bytes()))
        };
        let (status, bytes) = tokio::time::timeout(PATIENCE, asked).await.map_err(|_| ClientError::Late(host()))??;
        if bytes.is_empty() {
            return Ok((status, Value::Null));
        }
        let read = serde_json::from_slice(&bytes).map_err(|_| ClientError::Strange(host()))?;
        Ok((status, read))
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

/// An error with its causes: the outermost says only that something failed.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words.push_str(": ");
        words.push_str(&inner.to_string());
        cause = inner.source();
    }
    words
}
