//! The nouns of keys, for both sides. Nothing here ever holds a secret: that is shown once, by `components::Reveal`.

mod batch;
mod bundle;
mod grant;
mod ground;
mod history;
mod import;
mod limit;
mod limit_unit;
mod many;
mod meta;
mod new;
mod offer;
mod over;
mod preset;
mod refill;
mod review;
mod rotation;
mod route;
mod signing;
mod spread;
mod standing;
mod trial;
mod typed_key;
mod typed_limit;
mod used;
mod view;
mod window;
mod workspace_state;
mod zone;

pub use batch::{BatchLine, BatchPage, BatchPreview};
pub use bundle::{Bundle, NewBundle, bundle_words};
pub use grant::{Grant, GrantChoice, Withheld};
pub use ground::Ground;
pub use history::{HistoryEntry, limits_changed};
pub use import::{ImportLine, ImportOutcome, ImportPreview, ImportShown};
pub use limit::{KeyLimit, Level, LevelView, LimitChange, LimitLeft, LimitView};
pub use limit_unit::{LimitUnit, Taken};
pub use many::{Many, ManyAct, ManyPlan, ManyPreview, ManyQuery, ManyRow, NamedKey, Selection, SkippedKeys, TypedMany};
pub use meta::Meta;
pub use new::{ApiEdit, Grace, KeyEdit, NewApi, NewKey, Once};
pub use offer::OfferGroup;
pub use over::{Over, OverAction};
pub use preset::Preset;
pub use refill::{Refill, hold_words};
pub use review::{Review, ToReview};
pub use rotation::{SecretCalls, SecretUser};
pub use route::{ApiRoute, NewRoute};
pub use signing::{Algorithm, SignCall, SignedCall, Signing, SigningView};
pub use spread::{Missing, Spread};
pub use standing::Standing;
pub use trial::{CallTrial, TrialStep, TryCall, TypedCall};
pub use typed_key::{TypedEdit, TypedKey};
pub use typed_limit::TypedLimit;
pub use used::PermissionUse;
pub use view::{
    DayBar, HoldView, KeyCount, KeyDetail, KeyList, KeyOwner, KeyQuery, KeyRow, KeysShown, LeakView, MissedSecret, NewKeyChoices, NewKeyForm, Said,
    SecretUseView, SecretView,
};
pub use window::{LimitKind, Unit, Window};
pub use workspace_state::WorkspaceState;
pub use zone::Zone;

