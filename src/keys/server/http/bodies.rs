//! The JSON of the REST routes of keys; of new ones in `new_key`, of their secrets in `secret_bodies`. Unknown fields are refused; times are RFC 3339, durations whole
//! seconds.

use crate::{
    keys::{
        model::{HistoryEntry, Key, KeyEdit, KeyLimit, KeyState, LimitUnit, Meta, Over, OverAction, Preset, Window},
        server::Created,
    },
    values::Actor,
};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use time::OffsetDateTime;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, OneOfBuilder, Schema, Type},
    },
};

/// Changes of a key; what is left out stays, and so does what is `null`, unless said otherwise. All or nothing.
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
    /// In place of `permissions`: `basic`, `read-only` or `admin`; what you can't give is left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    preset: Option<Preset>,
    /// Names of bundles of the API: all that it holds then.
    #[serde(default)]
    bundles: Option<Vec<String>>,
    /// Networks or addresses from which it may be used; an empty list: from everywhere.
    #[serde(default)]
    addresses: Option<Vec<String>>,
    /// Origins of the web pages that may use it; an empty list: of every page.
    #[serde(default)]
    origins: Option<Vec<String>>,
    /// Routes that it may call, each a method and a path pattern; an empty list: all that its permissions allow.
    #[serde(default)]
    routes: Option<Vec<String>>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    /// Your own id of who uses it; `null`: none.
    #[serde(default, deserialize_with = "present_text")]
    #[schema(value_type = Option<String>)]
    external_id: Option<Option<String>>,
    /// All of it; an empty object: none.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    meta: Option<Meta>,
    /// An empty list: those of the next level again (its plan's, its workspace's …). Needs `keys:manage`.
    #[serde(default)]
    limits: Option<Vec<KeyLimitBody>>,
    /// The slug of a plan; `null`: none of its own. Needs `keys:manage`.
    #[serde(default, deserialize_with = "present_text")]
    #[schema(value_type = Option<String>)]
    plan: Option<Option<String>>,
}

/// The same of a text.
pub(super) fn present_text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// A field that is there, even if it is `null`.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<OffsetDateTime>>, D::Error> {
    time::serde::rfc3339::option::deserialize(from).map(Some)
}

impl EditKeyBody {
    pub fn edit(self) -> KeyEdit {
        KeyEdit {
            name: self.name,
            expires_at: self.expires_at,
            permissions: self.permissions,
            preset: self.preset,
            bundles: self.bundles,
            addresses: self.addresses,
            origins: self.origins,
            routes: self.routes,
            tags: self.tags,
            external_id: self.external_id.map(Option::unwrap_or_default),
            meta: self.meta,
            limits: self.limits.map(|limits| limits.into_iter().map(Into::into).collect()),
            limit: None,
            plan: self.plan,
            seen: None,
        }
    }
}

/// A limit: so many cost units or calls in a window, credits, or calls at the same time.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyLimitBody {
    #[serde(default = "KeyLimitBody::default_name")]
    #[schema(example = "default")]
    pub name: String,
    /// Cost units (a call costs one, unless its route or the asking service says otherwise) or calls in one window; of credits how many there are
    /// at most.
    #[schema(example = 100)]
    pub limit: u64,
    #[schema(value_type = WindowSchema)]
    pub window: Window,
    /// What is counted in the window; left out: `units`. Credits are units, and calls at the same time are calls: there it is left out.
    #[serde(default, skip_serializing_if = "UnitBody::is_units")]
    pub unit: UnitBody,
    /// What becomes of calls beyond it; left out: they are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<OverBody>,
}

/// `units`: a call takes what it costs; `calls`: a call takes one, whatever it costs. What costs nothing takes nothing of either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnitBody {
    #[default]
    Units,
    Calls,
}

impl UnitBody {
    fn is_units(&self) -> bool {
        *self == Self::Units
    }
}

impl From<UnitBody> for LimitUnit {
    fn from(body: UnitBody) -> Self {
        match body {
            UnitBody::Units => Self::Units,
            UnitBody::Calls => Self::Calls,
        }
    }
}

impl From<LimitUnit> for UnitBody {
    fn from(unit: LimitUnit) -> Self {
        match unit {
            LimitUnit::Units => Self::Units,
            LimitUnit::Calls => Self::Calls,
        }
    }
}

/// What a limit does with calls beyond it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OverBody {
    /// What becomes of them.
    pub action: OverActionBody,
    /// With `throttle` only: so many calls pass in each second beyond the limit, whatever each costs; 1 to 1,000,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 5)]
    pub per_second: Option<u32>,
    /// From then on it refuses; left out: never.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<OffsetDateTime>,
}

/// `refuse`: 429; `throttle`: so many a second pass; `mark`: all pass, and the answer names the limit in `over`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverActionBody {
    Refuse,
    Throttle,
    Mark,
}

impl From<OverBody> for Over {
    /// A throttle without its number is one of 0, which the rules refuse; so is a number that is not one's.
    fn from(body: OverBody) -> Self {
        let action = match (body.action, body.per_second) {
            (OverActionBody::Throttle, per_second) => OverAction::Throttle { per_second: per_second.unwrap_or(0) },
            (_, Some(_)) => OverAction::Throttle { per_second: 0 },
            (OverActionBody::Refuse, None) => OverAction::Refuse,
            (OverActionBody::Mark, None) => OverAction::Mark,
        };
        Self { action, until: body.until }
    }
}

impl From<Over> for OverBody {
    fn from(over: Over) -> Self {
        let action = match over.action {
            OverAction::Refuse => OverActionBody::Refuse,
            OverAction::Throttle { .. } => OverActionBody::Throttle,
            OverAction::Mark => OverActionBody::Mark,
        };
        Self { action, per_second: over.action.per_second(), until: over.until }
    }
}

