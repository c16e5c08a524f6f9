//! Where a limit stands, as answers and pages tell it.

use crate::{
    keys::model::{LimitUnit, OverAction, Window},
    values::Outcome,
};
use std::sync::Arc;

/// Where a limit stands. Times in whole seconds, rounded up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitState {
    pub name: Arc<str>,
    pub limit: u64,
    /// With what passed beyond the limit; as a node knows it, of that, beside other nodes, what passed on this one. Of credits what is not left, and what passed
    /// without any on this node since some came back or were added here.
    pub used: u64,
    /// Of credits more than the limit where an operator added some.
    pub remaining: u64,
    /// Until the window ends; of a rolling one, and of credits, until something comes back, so that there is room where there is none now.
    /// Of calls at the same time until the first of them ends by itself. 0: nothing comes back by itself, or no call goes on.
    pub reset_after: u64,
    pub window: Window,
    /// What it is of, where it has a window.
    pub unit: LimitUnit,
    /// Of the present window: that of a month differs; of credits the time in which they all come back. 0: there is none.
    pub length: u32,
    /// What becomes of calls beyond it, at this moment.
    pub over: OverAction,
}

impl LimitState {
    /// Seconds until more is available, as answers tell it in their head and in their body.
    pub fn resets(&self) -> u64 {
        if self.remaining == 0 { self.opens_after() } else { self.reset_after }
    }

    /// Seconds after which a call that it refused may pass: of a throttle the end of the second.
    pub fn opens_after(&self) -> u64 {
        if self.over.per_second().is_some() { 1 } else { self.reset_after }
    }

    /// What the owner of the key reads of a call that it refused.
    pub fn refusal(&self) -> String {
        let (name, words) = (&self.name, self.words());
        let were = if self.limit == 1 { "was" } else { "were" };
        match self.over.per_second() {
            Some(n) => format!("{words} {were} used up (limit “{name}”). Beyond it, at most {n} a second pass."),
            None if self.window.is_concurrent() => format!("{words} {were} already running (limit “{name}”)."),
            None if self.window.is_credits() => format!("Its credits were used up (limit “{name}”: {words})."),
            None => format!("{words} {were} used up (limit “{name}”)."),
        }
    }
}

/// What a call is answered that these limits refuse: one over a day or longer is a quota, whatever else refuses too; but one that
/// lets calls pass every second is none.
pub fn refusing_code<'a>(mut refusing: impl Iterator<Item = &'a LimitState>) -> Outcome {
    let is_quota = |limit: &LimitState| limit.window.is_quota() && limit.over.per_second().is_none();
    if refusing.any(is_quota) { Outcome::QuotaExceeded } else { Outcome::RateLimited }
}