use crate::values::{ApiId, KeyId, KeyPrefix, Permission, Slug, Version, WorkspaceId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Whether the owner wants the key to pass. Whether it does pass is its [`Standing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "lowercase"))]
pub enum KeyState {
    Active,
    Disabled,
    /// For good.
    Revoked,
}

/// What a key is for; part of its secret, so that people see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "lowercase"))]
pub enum Environment {
    #[default]
    Live,
    Test,
}

impl Environment {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

/// What was done to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "snake_case"))]
pub enum Act {
    Created,
    Renamed,
    /// When it expires was set or taken away.
    Expiry,
    Permitted,
    /// Which bundles of permissions it holds was set.
    Bundled,
    /// From where it may be used was set.
    Addressed,
    /// Of which web pages it may be used was set.
    Paged,
    /// Which routes it may call was set.
    Routed,
    /// How its calls must be signed was set.
    Signed,
    Tagged,
    /// What services are told of it was set.
    Described,
    Limited,
    /// Credits were added.
    Credited,
    /// It got a plan of its own, or lost it.
    Planned,
    Disabled,
    Enabled,
    Revoked,
    /// Its end has come.
    Expired,
    Rotated,
    /// A secret was dropped before its time.
    Dropped,
    /// An old secret ends at another time.
    Extended,
    /// The end of an old secret has come.
    SecretEnded,
    /// A secret of it was found in the open.
    Leaked,
    /// What was reported as a leak is none.
    Cleared,
    /// Its owner was banned: told by the ban, no line of the key's own. So are the next three.
    Banned,
    /// The ban of its owner is over.
    Unbanned,
    /// It was blocked or slowed, alone or with its workspace.
    Blocked,
    /// The block was lifted, or is over.
    Unblocked,
}

/// What becomes of a call that no route of its API matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "lowercase"))]
pub enum Unmatched {
    /// It needs no permission and costs 1.
    #[default]
    Allow,
    /// FORBIDDEN.
    Refuse,
}

/// What is most worth knowing about a key now. The store decides it (`store::listing`), so that lists can be filtered by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "snake_case"))]
pub enum StandingKind {
    Passing,
    /// A limit held some calls of the last 24 hours, or is used up now.
    Held,
    /// Some calls of the last 24 hours were refused for another reason.
    Refused,
    /// Within seven days.
    Expiring,
    /// No call yet, made within seven days.
    New,
    /// No call for seven days or more.
    Idle,
    Disabled,
    Expired,
    Revoked,
}

impl KeyState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Revoked => "revoked",
        }
    }
}

/// A protected service, as its operator describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Api {
    pub id: ApiId,
    pub slug: Slug,
    pub name: String,
    pub key_prefix: KeyPrefix,
    pub unmatched: Unmatched,
    /// Browsers that ask before a call (CORS) are answered at `/forward-auth`, without a key.
    pub answers_preflights: bool,
    /// One in so many calls that pass is kept as a sample; 0: none.
    pub sample_one_in: u32,
    pub permissions: Vec<ApiPermission>,
    /// By name.
    pub bundles: Vec<Bundle>,
}

impl Api {
    /// The slug of Tollgate's own REST API: a key for it never may more than its owner.
    pub const OWN: &'static str = "tollgate";
    /// The fewest samples that an API may keep of calls that pass, but for none: one in so many.
    pub const MAX_ONE_IN: u32 = 10_000;

    pub fn is_own(&self) -> bool {
        self.slug.as_str() == Self::OWN
    }

    /// Of what the form of its settings shows.
    pub fn version(&self) -> Version {
        let mut permissions: Vec<&ApiPermission> = self.permissions.iter().collect();
        permissions.sort_by(|a, b| a.permission.cmp(&b.permission));
        Version::of(&(&self.name, self.unmatched, self.answers_preflights, self.sample_one_in, permissions))
    }
}

/// A permission that an API knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiPermission {
    pub permission: Permission,
    pub description: String,
    /// In the preset Basic.
    pub is_basic: bool,
    /// Keys have it only where a plan, a group or the workspace grants it.
    pub needs_grant: bool,
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    pub id: KeyId,
    pub workspace: WorkspaceId,
    pub api: Slug,
    pub api_name: String,
    pub name: String,
    pub environment: Environment,
    /// How its newest secret begins: `demo_live_7Kq2`.
    pub start: String,
    /// Those that it was given one by one.
    pub permissions: Vec<Permission>,
    /// The bundles that it holds, by name.
    pub bundles: Vec<Slug>,
    /// All that it may, by itself and by its bundles, sorted. Of a key for Tollgate itself only what its owner may counts.
    pub effective: Vec<Permission>,
    /// Networks from which it may be used, in CIDR notation; none: from everywhere.
    pub addresses: Vec<String>,
    /// Origins of the web pages that may use it; none: of every page.
    pub origins: Vec<String>,
    /// The routes that it may call beside that, `GET /orders/{id}`; none: all that its permissions allow.
    pub routes: Vec<String>,
    /// Words to find it by, sorted.
    pub tags: Vec<String>,
    /// Who uses it, by an id of its workspace's own.
    pub external_id: Option<String>,
    /// What services are told of it; empty: nothing.
    pub meta: Meta,
    pub state: KeyState,
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<OffsetDateTime>,
    /// Its own limits; empty: those of the next level (`Level`).
    pub limits: Vec<KeyLimit>,
    /// The slug of its own plan.
    pub plan: Option<Slug>,
}

impl Key {
    /// Of what the form of its settings shows; what calls, rotations and switches change is not in it.
    pub fn version(&self) -> Version {
        let ends = self.expires_at.map(OffsetDateTime::unix_timestamp);
        let may = (&self.permissions, &self.bundles, &self.routes, &self.addresses, &self.origins);
        Version::of(&(&self.name, &self.tags, ends, may, &self.external_id, &self.meta))
    }
}
