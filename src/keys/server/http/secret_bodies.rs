//! The JSON of a key's secrets: what is known of each, where one was found in the open, until when an old one lives on.

use super::{
    bodies::KeyBody,
    changed::SpreadBody,
    levels::{LevelBody, LimitStateBody, PermissionUseBody},
    signing::SigningBody,
};
use crate::{
    error::AppError,
    keys::{
        model::{Grace, LeakView},
        server::{HeldSecret, SecretReport, SecretUserRow},
    },
    values::{Counts, SecretId},
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A key with its secrets; of each only what people recognise it by.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyDetailBody {
    #[serde(flatten)]
    pub key: KeyBody,
    /// Why it is disabled or revoked, if somebody said so.
    pub state_reason: Option<String>,
    /// Those that are accepted, the newest first.
    pub secrets: Vec<SecretBody>,
    /// Where one of them was found in the open, the newest place first; empty: nobody knows of a leak.
    pub leaks: Vec<LeakBody>,
    /// How its calls must be signed; none: they need not.
    pub signing: Option<SigningBody>,
    /// The limits that hold its calls, wherever they come from, with where they stand on the node that answers.
    pub limits_in_force: Vec<LimitStateBody>,
    /// Where these come from: every level with what it would give, the nearest first.
    pub levels: Vec<LevelBody>,
    /// Each permission that it has in effect, against the calls of the last 30 days that needed it.
    pub permission_uses: Vec<PermissionUseBody>,
    /// Of a change: on which nodes it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spread: Option<SpreadBody>,
}

/// A place where a secret was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeakBody {
    /// How the secret begins.
    #[schema(example = "demo_live_7Kq2")]
    pub start: String,
    pub url: String,
    /// What kind of place, in the words of who reported it.
    #[schema(example = "content")]
    pub source: String,
    /// The name of an operator, or `secret scanning`.
    pub reported_by: String,
    #[schema(value_type = String, format = DateTime)]
    pub at: String,
}

impl From<LeakView> for LeakBody {
    fn from(leak: LeakView) -> Self {
        Self { start: leak.start, url: leak.url, source: leak.source, reported_by: leak.by, at: leak.at.at }
    }
}

/// A secret of a key.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecretBody {
    #[schema(example = "sec_01K3V7QDE4S8T1N5W9Y2B6C0XZ")]
    pub id: String,
    /// How it begins.
    #[schema(example = "demo_live_7Kq2")]
    pub start: String,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: OffsetDateTime,
    /// Until when it is accepted at the latest; the newest has no end.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<OffsetDateTime>,
    /// `first_use`: it ends before, as soon as a call passes with the newest.
    pub until: Option<&'static str>,
    /// To the minute, whatever the outcome of the call.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<OffsetDateTime>,
    /// The address of that call, if the asking service said it.
    #[schema(example = "203.0.113.7")]
    pub last_used_from: Option<String>,
    /// The route of that call.
    #[schema(example = "GET /orders")]
    pub last_used_route: Option<String>,
}

impl From<HeldSecret> for SecretBody {
    fn from(secret: HeldSecret) -> Self {
        let said = |text: Option<String>| text.filter(|t| !t.is_empty() && t != "-");
        Self {
            id: SecretId::new(secret.id).to_string(),
            start: secret.start,
            created_at: secret.created_at,
            expires_at: secret.expires_at,
            until: secret.until_first_use.then_some("first_use"),
            last_used_at: secret.last_used_at,
            last_used_from: said(secret.address),
            last_used_route: said(secret.route),
        }
    }
}

/// What came with one of several secrets of a key.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecretUsageBody {
    /// When its newest secret was made: calls are counted by secret since then, and told to a quarter of an hour. None: the key has one
    /// secret, whose calls are those of the key.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<OffsetDateTime>,
    /// It is an old one, and nobody used it for three hours.
    pub is_safe_to_drop: bool,
    /// To the minute, whatever the outcome of the call.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<OffsetDateTime>,
    /// The last 24 hours, oldest first; the last one goes on until now. Empty without `since`.
    pub hours: Vec<SecretHourBody>,
    /// Since when `users` are known: later than `since` of a secret that very many addresses sent.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub users_since: Option<OffsetDateTime>,
    /// From where since then: the 100 busiest addresses, the others in one at the end.
    pub users: Vec<SecretUserBody>,
}

/// Calls with a secret in one hour.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecretHourBody {
    /// Where it begins.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub at: OffsetDateTime,
    pub calls: SecretCallsBody,
}

/// From where a secret is used.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecretUserBody {
    /// IPv6 by its /64; none if the asking service did not say it, and of all others.
    #[schema(example = "203.0.113.7")]
    pub address: Option<String>,
    /// All other addresses.
    pub is_rest: bool,
    /// The five busiest.
    #[schema(example = json!(["GET /orders"]))]
    pub routes: Vec<String>,
    pub calls: SecretCallsBody,
    /// When it was last used from there.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub last_at: OffsetDateTime,
}

/// Calls by what became of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecretCallsBody {
    pub total: u64,
    pub passed: u64,
    pub limited: u64,
    pub refused: u64,
}

impl From<Counts> for SecretCallsBody {
    fn from(calls: Counts) -> Self {
        Self { total: calls.total(), passed: calls.passed, limited: calls.limited, refused: calls.refused }
    }
}

impl From<SecretReport> for SecretUsageBody {
    fn from(report: SecretReport) -> Self {
        let user = |row: SecretUserRow| SecretUserBody {
            calls: row.calls().into(),
            address: Some(row.address).filter(|address| !address.is_empty()),
            is_rest: row.is_rest,
            routes: row.routes.into_iter().filter(|route| route != "-").collect(),
            last_at: row.last,
        };
        Self {
            since: report.since,
            is_safe_to_drop: report.is_safe_to_drop,
            last_used_at: report.last_used_at,
            hours: report.hours.into_iter().map(|(at, calls)| SecretHourBody { at, calls: calls.into() }).collect(),
            users_since: report.users_since,
            users: report.users.into_iter().map(user).collect(),
        }
    }
}

/// How long an old secret lives on: one of the three, or none for an hour.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GraceBody {
    /// For so many seconds more, at most 30 days.
    #[serde(default)]
    #[schema(example = 3600)]
    grace: Option<u32>,
    /// Until a call passes with the newest secret; a year at most.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "first_use")]
    until: Option<UntilWord>,
    /// Until this moment, within a year.
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum UntilWord {
    FirstUse,
}

impl GraceBody {
    /// None if nothing was said.
    pub fn grace(&self) -> Result<Option<Grace>, AppError> {
        match (self.grace, self.until, self.expires_at) {
            (None, None, None) => Ok(None),
            (Some(seconds), None, None) => Ok(Some(Grace::For(seconds))),
            (None, Some(UntilWord::FirstUse), None) => Ok(Some(Grace::FirstUse)),
            (None, None, Some(at)) => Ok(Some(Grace::Until(at))),
            _ => Err(AppError::invalid("grace", "Say one of grace, until and expires_at.")),
        }
    }
}
