//! `GET /readyz`: whether this node can be given work, and how each of its parts does: the database, the keys in memory, what was counted
//! and is not written yet. It tells no more than a load balancer may know, and needs no database to tell it.

use crate::{
    error::wait_in_words,
    keys::server::gate::Gate,
    platform::{Ctx, db, telemetry},
    usage::server::Backlog,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::time::Duration;
use tokio::time::timeout;

/// The database is away if it does not answer within this.
const PATIENCE: Duration = Duration::from_secs(2);
/// Seconds after which a node that is not ready may be asked again.
const AGAIN: u64 = 5;

/// How the parts do.
#[derive(Debug, Serialize)]
struct Parts {
    database: Database,
    keys: Keys,
    usage: Usage,
}

#[derive(Debug, Serialize)]
struct Database {
    up: bool,
    /// For how many seconds it has not told this node anything; none while it does.
    away_for: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Keys {
    loaded: bool,
    verified: bool,
    /// For how many seconds they are still verified from memory, while the database is away.
    verified_for: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Usage {
    /// Counters in memory and in the data folder that the database does not have yet.
    waiting: u64,
    /// For how many seconds it has not taken them; none while it does.
    failing_for: Option<u64>,
    /// The data folder takes them, so that an end by force loses none.
    spooled: bool,
}

/// Ready when the key table is loaded, this node may answer from it, and the database answers.
pub async fn ready(State(ctx): State<Ctx>) -> Response {
    let gate = ctx.part::<Gate>();
    let may_verify = async {
        match gate.as_deref().filter(|gate| gate.is_loaded()) {
            Some(gate) => gate.contact().check().await.map_err(|stopped| stopped.to_string()),
            None => Err("The key table is not loaded yet.".to_owned()),
        }
    };
    let (pinged, may_verify) = tokio::join!(timeout(PATIENCE, db::ping(&ctx.db)), may_verify);
    let is_up = matches!(pinged, Ok(Ok(())));
    let parts = parts(&ctx, gate.as_deref(), is_up, may_verify.is_ok());
    match may_verify {
        Err(detail) => not_ready(&detail, &parts),
        Ok(()) if !is_up => {
            let left = wait_in_words(parts.keys.verified_for.unwrap_or(0));
            not_ready(&format!("The database does not answer. Keys are verified from memory, for {left} at most."), &parts)
        }
        Ok(()) => Json(serde_json::json!({ "status": "ready", "parts": parts })).into_response(),
    }
}

fn parts(ctx: &Ctx, gate: Option<&Gate>, is_up: bool, verified: bool) -> Parts {
    let away = |millis: u64| (!is_up).then_some(millis / 1_000);
    let backlog = ctx.part::<Backlog>();
    let failing_for = backlog.as_ref().and_then(|backlog| backlog.failing_since()).map(|since| (ctx.clock.now() - since).whole_seconds());
    let waiting = backlog.map_or(0, |backlog| backlog.waiting()) + gate.map_or(0, |gate| gate.meter().counters() as u64);
    Parts {
        database: Database { up: is_up, away_for: gate.and_then(|gate| away(gate.contact().behind())) },
        keys: Keys { loaded: gate.is_some_and(Gate::is_loaded), verified, verified_for: gate.and_then(|gate| away(gate.contact().left())) },
        usage: Usage {
            waiting,
            failing_for: failing_for.map(|seconds| u64::try_from(seconds).unwrap_or(0)),
            spooled: gate.is_some_and(|gate| gate.meter().spool_bytes().is_some() && !gate.meter().is_spool_failing()),
        },
    }
}

fn not_ready(detail: &str, parts: &Parts) -> Response {
    let body = serde_json::json!({
        "type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": detail, "request_id": telemetry::request_id(), "parts": parts,
    });
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, body.to_string()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(AGAIN));
    response
}
