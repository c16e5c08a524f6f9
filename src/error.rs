//! The one error of the whole product: operations return it, server functions send it, REST answers it as
//! `application/problem+json` (RFC 9457), forms show it beside their fields. The words are the same everywhere.
//!
//! `Internal` carries nothing but the request id: its cause was logged where it happened.

use crate::values::{Area, BlockPolicy, NotNow, Outcome, Version};
use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;

/// What went wrong with one field. An empty `field` speaks of the form as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    pub field: String,
    pub message: String,
}

impl FieldError {
    /// Of this field: of a list also of one of its elements, `permissions.1`.
    pub fn is_of(&self, name: &str) -> bool {
        match self.field.strip_prefix(name) {
            Some("") => true,
            Some(rest) => rest.strip_prefix('.').is_some_and(|place| !place.is_empty() && place.bytes().all(|b| b.is_ascii_digit())),
            None => false,
        }
    }
}

/// Why an operation did not happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum AppError {
    /// Nobody is signed in, or the session has ended. 401
    #[error("You are not signed in. Sign in and try again.")]
    Unauthenticated,
    /// Signed in, but this act needs a proof of who it is that is not older than ten minutes. 401
    #[error("This needs a proof of who you are that is not older than ten minutes. Give one at /step-up, then try again.")]
    StepUpNeeded,
    /// The key that was sent lets nobody in, and why. 401
    #[error("{}", .outcome.sentence())]
    NotThisKey { outcome: Outcome },
    /// The permission is missing. 403
    #[error("You may not do this: it needs the permission {permission}.")]
    Forbidden { permission: String },
    /// Whoever runs the server has locked it. 403
    #[error("{}", locked_in_words(*.area))]
    Locked { area: Area },
    /// Not in this way, or not from here. 403
    #[error("{message}")]
    Refused { message: String },
    /// A block refuses calls from an address, of a key or of its workspace, which the policy says; seconds until it ends, none where somebody must lift it. 403
    #[error("{message}")]
    Blocked { policy: BlockPolicy, message: Box<str>, retry_after: Option<NonZeroU64> },
    /// It does not exist, or not for you: the answer is the same. 404
    #[error("There is nothing here. It may have been removed, or the address is wrong.")]
    NotFound,
    /// The input is wrong; one entry per field. 422
    #[error("{}", first_message(.fields))]
    Invalid { fields: Vec<FieldError> },
    /// It can't be done in the present state of the thing. 409
    #[error("{message}")]
    Conflict { message: String },
    /// It would overwrite what somebody stored after it was shown: "This key". 409
    #[error(
        "{what} was changed after you opened this page, and nothing is saved yet. What you typed stands below; where something else is stored, that stands beside it. Save again to overwrite it."
    )]
    Changed { what: String },
    /// Too many tries; seconds to wait. 429
    #[error("Too many tries. Wait {} and try again.", wait_in_words(*.retry_after))]
    RateLimited { retry_after: u64 },
    /// Quotas, by name, are used up; seconds until all have renewed, none where no time helps, as with prepaid credits. 429
    #[error("{} used up. {}", quotas_in_words(.quotas), renewal_in_words(*.retry_after))]
    QuotaExceeded { quotas: Vec<String>, retry_after: Option<u64> },
    /// It costs more than one of these quotas allows at all, so no time helps. 429
    #[error("{message}")]
    TooCostly { quotas: Vec<String>, message: Box<str> },
    /// Somebody else did the same at this moment, or it is not known what holds it up; seconds to wait. 503
    #[error("This is busy right now. Try again in {}.", wait_in_words(*.retry_after))]
    Unavailable { retry_after: u64 },
    /// What holds it up is known; seconds to wait. 503
    #[error("{} Try again in {}.", .why.sentence(), wait_in_words(*.retry_after))]
    NotNow { why: NotNow, retry_after: u64 },
    /// HTTP itself said no, before any of us looked: a wrong method, too long, not readable, out of time.
    #[error("{message}")]
    Http { status: u16, message: String },
    /// Our fault. 500
    #[error("Something failed on our side. Try again; if it stays, report the request id {request_id}.")]
    Internal { request_id: String },
    /// The answer did not arrive or could not be read (browser side only).
    #[error("The server did not answer. Check your connection and try again.")]
    Transport { detail: String },
}

