//! What browsers tell of the policy of our pages (`headers::page_policy`; W3C Reporting API §3, CSP Level 3 §5.3): one short line in the
//! log for each thing that it stopped. Anybody can send these, so they are short, few in a minute, and nothing else comes of them.

use super::uploads::too_long;
use crate::{error::AppError, platform::Ctx};
use axum::{
    Extension, Router,
    body::{Body, to_bytes},
    extract::State,
    http::StatusCode,
    routing::post,
};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};

/// Where they are sent to.
pub const PATH: &str = "/csp-reports";
/// The header `Reporting-Endpoints`: `report-to csp` in the policy names it.
pub const ENDPOINTS: &str = "csp=\"/csp-reports\"";

const BODY_BYTES: usize = 16 * 1024;
/// Lines in the log per minute, from everybody together.
const LINES_A_MINUTE: u32 = 60;
/// A browser sends what it gathered: so many of that are looked at.
const REPORTS_AT_ONCE: usize = 5;
/// Of each text in a report so many characters are kept.
const CHARACTERS: usize = 120;

pub fn routes() -> Router<Ctx> {
    Router::new().route(PATH, post(take).layer(Extension(Arc::new(Counted::default()))))
}

/// A minute, and the lines that it had.
#[derive(Debug, Default)]
struct Counted(Mutex<(i64, u32)>);

impl Counted {
    /// Counts one more line, if this minute has room for it.
    fn takes(&self, minute: i64) -> bool {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.0 != minute {
            *counted = (minute, 0);
        }
        let has_room = counted.1 < LINES_A_MINUTE;
        counted.1 += u32::from(has_room);
        has_room
    }
}

async fn take(State(ctx): State<Ctx>, Extension(counted): Extension<Arc<Counted>>, body: Body) -> Result<StatusCode, AppError> {
    let bytes = to_bytes(body, BODY_BYTES).await.map_err(|_| too_long(BODY_BYTES))?;
    let sent: Value = serde_json::from_slice(&bytes).map_err(|_| AppError::invalid("", "Send reports as application/reports+json."))?;
    let reports = sent.as_array().map_or_else(|| std::slice::from_ref(&sent), Vec::as_slice);
    for report in reports.iter().filter(|report| report["type"] == "csp-violation").take(REPORTS_AT_ONCE) {
        if !counted.takes(ctx.clock.now_micros() / 60_000_000) {
            return Err(AppError::RateLimited { retry_after: 60 });
        }
        let Line { page, directive, blocked, file, line } = Line::of(&report["body"]);
        tracing::warn!(page, directive, blocked, file, line, "the policy of a page stopped something");
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What the log gets of a report.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    page: String,
    directive: String,
    blocked: String,
    file: String,
    line: u64,
}

impl Line {
    fn of(body: &Value) -> Self {
        Self {
            page: short(&body["documentURL"]),
            directive: short(&body["effectiveDirective"]),
            blocked: short(&body["blockedURL"]),
            file: short(&body["sourceFile"]),
            line: body["lineNumber"].as_u64().unwrap_or_default(),
        }
    }
}

/// The beginning of a text, without the query of an address, which may hold what is secret.
fn short(text: &Value) -> String {
    let text = text.as_str().unwrap_or_default();
    let text = text.split(['?', '#']).next().unwrap_or_default();
    text.chars().filter(|c| !c.is_control()).take(CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_is_short_and_has_no_query() {
        let line = Line::of(&json!({
            "documentURL": "https://gate.example/verify-email?token=hidden", "effectiveDirective": "script-src-elem",
            "blockedURL": format!("https://evil.example/\u{7}\n{}", "x".repeat(1_000)), "lineNumber": 7
        }));
        assert_eq!((line.page.as_str(), line.directive.as_str(), line.line), ("https://gate.example/verify-email", "script-src-elem", 7));
        assert!(line.blocked.starts_with("https://evil.example/xxx") && line.blocked.len() == CHARACTERS && line.file.is_empty());
    }

    #[test]
    fn a_minute_has_so_many_lines() {
        let counted = Counted::default();
        assert_eq!((0..200).filter(|_| counted.takes(1)).count(), 60);
        assert!(counted.takes(2));
    }
}
