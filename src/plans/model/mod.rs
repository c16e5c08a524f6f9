//! The nouns of plans, for both sides.

mod dry_run;
mod effect;
mod form;
mod group;
mod price;

pub use dry_run::{DryRun, Trial, WouldBeLimited};
pub use effect::{GivenPlan, PlanEffect, in_place_of};
pub use form::{ChosenPlan, Holder, HolderKind, NewLimits, PlanForm, PlanPage};
pub use group::{ChosenGroup, Group, GroupEdit, GroupForm, GroupPage, GroupPlan, Member, Members, NewGroup};
pub use price::Price;

use crate::{
    keys::model::{Grant, KeyLimit, LimitChange},
    values::{PlanId, Slug, Version, WorkspaceId},
};
use serde::{Deserialize, Serialize};

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub id: PlanId,
    /// Its name for machines: what the gate answers as `plan`. It stays.
    pub slug: Slug,
    pub name: String,
    pub description: String,
    /// What else it gives, one line each; for people and for the services that read the plan's name.
    pub entitlements: Vec<String>,
    /// Permissions that need a grant, for keys of who has the plan.
    pub grants: Vec<Grant>,
    pub price: Option<Price>,
    /// By name. None: the plan changes no limit.
    pub limits: Vec<KeyLimit>,
    /// To how many it is assigned.
    pub workspaces: u64,
    pub keys: u64,
    pub groups: u64,
}

impl Plan {
    /// What the gate answers as the plan of a key that has none.
    pub const NONE: &'static str = "default";

    /// Of what its form shows; its limits have forms of their own.
    pub fn version(&self) -> Version {
        Version::of(&(&self.name, &self.description, &self.entitlements, &self.price))
    }

    /// Nobody has it.
    pub const fn is_free(&self) -> bool {
        self.workspaces == 0 && self.keys == 0 && self.groups == 0
    }
}

/// A plan that an operator describes; texts as they were typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewPlan {
    pub slug: String,
    pub name: String,
    pub description: String,
    pub entitlements: Vec<String>,
    /// `orders/reports:export` each.
    pub grants: Vec<String>,
    /// What 1,000 units are worth, and in which currency.
    pub price: Option<NewPrice>,
    pub limits: Vec<KeyLimit>,
}

/// A price as it was typed: "0.50", "EUR".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewPrice {
    pub per_1000: String,
    pub currency: String,
}

/// Changes of a plan; `None` leaves as it is. All or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanEdit {
    pub name: Option<String>,
    pub description: Option<String>,
    pub entitlements: Option<Vec<String>>,
    /// All of them then.
    pub grants: Option<Vec<String>>,
    /// `Some(None)`: no price.
    pub price: Option<Option<NewPrice>>,
    pub limits: Option<Vec<KeyLimit>>,
    /// Of one limit only, in place of `limits`.
    pub limit: Option<LimitChange>,
    /// Which state was seen (`Plan::version`): another one is not overwritten. None: whatever it is.
    pub seen: Option<String>,
}

/// What holds a workspace, besides its keys' own limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceHold {
    pub workspace: WorkspaceId,
    pub name: String,
    /// The slug of its plan.
    pub plan: Option<Slug>,
    /// The slug of its group, whose limits and plan stand behind its own.
    pub group: Option<Slug>,
    /// Its own; they stand before those of the plan.
    pub limits: Vec<KeyLimit>,
    /// Its own, beside those of its plan and its group.
    pub grants: Vec<Grant>,
    /// Its plan has limits; so has its group itself.
    pub is_plan_limited: bool,
    pub is_group_limited: bool,
    /// Its keys that are not revoked, and those of them that limits, or a plan with limits, of their own hold.
    pub keys: u64,
    pub limited_keys: u64,
    /// Of an assignment: the plan that it had before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Slug>,
}

impl WorkspaceHold {
    /// What the limits of its plan do; none: it has no plan.
    pub fn effect(&self) -> Option<PlanEffect> {
        self.plan.as_ref().map(|_| PlanEffect::of_workspace(self.is_plan_limited, self))
    }
}