fn locked_in_words(area: Area) -> String {
    area.locked()
}

fn first_message(fields: &[FieldError]) -> &str {
    match fields {
        [one] => &one.message,
        _ => "Some fields need a change.",
    }
}

/// "The quotas burst and day are": by name, as far as they are known.
fn quotas_in_words(quotas: &[String]) -> String {
    match quotas {
        [] => "A quota is".to_owned(),
        [one] => format!("The quota {one} is"),
        [others @ .., last] => format!("The quotas {} and {last} are", others.join(", ")),
    }
}

/// The next step of who has used up a quota.
fn renewal_in_words(seconds: Option<u64>) -> String {
    match seconds {
        Some(seconds) => format!("Try again in {}.", wait_in_words(seconds)),
        None => "Waiting does not help: ask an operator for more.".to_owned(),
    }
}

/// Seconds as people say them, rounded up: "40 seconds", "5 minutes", "2 hours".
pub fn wait_in_words(seconds: u64) -> String {
    let (n, unit) = match seconds {
        0..=1 => (1, "second"),
        2..=90 => (seconds, "second"),
        91..=5400 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3600), "hour"),
    };
    if n == 1 { format!("1 {unit}") } else { format!("{n} {unit}s") }
}

impl AppError {
    /// One wrong field.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid { fields: vec![FieldError { field: field.to_owned(), message: message.into() }] }
    }

    pub fn forbidden(permission: &crate::values::Permission) -> Self {
        Self::Forbidden { permission: permission.to_string() }
    }

    pub fn refused(message: impl Into<String>) -> Self {
        Self::Refused { message: message.into() }
    }

    /// What HTTP has a status of its own for.
    pub fn http(status: u16, message: impl Into<String>) -> Self {
        Self::Http { status, message: message.into() }
    }

    /// It can't be answered for this reason; seconds to wait.
    pub const fn not_now(why: NotNow, retry_after: u64) -> Self {
        Self::NotNow { why, retry_after }
    }

    pub fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict { message: message.into() }
    }

    /// Refuses what would overwrite another state than the one that was `seen`, which somebody stored meanwhile; who saw none, as programs
    /// do, overwrites.
    pub fn unless_seen(seen: Option<&str>, now: &Version, what: &str) -> Result<(), Self> {
        match seen.filter(|seen| !seen.is_empty()) {
            Some(seen) if seen != now.as_str() => Err(Self::Changed { what: what.to_owned() }),
            _ => Ok(()),
        }
    }

    /// The HTTP status that says the same.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Unauthenticated | Self::StepUpNeeded | Self::NotThisKey { .. } => 401,
            Self::Forbidden { .. } | Self::Locked { .. } | Self::Refused { .. } | Self::Blocked { .. } => 403,
            Self::NotFound => 404,
            Self::Invalid { .. } => 422,
            Self::Conflict { .. } | Self::Changed { .. } => 409,
            Self::RateLimited { .. } | Self::QuotaExceeded { .. } | Self::TooCostly { .. } => 429,
            Self::Unavailable { .. } | Self::NotNow { .. } => 503,
            Self::Http { status, .. } => *status,
            Self::Internal { .. } => 500,
            Self::Transport { .. } => 502,
        }
    }

    /// Seconds to wait before trying again, where waiting helps.
    pub const fn retry_after(&self) -> Option<u64> {
        match self {
            Self::RateLimited { retry_after } | Self::Unavailable { retry_after } | Self::NotNow { retry_after, .. } => Some(*retry_after),
            Self::QuotaExceeded { retry_after, .. } => *retry_after,
            Self::Blocked { retry_after: Some(seconds), .. } => Some(seconds.get()),
            _ => None,
        }
    }

    /// Why it can't be answered just now, of every 503.
    pub const fn why_not_now(&self) -> Option<NotNow> {
        match self {
            Self::Unavailable { .. } => Some(NotNow::Busy),
            Self::NotNow { why, .. } => Some(*why),
            _ => None,
        }
    }

    /// The same of the field `other`, where it speaks of `name`: a list that came as a file stands in another field than a pasted one.
    pub fn of_field(self, name: &str, other: &str) -> Self {
        match self {
            Self::Invalid { fields } => {
                let moved = |wrong: FieldError| if wrong.field == name { FieldError { field: other.to_owned(), ..wrong } } else { wrong };
                Self::Invalid { fields: fields.into_iter().map(moved).collect() }
            }
            error => error,
        }
    }

    /// What to say beside one field, if it is wrong.
    pub fn field(&self, name: &str) -> Option<&str> {
        match self {
            Self::Invalid { fields } => fields.iter().find(|f| f.is_of(name)).map(|f| f.message.as_str()),
            _ => None,
        }
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(value: ServerFnErrorErr) -> Self {
        match value {
            ServerFnErrorErr::Args(detail) | ServerFnErrorErr::MissingArg(detail) | ServerFnErrorErr::Deserialization(detail) => {
                Self::invalid("", format!("The form did not arrive whole ({detail}). Reload the page and try again."))
            }
            other => Self::Transport { detail: other.to_string() },
        }
    }
}

