//! The JSON of what holds a key: its limits with where they stand, the levels that they come from, its permissions against their use.

use super::bodies::{KeyLimitBody, UnitBody, WindowSchema};
use crate::keys::{
    model::{Level, LevelView, PermissionUse, Window},
    server::limits::Live,
};
use serde::Serialize;
use utoipa::ToSchema;

/// A limit that holds the key's calls, and where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitStateBody {
    #[schema(example = "default")]
    pub name: String,
    /// Cost units, calls, credits, or calls at the same time.
    #[schema(example = 100)]
    pub limit: u64,
    #[schema(value_type = WindowSchema)]
    pub window: Window,
    /// What is counted in the window.
    pub unit: UnitBody,
    /// More than the limit where calls beyond it passed.
    pub used: u64,
    pub remaining: u64,
    /// Seconds; 0 where nothing comes back by itself.
    pub reset_after: u64,
}

impl From<Live> for LimitStateBody {
    fn from(live: Live) -> Self {
        let Live { name, limit, used, remaining, reset_after, window, unit, .. } = live;
        Self { name, limit, window, unit: unit.into(), used, remaining, reset_after }
    }
}

/// A level with what it would give, if it were the first that gives anything.
#[derive(Debug, Serialize, ToSchema)]
pub struct LevelBody {
    #[schema(value_type = String, example = "workspace_plan")]
    pub level: Level,
    /// Whose: the plan's, the group's, the workspace's or the API's name; empty where the level says it.
    pub name: String,
    /// Empty: it gives nothing.
    pub limits: Vec<KeyLimitBody>,
    /// The limits of this level hold the key.
    pub in_force: bool,
}

impl From<LevelView> for LevelBody {
    fn from(view: LevelView) -> Self {
        let LevelView { level, name, limits, is_in_force } = view;
        Self { level, name, limits: limits.into_iter().map(Into::into).collect(), in_force: is_in_force }
    }
}

/// A permission that the key has in effect, and how often its calls needed it in the last 30 days.
#[derive(Debug, Serialize, ToSchema)]
pub struct PermissionUseBody {
    #[schema(example = "orders:read")]
    pub permission: String,
    /// It was given to the key by itself; `PATCH` with the other `permissions` takes it away.
    pub is_single: bool,
    /// The bundles of the key that give it.
    pub bundles: Vec<String>,
    /// False: it needs a grant that neither its plan nor its workspace or group gives, so calls that need it are `FORBIDDEN`.
    pub is_granted: bool,
    pub calls: u64,
    /// The last of these calls.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<String>,
    /// False: nobody can tell from the calls whether it is used.
    pub is_known: bool,
}

impl From<PermissionUse> for PermissionUseBody {
    fn from(used: PermissionUse) -> Self {
        Self {
            permission: used.permission.to_string(),
            is_single: used.is_single,
            bundles: used.bundles.iter().map(ToString::to_string).collect(),
            is_granted: used.is_granted,
            calls: used.calls,
            last_used_at: used.last.map(|said| said.at),
            is_known: used.is_known,
        }
    }
}
