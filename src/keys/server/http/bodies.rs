//! The JSON of the REST routes of keys. Unknown fields are refused; times are RFC 3339, durations whole seconds.

use crate::keys::{
    model::{Environment, HistoryEntry, Key, KeyEdit, KeyLimit, KeyState, NewKey, Once},
    server::Created,
};
use serde::{Deserialize, Deserializer, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A key that a client wants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKeyBody {
    /// 1 to 80 characters.
    #[schema(example = "checkout service")]
    name: String,
    /// The slug of the API that it calls; without it, the first API that is not Tollgate's own.
    #[serde(default)]
    api: Option<String>,
    /// Without it, those of the API that only read.
    #[serde(default)]
    permissions: Option<Vec<String>>,
    /// Networks in CIDR notation or single addresses from which it may be used, at most 50; without it, from everywhere.
    #[serde(default)]
    #[schema(example = json!(["203.0.113.0/24", "2001:db8::/32"]))]
    addresses: Vec<String>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<OffsetDateTime>,
    /// `live` (the default) or `test`; stands in the secret.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    environment: Option<Environment>,
}

impl NewKeyBody {
    pub fn new_key(self, idempotency_key: Option<String>) -> NewKey {
        NewKey {
            name: self.name,
            api: self.api,
            permissions: self.permissions,
            addresses: self.addresses,
            expires_at: self.expires_at,
            environment: self.environment.unwrap_or_default(),
            once: idempotency_key.map(Once::Client),
        }
    }
}

/// Changes of a key; what is left out stays. All or nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditKeyBody {
    #[serde(default)]
    name: Option<String>,
    /// `null`: never.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Option<OffsetDateTime>>,
    #[serde(default)]
    permissions: Option<Vec<String>>,
    /// Networks or addresses from which it may be used; an empty list: from everywhere.
    #[serde(default)]
    addresses: Option<Vec<String>>,
    /// An empty list: the default limit again. Needs `keys:manage`.
    #[serde(default)]
    limits: Option<Vec<KeyLimitBody>>,
}

/// A field that is there, even if it is `null`.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<OffsetDateTime>>, D::Error> {
    time::serde::rfc3339::option::deserialize(from).map(Some)
}

impl EditKeyBody {
    pub fn edit(self) -> KeyEdit {
        let limits = self.limits.map(|limits| limits.into_iter().map(|l| KeyLimit { name: l.name, limit: l.limit, window: l.window }).collect());
        KeyEdit { name: self.name, expires_at: self.expires_at, permissions: self.permissions, addresses: self.addresses, limits }
    }
}

/// A limit: so many calls in a window.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyLimitBody {
    #[serde(default = "KeyLimitBody::default_name")]
    #[schema(example = "default")]
    pub name: String,
    /// Calls in one window.
    #[schema(example = 100)]
    pub limit: u64,
    /// Seconds, 1 to 2,678,400 (31 days).
    #[schema(example = 3600)]
    pub window: u32,
}

impl KeyLimitBody {
    fn default_name() -> String {
        KeyLimit::DEFAULT.to_owned()
    }
}

/// Why something is done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonBody {
    /// At most 200 characters; stands in the history.
    #[serde(default)]
    pub reason: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateBody {
    /// For so many seconds the old secret is accepted too (default one hour, at most 30 days).
    #[serde(default = "RotateBody::default_grace")]
    pub grace: u32,
}

impl RotateBody {
    const fn default_grace() -> u32 {
        3_600
    }
}

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyBody {
    #[schema(example = "key_01K3V7QDE4S8T1N5W9Y2B6C0XZ")]
    pub id: String,
    pub name: String,
    /// The slug of its API.
    pub api: String,
    pub environment: &'static str,
    /// How its newest secret begins.
    #[schema(example = "demo_live_7Kq2")]
    pub start: String,
    pub permissions: Vec<String>,
    /// Networks from which it may be used; empty means from everywhere.
    pub addresses: Vec<String>,
    /// `active`, `disabled`, `revoked` or `expired`.
    pub state: &'static str,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<OffsetDateTime>,
    /// Its own limits; empty means the default limit.
    pub limits: Vec<KeyLimitBody>,
}

impl KeyBody {
    pub fn of(key: Key, now: OffsetDateTime) -> Self {
        let is_expired = key.state == KeyState::Active && key.expires_at.is_some_and(|at| at <= now);
        Self {
            id: key.id.to_string(),
            name: key.name,
            api: key.api.to_string(),
            environment: key.environment.as_str(),
            start: key.start,
            permissions: key.permissions.iter().map(ToString::to_string).collect(),
            addresses: key.addresses,
            state: if is_expired { "expired" } else { key.state.as_str() },
            expires_at: key.expires_at,
            created_at: key.created_at,
            last_used_at: key.last_used_at,
            limits: key.limits.into_iter().map(|l| KeyLimitBody { name: l.name, limit: l.limit, window: l.window }).collect(),
        }
    }
}

/// A key with its secret: the only answer that ever holds it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedKeyBody {
    #[serde(flatten)]
    pub key: KeyBody,
    /// Keep it: it is not stored and not shown again.
    pub secret: String,
}

impl CreatedKeyBody {
    /// None if the secret was given out before.
    pub fn of(created: Created, now: OffsetDateTime) -> Option<Self> {
        Some(Self { secret: created.secret?, key: KeyBody::of(created.key, now) })
    }
}

/// A page of keys.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyListBody {
    pub data: Vec<KeyBody>,
    pub has_more: bool,
    /// What `?cursor=` of the next page is.
    pub next_cursor: Option<String>,
}

/// One line of a key's history.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryBody {
    #[schema(value_type = String, format = DateTime)]
    pub at: String,
    /// `created`, `renamed`, `expiry`, `permitted`, `addressed`, `limited`, `disabled`, `enabled`, `revoked`, `rotated` or `dropped`.
    pub act: &'static str,
    /// The name of who did it, at that time; `cli` for the command line of the server.
    pub actor: String,
    /// Why, as the person said it.
    pub reason: String,
    /// What exactly, in words.
    pub detail: String,
}

impl From<HistoryEntry> for HistoryBody {
    fn from(entry: HistoryEntry) -> Self {
        Self { at: entry.at.at, act: entry.act.as_str(), actor: entry.actor, reason: entry.reason, detail: entry.detail }
    }
}

/// The whole history of a key, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryListBody {
    pub data: Vec<HistoryBody>,
    pub has_more: bool,
    pub next_cursor: Option<String>,
}
