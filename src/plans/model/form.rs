//! What the page of plans shows, and what its forms send.

use super::{DryRun, Plan};
use crate::keys::model::{GrantChoice, Window};
use serde::{Deserialize, Serialize};

/// The form of a plan: texts as they were typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlanForm {
    pub slug: String,
    pub name: String,
    pub description: String,
    /// Lines.
    pub entitlements: String,
    pub per_1000: String,
    pub currency: String,
    /// Of a new plan.
    #[serde(flatten)]
    pub limits: NewLimits,
}

impl PlanForm {
    /// The form that shows this plan; its limits stand in a table of their own.
    pub fn of(plan: &Plan) -> Self {
        Self {
            slug: plan.slug.to_string(),
            name: plan.name.clone(),
            description: plan.description.clone(),
            entitlements: plan.entitlements.join("\n"),
            per_1000: plan.price.as_ref().map(super::Price::per_1000).unwrap_or_default(),
            currency: plan.price.as_ref().map(|p| p.currency.clone()).unwrap_or_default(),
            limits: NewLimits::default(),
        }
    }
}

/// The limits that a plan or a group begins with, as they were typed: units of the usual windows; empty: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewLimits {
    pub second: String,
    pub minute: String,
    pub hour: String,
    pub day: String,
    pub month: String,
}

impl NewLimits {
    /// The windows with the name of their field and what was typed there.
    pub fn windows(&self) -> [(Window, &'static str, &str); 5] {
        [
            (Window::SECOND, "second", self.second.as_str()),
            (Window::MINUTE, "minute", self.minute.as_str()),
            (Window::HOUR, "hour", self.hour.as_str()),
            (Window::DAY, "day", self.day.as_str()),
            (Window::Month, "month", self.month.as_str()),
        ]
    }
}

/// Somebody who has a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Of a group, a workspace or a key, with its prefix.
    pub id: String,
    pub name: String,
    /// Where it is shown, if anywhere.
    pub href: Option<String>,
    pub kind: HolderKind,
}

/// What may have a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolderKind {
    /// Each of its workspaces.
    Group,
    /// All its keys together.
    Workspace,
    Key,
}

impl HolderKind {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Workspace => "workspace",
            Self::Key => "key",
        }
    }
}

/// The plan that is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenPlan {
    pub plan: Plan,
    /// Groups, then workspaces, then keys, of each the newest assigned first; at most 50.
    pub holders: Vec<Holder>,
    pub run: Option<DryRun>,
}

/// What `/admin/plans` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanPage {
    pub plans: Vec<Plan>,
    pub chosen: Option<ChosenPlan>,
    /// What keys get that no level limits: "100 units an hour".
    pub default_limit: String,
    /// What could be granted.
    pub needing: Vec<GrantChoice>,
}
