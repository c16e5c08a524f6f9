//! The yardstick of `make bench`: a bare axum server that gives Tollgate's answers, byte for byte, and does nothing for them.
//!
//! It reads the answers from a file, on one path each. A POST is parsed with axum's `Json` into the type that Tollgate parses, so
//! that what is compared is Tollgate's own work: finding the key, its limits, the metering, the session, the page.
//! Same allocator, same runtime, same build profile.
//!
//! Use: `bare 127.0.0.1:4100 answers.json`

use axum::{
    Json, Router,
    body::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue},
    routing::{get, post},
};
use serde::Deserialize;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One recorded answer of Tollgate, less what hyper writes itself (date, content-length).
#[derive(Deserialize)]
struct Answer {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// The body of `POST /api/v1/keys/verify`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "parsed for the sake of the comparison")]
struct Verify {
    key: String,
    api: Option<String>,
    permission: Option<String>,
    route: Option<String>,
    cost: Option<u64>,
    ip: Option<std::net::IpAddr>,
}

type Error = Box<dyn std::error::Error>;

fn route(routes: Router, answer: Answer) -> Result<Router, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in answer.headers {
        headers.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    let body = Bytes::from(answer.body);
    let handler = if answer.method == "POST" {
        post(move |Json(_): Json<Verify>| async move { (headers.clone(), body.clone()) })
    } else {
        get(move || async move { (headers.clone(), body.clone()) })
    };
    Ok(routes.route(&answer.path, handler))
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let [_, address, file] = std::env::args().collect::<Vec<_>>().try_into().map_err(|_| "use: bare ADDRESS ANSWERS.json")?;
    let answers: Vec<Answer> = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let routes = answers.into_iter().try_fold(Router::new(), route)?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, routes).await?;
    Ok(())
}