/// Collects the errors of a form, so that one answer names every wrong field.
#[derive(Debug, Default)]
pub struct Fields(Vec<FieldError>);

impl Fields {
    /// Keeps the value, or notes what is wrong with the field.
    pub fn check<T, E: ToString>(&mut self, field: &str, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|e| self.add(field, e.to_string())).ok()
    }

    /// Keeps the value, or takes over what an inner check noted.
    pub fn merge<T>(&mut self, checked: Result<T, AppError>) -> Option<T> {
        match checked {
            Ok(value) => Some(value),
            Err(AppError::Invalid { fields }) => {
                self.0.extend(fields);
                None
            }
            Err(other) => {
                self.add("", other.to_string());
                None
            }
        }
    }

    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldError { field: field.to_owned(), message: message.into() });
    }

    /// Ok if nothing was noted.
    pub fn done(self) -> Result<(), AppError> {
        if self.0.is_empty() { Ok(()) } else { Err(AppError::Invalid { fields: self.0 }) }
    }
}

#[cfg(feature = "ssr")]
mod ssr {
    use super::AppError;
    use crate::{
        platform::{db, telemetry::request_id},
        values::NotNow,
    };
    use axum::{
        http::{HeaderValue, StatusCode, header},
        response::{IntoResponse, Response},
    };

    impl AppError {
        /// Types of problems that draft-ietf-httpapi-ratelimit-headers registers: a limit is used up, and a block refuses.
        pub const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";
        pub const ABNORMAL_USAGE: &str = "https://iana.org/assignments/http-problem-types#abnormal-usage-detected";

        /// Logs the cause once, here, and keeps only the request id.
        pub fn internal(cause: impl std::fmt::Display) -> Self {
            let request_id = request_id();
            tracing::error!(%request_id, "internal error: {cause:#}");
            Self::Internal { request_id }
        }

        /// The problem document of RFC 9457, with `request_id` and, for wrong input, `errors: [{pointer, detail}]`; each 503 has a type and a
        /// code of its own.
        pub fn problem(&self) -> serde_json::Value {
            let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut body = serde_json::json!({
                "type": "about:blank",
                "title": status.canonical_reason().unwrap_or("Error"),
                "status": status.as_u16(),
                "detail": self.to_string(),
                "request_id": request_id(),
            });
            match self {
                Self::Invalid { fields } => {
                    let errors = fields.iter().map(|f| {
                        let pointer = if f.field.is_empty() { "#".to_owned() } else { format!("#/{}", f.field.replace('.', "/")) };
                        serde_json::json!({ "pointer": pointer, "detail": f.message })
                    });
                    body["errors"] = errors.collect();
                }
                Self::NotThisKey { outcome } => body["code"] = outcome.as_str().into(),
                Self::Forbidden { permission } => body["permission"] = permission.clone().into(),
                Self::Locked { .. } => body["code"] = "config_locked".into(),
                Self::QuotaExceeded { quotas, .. } | Self::TooCostly { quotas, .. } => {
                    body["type"] = Self::QUOTA_EXCEEDED.into();
                    body["violated-policies"] = serde_json::json!(quotas);
                }
                Self::Blocked { policy, .. } => {
                    body["type"] = Self::ABNORMAL_USAGE.into();
                    body["violated-policies"] = serde_json::json!([policy.as_str()]);
                }
                _ => {}
            }
            if let Some(why) = self.why_not_now() {
                body["type"] = why.kind().into();
                body["title"] = why.title().into();
                body["code"] = why.as_str().into();
            }
            body
        }
    }