/// How the document describes a window.
pub struct WindowSchema;

impl PartialSchema for WindowSchema {
    fn schema() -> RefOr<Schema> {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(Window::MAX_SECONDS)).description(Some("Seconds"));
        let words = ["second", "minute", "hour", "day", "month"];
        let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).description(Some("`month` is the calendar month, UTC"));
        let local = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^(day|month)@[A-Za-z0-9/_+-]{1,32}$"))
            .description(Some("A day or a month of a time zone of the IANA database: `day@Europe/Stockholm`"));
        let rolling = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^rolling:(minute|hour|day|month|[0-9]{2,7})$"))
            .description(Some("So many seconds up to every moment, whole minutes; `month` is 30 days: `rolling:3600`, `rolling:hour`"));
        let credits = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^credits(:[0-9]{1,10}/(second|minute|hour|day|[0-9]{1,7}))?$"))
            .description(Some("Units that come back, so many every so often: `credits:100/3600`, `credits:100/hour`; `credits` alone is prepaid"));
        let concurrent = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^concurrent(:[0-9]{1,4})?$"))
            .description(Some("Calls at the same time, each counted for so many seconds at most, an hour at the longest; `concurrent` is half a minute"));
        OneOfBuilder::new()
            .item(seconds)
            .item(word)
            .item(local)
            .item(rolling)
            .item(credits)
            .item(concurrent)
            .description(Some("Fixed windows begin at multiples of their length since 1970, UTC"))
            .into()
    }
}

impl ToSchema for WindowSchema {
    fn name() -> Cow<'static, str> {
        "Window".into()
    }
}

impl From<KeyLimitBody> for KeyLimit {
    fn from(body: KeyLimitBody) -> Self {
        Self { unit: body.unit.into(), over: body.over.map(Into::into).unwrap_or_default(), ..Self::new(body.name, body.limit, body.window) }
    }
}

impl From<KeyLimit> for KeyLimitBody {
    fn from(limit: KeyLimit) -> Self {
        let over = (!limit.over.is_refuse()).then(|| limit.over.into());
        Self { name: limit.name, limit: limit.limit, window: limit.window, unit: limit.unit.into(), over }
    }
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
    /// Those that it was given one by one.
    pub permissions: Vec<String>,
    /// The bundles that it holds.
    pub bundles: Vec<String>,
    /// All that it may, by itself and by its bundles; of a key for `tollgate` only what its owner may counts. What needs a grant and lost it is
    /// still among them (`is_granted` in `permission_uses` of one key).
    pub effective_permissions: Vec<String>,
    /// Networks from which it may be used; empty means from everywhere.
    pub addresses: Vec<String>,
    /// Origins of the web pages that may use it; empty means of every page.
    pub origins: Vec<String>,
    /// Routes that it may call; empty means all that its permissions allow.
    #[schema(example = json!(["GET /orders/{id}"]))]
    pub routes: Vec<String>,
    pub tags: Vec<String>,
    /// Your own id of who uses it.
    pub external_id: Option<String>,
    /// What verifications answer when it passes.
    #[schema(value_type = Object)]
    pub meta: Meta,
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
    /// Its own limits; empty means those of the next level: its plan's, its workspace's, its group's, the workspace's plan's, the group's plan's, the API's, the default.
    pub limits: Vec<KeyLimitBody>,
    /// The slug of its own plan.
    pub plan: Option<String>,
    /// Whose it is.
    #[schema(example = "ws_01KAYV7QRD3R5S8T1V4W7X0Y6Z")]
    pub workspace_id: String,
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
            bundles: key.bundles.into_iter().map(Into::into).collect(),
            effective_permissions: key.effective.iter().map(ToString::to_string).collect(),
            addresses: key.addresses,
            origins: key.origins,
            routes: key.routes,
            tags: key.tags,
            external_id: key.external_id,
            meta: key.meta,
            state: if is_expired { "expired" } else { key.state.as_str() },
            expires_at: key.expires_at,
            created_at: key.created_at,
            last_used_at: key.last_used_at,
            limits: key.limits.into_iter().map(Into::into).collect(),
            plan: key.plan.map(Into::into),
            workspace_id: key.workspace.to_string(),
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
    /// `created`, `renamed`, `expiry`, `permitted`, `bundled`, `addressed`, `paged`, `routed`, `signed`, `tagged`, `described`, `limited`, `credited`, `planned`,
    /// `disabled`, `enabled`, `revoked`, `expired`, `rotated`, `dropped`, `extended`, `secret_ended`, `leaked` or `cleared`; and what befell it with others:
    /// `banned` and `unbanned` (its owner), `blocked` and `unblocked` (it, or its workspace).
    pub act: &'static str,
    /// The name of who did it, at that time; `cli` for the command line of the server, `secret scanning` for
    /// reports of leaked keys, `system` for what Tollgate did by itself.
    pub actor: String,
    /// Whether an account did it: a person may be called `cli`, too.
    pub is_account: bool,
    /// Why, as the person said it.
    pub reason: String,
    /// What exactly, in words.
    pub detail: String,
}

impl From<HistoryEntry> for HistoryBody {
    fn from(entry: HistoryEntry) -> Self {
        let Actor { name: actor, is_account } = entry.actor;
        Self { at: entry.at.at, act: entry.act.as_str(), actor, is_account, reason: entry.reason, detail: entry.detail }
    }
}

/// A page of a key's history, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryListBody {
    pub data: Vec<HistoryBody>,
    pub has_more: bool,
    pub next_cursor: Option<String>,
}
