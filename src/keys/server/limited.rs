//! What a proxy's client reads of a call that limits refuse, where the sentence of the code would be wrong: whose limit it was, and what helps.

use super::gate::{Answer, LimitState};
use crate::{
    keys::model::{OverAction, Window},
    values::Outcome,
};

/// None where no limit refuses the call, or where the code says it all.
pub fn words(answer: &Answer) -> Option<String> {
    answer.violated().next()?;
    if answer.violated().all(|limit| limit.window.is_concurrent()) {
        return Some("As many calls go on as may at the same time. Try again when one of them has ended.".to_owned());
    }
    let is_shared = answer.facts().is_some_and(|facts| facts.allowance.level.is_shared());
    let have = if is_shared { "The keys of this workspace together have used up their" } else { "This key has used up its" };
    if answer.violated().all(is_slowed) {
        // What is slowed passes in the next second, long before the window ends.
        return Some(format!("{have} limit, and beyond it only so many calls pass in a second. Try again in a second."));
    }
    if answer.violated().any(is_prepaid) {
        return Some(format!("{have} prepaid credits. Ask an operator for more."));
    }
    let helps = match answer.outcome {
        Outcome::QuotaExceeded => "quota. Wait until it renews, or ask an operator for more.",
        _ => "limit. Wait until it resets.",
    };
    is_shared.then(|| format!("{have} {helps}"))
}

const fn is_slowed(limit: &LimitState) -> bool {
    matches!(limit.over, OverAction::Throttle { .. })
}

const fn is_prepaid(limit: &LimitState) -> bool {
    matches!(limit.window, Window::Credits(refill) if refill.is_prepaid()) && !is_slowed(limit)
}