    impl IntoResponse for AppError {
        fn into_response(self) -> Response {
            let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = (status, self.problem().to_string()).into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            if status == StatusCode::UNAUTHORIZED {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tollgate\""));
            }
            if let Some(seconds) = self.retry_after() {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            // For the last look at the answer (`boot::answers`), which may show it as a page.
            response.extensions_mut().insert(self);
            response
        }
    }

    impl From<sqlx::Error> for AppError {
        fn from(error: sqlx::Error) -> Self {
            if db::is_away(&error) {
                tracing::warn!("the database can't be reached: {error}");
                return Self::not_now(NotNow::DatabaseAway, 5);
            }
            match error {
                // 22021: a NUL, which no text of Postgres can hold.
                sqlx::Error::Database(refused) if refused.code().is_some_and(|code| code == "22021") => {
                    Self::invalid("", "A text holds a character (NUL) that can't be stored. Leave it out.")
                }
                other => {
                    let answer = other.as_database_error().and_then(|refused| refused.code()).and_then(|code| passing(&code));
                    if answer.is_some() {
                        tracing::warn!("a statement did not come to its end: {other}");
                    }
                    answer.unwrap_or_else(|| Self::internal(other))
                }
            }
        }
    }

    /// What Postgres says (SQLSTATE) where the same may go well a moment later.
    pub(super) fn passing(code: &str) -> Option<AppError> {
        match code {
            // Our own time-outs, of a statement, of the wait for a lock and of a transaction that stood still; and transactions of which one has
            // to begin again.
            "57014" | "55P03" | "25P03" | "40P01" | "40001" => Some(AppError::Unavailable { retry_after: 2 }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_said_in_plain_units() {
        assert_eq!(wait_in_words(0), "1 second");
        assert_eq!(wait_in_words(40), "40 seconds");
        assert_eq!(wait_in_words(91), "2 minutes");
        assert_eq!(wait_in_words(7200), "2 hours");
    }

    #[test]
    fn a_quota_that_does_not_renew_names_no_time() {
        let over = |retry_after| AppError::QuotaExceeded { quotas: vec!["day".to_owned()], retry_after };
        assert_eq!((over(Some(40)).retry_after(), over(Some(40)).to_string().as_str()), (Some(40), "The quota day is used up. Try again in 40 seconds."));
        assert_eq!((over(None).retry_after(), over(None).status()), (None, 429));
        assert_eq!(over(None).to_string(), "The quota day is used up. Waiting does not help: ask an operator for more.");
    }

    #[test]
    fn only_who_saw_another_state_is_told_of_the_change() {
        let now = Version::of(&"new");
        let told = |seen: Option<&str>| AppError::unless_seen(seen, &now, "This key");
        assert_eq!([told(None), told(Some("")), told(Some(now.as_str()))], [Ok(()), Ok(()), Ok(())]);
        let late = told(Some(Version::of(&"old").as_str())).expect_err("another state");
        assert_eq!((late.status(), late.to_string().starts_with("This key was changed after you opened this page")), (409, true));
    }

    #[test]
    fn one_answer_names_every_wrong_field() {
        let mut fields = Fields::default();
        assert_eq!(fields.check("email", "x".parse::<crate::values::Email>()), None);
        fields.add("name", "Enter a name.");
        let error = fields.done().expect_err("two fields are wrong");
        assert_eq!(error.field("name"), Some("Enter a name."));
        assert!(error.field("email").is_some());
        let element = AppError::invalid("permissions.1", "No.");
        assert_eq!((element.field("permissions"), element.field("permission")), (Some("No."), None));
        assert_eq!(AppError::invalid("limits.0.name", "No.").field("limits"), None);
        assert_eq!(error.status(), 422);
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn what_passes_by_itself_is_no_fault_of_ours() {
        for code in ["57014", "55P03", "25P03", "40P01"] {
            assert_eq!(ssr::passing(code), Some(AppError::Unavailable { retry_after: 2 }), "{code}");
        }
        for code in ["42P01", "23505", "25P02", "57P04"] {
            assert_eq!(ssr::passing(code), None, "{code}");
        }
    }
}
