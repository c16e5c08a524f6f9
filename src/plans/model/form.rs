//! What the page of plans shows, and what its forms send.

use super::{DryRun, Plan};
use crate::keys::model::{KeyLimit, Over, Window};
use serde::{Deserialize, Serialize};

/// The form of a plan: texts as they were typed. Its five limits are those of the usual windows; empty: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlanForm {
    pub slug: String,
    pub name: String,
    pub description: String,
    /// Lines.
    pub entitlements: String,
    pub second: String,
    pub minute: String,
    pub hour: String,
    pub day: String,
    pub month: String,
    /// What becomes of calls beyond any of these: `refuse`, `throttle`, `mark`, or `keep` for what each limit has.
    pub over: String,
    pub over_per_second: String,
    pub over_until: String,
    pub per_1000: String,
    pub currency: String,
}

impl PlanForm {
    /// The choice of `over` that leaves limits as they are.
    pub const KEEP: &'static str = "keep";

    /// The usual windows with the name of their field and what was typed there.
    pub fn windows(&self) -> [(Window, &'static str, &str); 5] {
        [
            (Window::SECOND, "second", &self.second),
            (Window::MINUTE, "minute", &self.minute),
            (Window::HOUR, "hour", &self.hour),
            (Window::DAY, "day", &self.day),
            (Window::Month, "month", &self.month),
        ]
    }

    /// The form that shows this plan.
    pub fn of(plan: &Plan) -> Self {
        Self {
            slug: plan.slug.to_string(),
            name: plan.name.clone(),
            description: plan.description.clone(),
            entitlements: plan.entitlements.join("\n"),
            per_1000: plan.price.as_ref().map(super::Price::per_1000).unwrap_or_default(),
            currency: plan.price.as_ref().map(|p| p.currency.clone()).unwrap_or_default(),
            ..Self::of_limits(&plan.limits)
        }
    }

    /// The fields of the usual windows and of what is beyond them, the others empty.
    pub fn of_limits(limits: &[KeyLimit]) -> Self {
        let over = Self::over_of(limits);
        let typed = |window: Window| limits.iter().find(|l| l.window == window).map(|l| l.limit.to_string()).unwrap_or_default();
        Self {
            second: typed(Window::SECOND),
            minute: typed(Window::MINUTE),
            hour: typed(Window::HOUR),
            day: typed(Window::DAY),
            month: typed(Window::Month),
            over: over.map_or(Self::KEEP, |over| over.action.as_str()).to_owned(),
            over_per_second: over.and_then(|over| over.action.per_second()).map(|n| n.to_string()).unwrap_or_default(),
            over_until: over.map(|over| over.end_text()).unwrap_or_default(),
            ..Self::default()
        }
    }

    /// What all limits that the form shows do with calls beyond them; none if they differ.
    pub fn over_of(limits: &[KeyLimit]) -> Option<Over> {
        let others = Self::others(limits);
        let mut shown = limits.iter().filter(|limit| !others.contains(limit)).map(|limit| limit.over);
        let first = shown.next().unwrap_or_default();
        shown.all(|over| over == first).then_some(first)
    }

    /// Limits of the plan that the form does not show: other windows, or a second one of the same.
    pub fn others(limits: &[KeyLimit]) -> Vec<KeyLimit> {
        let is_shown = |(at, limit): &(usize, &KeyLimit)| Window::USUAL.contains(&limit.window) && !limits[..*at].iter().any(|l| l.window == limit.window);
        limits.iter().enumerate().filter(|l| !is_shown(l)).map(|(_, limit)| limit.clone()).collect()
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

/// The plan beside the list.
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
    /// What keys get that no level limits: "100 calls an hour".
    pub default_limit: String,
}
