//! Would this call pass? A call that somebody describes, and how it would go, step by step.

use crate::values::Outcome;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A call to try with a key. Texts as they were typed; the operation checks them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TryCall {
    pub method: String,
    /// `/orders/17?page=2`
    pub path: String,
    /// From where; none: the call does not say.
    pub address: Option<String>,
    /// The origin of the web page that makes it; none: no page does.
    pub origin: Option<String>,
    /// A permission that is asked for beside what the route needs.
    pub permission: Option<String>,
    /// None: what the route costs.
    pub cost: Option<u32>,
    /// None: now.
    #[serde(with = "time::serde::rfc3339::option")]
    pub at: Option<OffsetDateTime>,
}

/// The same as it stands in the form and in the URL: all texts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TypedCall {
    pub method: String,
    pub path: String,
    pub ip: Option<String>,
    pub origin: Option<String>,
    pub permission: Option<String>,
    pub cost: Option<String>,
    /// As a field for a moment has it: `2026-11-18T14:00`, on the person's clock.
    pub at: Option<String>,
}

impl TypedCall {
    /// Reads a query; none where no path is asked for. An empty parameter is none, as forms send them.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let filled = |name| get(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        Some(Self {
            path: get("path")?,
            method: get("method").unwrap_or_default(),
            ip: filled("ip"),
            origin: filled("origin"),
            permission: filled("permission"),
            cost: filled("cost"),
            at: filled("at"),
        })
    }

    /// True if something is said that few calls need.
    pub const fn has_more(&self) -> bool {
        self.permission.is_some() || self.cost.is_some() || self.at.is_some()
    }
}

/// How it would go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallTrial {
    /// `GET /orders/17`
    pub call: String,
    pub outcome: Outcome,
    /// The route that it is: `GET /orders/{id}`.
    pub route: Option<String>,
    /// Cost units; none: no quota.
    pub cost: Option<u32>,
    /// In the order in which the gate looks; the first that refuses decides.
    pub steps: Vec<TrialStep>,
}

/// One thing that the gate looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialStep {
    /// `state`, `expiry`, `address`, `origin`, `api`, `route`, `permission`, `key_route`, `signature`, `pace` or `limit`.
    pub check: String,
    /// "State": its `noun`.
    pub title: String,
    /// The code where it refuses.
    pub refused: Option<Outcome>,
    pub detail: String,
}

impl TrialStep {
    /// How pages call a check, by its word; the detail of a refused call calls it so, too.
    pub fn noun(check: &str) -> &'static str {
        match check {
            "secret" => "Secret",
            "state" => "State",
            "expiry" => "Expiry",
            "address" => "Address",
            "origin" => "Origin",
            "api" => "API",
            "route" => "Route",
            "permission" => "Permission",
            "key_route" => "Key's routes",
            "signature" => "Signature",
            "pace" => "Pace",
            _ => "Limit",
        }
    }
}
