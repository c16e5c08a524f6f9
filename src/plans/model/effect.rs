//! Whether the limits of a plan apply to whom it is given: nearer ones stand before them.

use super::WorkspaceHold;
use crate::{ui::number::count, values::Slug};

/// What the limits of a plan do for one who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanEffect {
    /// They apply, at least to some keys.
    pub effective: bool,
    /// What applies instead, as a sentence; empty: nothing does.
    pub words: String,
}

impl PlanEffect {
    fn none(words: impl Into<String>) -> Self {
        Self { effective: false, words: words.into() }
    }

    /// Of a plan with limits or without for a key, or a group, with limits of its own or without.
    fn of_one(has_limits: bool, is_limited: bool, instead: &str) -> Self {
        match (has_limits, is_limited) {
            (false, _) => Self::none("This plan has no limits, so it changes none."),
            (true, true) => Self::none(instead),
            (true, false) => Self { effective: true, words: String::new() },
        }
    }

    pub fn of_key(has_limits: bool, is_limited: bool) -> Self {
        Self::of_one(has_limits, is_limited, "The plan's limits have no effect: the key has limits of its own, which apply instead.")
    }

    pub fn of_group(has_limits: bool, is_limited: bool) -> Self {
        Self::of_one(has_limits, is_limited, "The plan's limits have no effect: the group has limits of its own, which apply instead.")
    }

    /// Of a plan with limits or without for a workspace.
    pub fn of_workspace(has_limits: bool, hold: &WorkspaceHold) -> Self {
        match (&hold.group, hold.limited_keys) {
            _ if !has_limits || !hold.limits.is_empty() => {
                let instead = "The plan's limits have no effect: the workspace has limits of its own, which apply instead.";
                Self::of_one(has_limits, !hold.limits.is_empty(), instead)
            }
            (Some(group), _) if hold.is_group_limited => {
                Self::none(format!("The plan's limits have no effect: those of the workspace's group {group} apply instead."))
            }
            (_, 0) => Self { effective: true, words: String::new() },
            (_, limited) if limited == hold.keys => {
                Self::none(format!("The plan's limits have no effect: limits or plans of their own apply to {} instead.", count(limited, "key", "keys")))
            }
            (_, limited) => {
                let words = format!("Limits or plans of their own apply to {limited} of its {} instead.", count(hold.keys, "key", "keys"));
                Self { effective: true, words }
            }
        }
    }
}

/// A plan that was just given to somebody.
#[derive(Debug, Clone)]
pub struct GivenPlan {
    /// Who has it now.
    pub name: String,
    /// Which plan they had before.
    pub replaced: Option<Slug>,
    pub effect: PlanEffect,
}

impl GivenPlan {
    pub fn words(&self) -> String {
        let replaced = in_place_of(self.replaced.as_ref());
        format!("{} now has this plan{replaced}. {}", self.name, self.effect.words).trim_end().to_owned()
    }
}

/// ", in place of team"; nothing where there was none.
pub fn in_place_of(replaced: Option<&Slug>) -> String {
    replaced.map(|slug| format!(", in place of {slug}")).unwrap_or_default()
}
