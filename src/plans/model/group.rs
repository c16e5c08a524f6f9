//! Groups: workspaces that an operator treats alike.

use super::{DryRun, NewLimits, Plan};
use crate::{
    keys::model::{Grant, GrantChoice, KeyLimit, LimitChange},
    values::{AccountId, GroupId, PlanId, Slug, Version, WorkspaceId},
};
use serde::{Deserialize, Serialize};

/// A group. What it allows holds each of its workspaces by itself, as a plan of the workspace does: its own limits, else those of its plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub id: GroupId,
    /// Its name for machines. It stays.
    pub slug: Slug,
    pub name: String,
    pub description: String,
    pub plan: Option<GroupPlan>,
    /// Its own, by name; they stand before those of its plan.
    pub limits: Vec<KeyLimit>,
    /// Its own, beside those of its plan, for keys of each of its workspaces.
    pub grants: Vec<Grant>,
    /// How many workspaces are in it.
    pub members: u64,
}

impl Group {
    /// Of what its form shows; its limits and its members have forms of their own.
    pub fn version(&self) -> Version {
        Version::of(&(&self.name, &self.description, self.plan.as_ref().map(|plan| &plan.slug)))
    }
}

/// The plan of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupPlan {
    pub id: PlanId,
    pub slug: Slug,
    pub name: String,
}

/// A group that an operator describes; texts as they were typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewGroup {
    pub slug: String,
    pub name: String,
    pub description: String,
    /// The slug of a plan.
    pub plan: Option<String>,
    pub limits: Vec<KeyLimit>,
    /// `orders/reports:export` each.
    pub grants: Vec<String>,
}

/// Changes of a group; `None` leaves as it is. All or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupEdit {
    pub name: Option<String>,
    pub description: Option<String>,
    /// `Some(None)`: no plan.
    pub plan: Option<Option<String>>,
    pub limits: Option<Vec<KeyLimit>>,
    /// Of one limit only, in place of `limits`.
    pub limit: Option<LimitChange>,
    /// All of them then.
    pub grants: Option<Vec<String>>,
    /// Which state was seen (`Group::version`): another one is not overwritten. None: whatever it is.
    pub seen: Option<String>,
}

impl GroupEdit {
    /// It changes more of the group than which plan it has.
    pub fn describes(&self) -> bool {
        let Self { name, description, plan: _, limits, limit, grants, seen: _ } = self;
        name.is_some() || description.is_some() || limits.is_some() || limit.is_some() || grants.is_some()
    }
}

/// A workspace in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub workspace: WorkspaceId,
    pub name: String,
    /// Whose personal workspace it is.
    pub account: Option<AccountId>,
}

/// Some members, in the order of their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    pub rows: Vec<Member>,
    /// Behind which the next ones stand, if there are more.
    pub next: Option<WorkspaceId>,
}

/// The form of a group: texts as they were typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupForm {
    pub slug: String,
    pub name: String,
    pub description: String,
    /// The slug of a plan; empty: none.
    pub plan: String,
    /// Of a new group.
    #[serde(flatten)]
    pub limits: NewLimits,
}

impl GroupForm {
    /// The form that shows this group; its limits stand in a table of their own.
    pub fn of(group: &Group) -> Self {
        Self {
            slug: group.slug.to_string(),
            name: group.name.clone(),
            description: group.description.clone(),
            plan: group.plan.as_ref().map(|p| p.slug.to_string()).unwrap_or_default(),
            limits: NewLimits::default(),
        }
    }
}

/// The group beside the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenGroup {
    pub group: Group,
    pub members: Members,
    /// These are not the first members.
    pub is_further: bool,
    pub run: Option<DryRun>,
}

/// What `/admin/groups` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupPage {
    pub groups: Vec<Group>,
    pub chosen: Option<ChosenGroup>,
    /// Those that a group may have.
    pub plans: Vec<Plan>,
    /// What could be granted.
    pub needing: Vec<GrantChoice>,
}
