//! What people give: a new key, changes of a key, an API. Texts as they were typed; the operations check them.

use super::{Environment, KeyLimit, LimitChange, Meta, Preset, Unmatched};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A key that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewKey {
    pub name: String,
    /// The slug of an API; none: the first that is not Tollgate's own.
    pub api: Option<String>,
    /// None: those of the preset.
    pub permissions: Option<Vec<String>>,
    /// In place of permissions; neither: Basic, unless bundles are named.
    pub preset: Option<Preset>,
    /// Names of bundles of the API, beside the permissions.
    pub bundles: Vec<String>,
    /// Networks or single addresses from which it may be used; none: from everywhere.
    pub addresses: Vec<String>,
    /// Origins of the web pages that may use it; none: of every page.
    pub origins: Vec<String>,
    /// Method and path pattern of each route that it may call; none: all that its permissions allow.
    pub routes: Vec<String>,
    pub tags: Vec<String>,
    /// Who uses it, by an id of its workspace's own.
    pub external_id: Option<String>,
    /// What services are told of it.
    pub meta: Meta,
    pub expires_at: Option<OffsetDateTime>,
    pub environment: Environment,
    pub once: Option<Once>,
}

/// The random token of one page view: the same form sent twice makes one key, and shows its secret both times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once(pub String);

/// Changes of a key; `None` leaves as it is. All or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyEdit {
    pub name: Option<String>,
    /// `Some(None)`: never.
    pub expires_at: Option<Option<OffsetDateTime>>,
    pub permissions: Option<Vec<String>>,
    /// In place of permissions: those of the preset that can be given.
    pub preset: Option<Preset>,
    /// Names of bundles of the API, all that it holds then.
    pub bundles: Option<Vec<String>>,
    /// An empty list: from everywhere.
    pub addresses: Option<Vec<String>>,
    /// An empty list: every page.
    pub origins: Option<Vec<String>>,
    /// An empty list: all that its permissions allow.
    pub routes: Option<Vec<String>>,
    pub tags: Option<Vec<String>>,
    /// An empty text: none.
    pub external_id: Option<String>,
    /// All of it; an empty object: none.
    pub meta: Option<Meta>,
    /// An empty list: those of the next level again. Needs `keys:manage`.
    pub limits: Option<Vec<KeyLimit>>,
    /// Of one limit only, in place of `limits`. Needs `keys:manage`.
    pub limit: Option<LimitChange>,
    /// The slug of a plan; `Some(None)`: none of its own. Needs `keys:manage`.
    pub plan: Option<Option<String>>,
    /// Which state of its settings was seen (`Key::version`): another one is not overwritten. None: whatever it is.
    pub seen: Option<String>,
}

/// How long an old secret lives on beside a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grace {
    /// Seconds; 0: it ends at once.
    For(u32),
    Until(OffsetDateTime),
    /// Until a call passes with the newest secret.
    FirstUse,
}

/// An API that an operator describes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NewApi {
    pub slug: String,
    pub name: String,
    /// None: made from the slug.
    pub key_prefix: Option<String>,
    /// Lines `resource:action description`.
    pub permissions: Vec<String>,
    /// Those of them that the preset Basic gives; none: those that only read.
    pub basic: Vec<String>,
    /// Those of them that need a grant; the others are for everybody's keys.
    pub needs_grant: Vec<String>,
    pub unmatched: Unmatched,
}

/// Changes of an API; its slug and prefix stay, since keys carry them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ApiEdit {
    pub name: Option<String>,
    /// Lines `resource:action description`. A permission that is left out is taken from no key, but can't be given any more.
    pub permissions: Option<Vec<String>>,
    /// The permissions that the preset Basic gives; an empty list: those that only read.
    pub basic: Option<Vec<String>>,
    /// Permissions that need a grant from now on, or no longer. Those that are not named stay as they are.
    pub needs_grant: Vec<(String, bool)>,
    pub unmatched: Option<Unmatched>,
    pub answers_preflights: Option<bool>,
    /// 0: none; at most `Api::MAX_ONE_IN`.
    pub sample_one_in: Option<u32>,
    /// Which state was seen (`Api::version`): another one is not overwritten. None: whatever it is.
    pub seen: Option<String>,
}
