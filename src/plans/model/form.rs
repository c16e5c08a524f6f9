//! What the page of plans shows, and what its forms send.

use super::{DryRun, Plan};
use crate::keys::model::{KeyLimit, Over, Window};
use serde::{Deserialize, Serialize};

/// The form of a plan: texts as they were typed. Its limits are those of the usual windows and one of calls at the same time; empty: none.
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
    /// Calls at the same time, and for how many seconds one counts at most; empty: half a minute.
    pub together: String,
    pub lasts: String,
    /// How many credits, if any.
    pub credits: String,
    /// How many of them come back each time.
    pub refill: String,
    /// How often, in seconds; empty: never, they are prepaid.
    pub every: String,
    /// How the windows from a minute on are counted: `clock` (or empty), or `rolling`.
    pub counting: String,
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

    /// The value of `counting` for rolling windows.
    pub const ROLLING: &'static str = "rolling";
    /// And for those that begin with the clock and the calendar.
    pub const CLOCK: &'static str = "clock";

    /// The usual windows with the name of their field and what was typed there.
    pub fn windows(&self) -> [(Window, &'static str, &str); 5] {
        let [second, minute, hour, day, month] = Self::shown(self.counting == Self::ROLLING);
        [(second, "second", &self.second), (minute, "minute", &self.minute), (hour, "hour", &self.hour), (day, "day", &self.day), (month, "month", &self.month)]
    }

    /// The windows that the form has fields for. A second does not roll.
    fn shown(is_rolling: bool) -> [Window; 5] {
        if !is_rolling {
            return Window::USUAL;
        }
        let [minute, hour, day, month] = Window::ROLLING;
        [Window::SECOND, minute, hour, day, month]
    }

    /// True if the form shows the rolling windows of these limits: some are, and none of the fixed ones has a field.
    fn is_rolling(limits: &[KeyLimit]) -> bool {
        let has = |windows: &[Window]| limits.iter().any(|limit| windows.contains(&limit.window));
        has(&Window::ROLLING) && !has(&Window::USUAL[1..])
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
        let is_rolling = Self::is_rolling(limits);
        let [second, minute, hour, day, month] = Self::shown(is_rolling).map(typed);
        let together = limits.iter().find(|l| l.window.is_concurrent());
        let credits = limits.iter().find_map(|l| l.window.refill().map(|refill| (l.limit, refill)));
        let refill = credits.map(|(_, refill)| refill).filter(|refill| !refill.is_prepaid());
        Self {
            together: together.map(|l| l.limit.to_string()).unwrap_or_default(),
            lasts: together.and_then(|l| l.window.hold()).map(|seconds| seconds.to_string()).unwrap_or_default(),
            credits: credits.map(|(units, _)| units.to_string()).unwrap_or_default(),
            refill: refill.map(|refill| refill.units.to_string()).unwrap_or_default(),
            every: refill.map(|refill| refill.seconds.to_string()).unwrap_or_default(),
            second,
            minute,
            hour,
            day,
            month,
            counting: if is_rolling { Self::ROLLING } else { Self::CLOCK }.to_owned(),
            over: over.map_or(Self::KEEP, |over| over.action.as_str()).to_owned(),
            over_per_second: over.and_then(|over| over.action.per_second()).map(|n| n.to_string()).unwrap_or_default(),
            over_until: over.map(|over| over.end_text()).unwrap_or_default(),
            ..Self::default()
        }
    }

    /// What all limits that the form shows do with calls beyond them; none if they differ. Those of credits, and of calls at the same time, stay as they are.
    pub fn over_of(limits: &[KeyLimit]) -> Option<Over> {
        let others = Self::others(limits);
        let is_window = |limit: &&KeyLimit| !Self::has_own_fields(limit.window);
        let mut shown = limits.iter().filter(|limit| !others.contains(limit)).filter(is_window).map(|limit| limit.over);
        let first = shown.next().unwrap_or_default();
        shown.all(|over| over == first).then_some(first)
    }

    /// Credits and calls at the same time, one of each, whatever their seconds.
    const fn has_own_fields(window: Window) -> bool {
        window.is_credits() || window.is_concurrent()
    }

    /// Limits of the plan that the form does not show: other windows, or a second one of the same, or of credits.
    pub fn others(limits: &[KeyLimit]) -> Vec<KeyLimit> {
        let shown = Self::shown(Self::is_rolling(limits));
        let is_kind = |a: &KeyLimit, b: &KeyLimit| a.window.kind() == b.window.kind() && Self::has_own_fields(a.window);
        let is_like = |a: &KeyLimit, b: &KeyLimit| a.window == b.window || is_kind(a, b);
        let has_field = |limit: &KeyLimit| shown.contains(&limit.window) || Self::has_own_fields(limit.window);
        let is_shown = |(at, limit): &(usize, &KeyLimit)| has_field(limit) && !limits[..*at].iter().any(|l| is_like(l, limit));
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
