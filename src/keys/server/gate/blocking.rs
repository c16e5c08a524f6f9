//! What a block that refuses is answered as where an answer has a status: by Tollgate's own API, and to the service that asks. Everywhere
//! the same error, with what is blocked, until when, and the name of the policy. The reason is for operators.

use super::{Answer, Gate, KeyFacts, Question, checks::Why};
use crate::{
    error::AppError,
    keys::{model::Ground, server::meter::Attempt},
    values::BlockPolicy,
};
use std::num::NonZeroU64;

impl Answer {
    /// The policy of the block that refuses this call; none where something else refuses it, or nothing.
    pub const fn blocked_by(&self) -> Option<BlockPolicy> {
        self.block
    }

    /// The same as an error.
    pub fn blocked(&self) -> Option<AppError> {
        let message = self.why.as_deref().unwrap_or(self.outcome.sentence());
        Some(error(self.blocked_by()?, message.to_owned(), self.retry_after))
    }
}

impl Gate {
    /// Counts a call that found no place in its second for the block that slows its key or workspace: by the id of what is slowed.
    pub(super) fn count_slowed(&self, facts: &KeyFacts, answer: &Answer, minute: i64) {
        if answer.ground != Ground::KeySlowed {
            return;
        }
        let is_workspace = answer.violated().any(|limit| &*limit.name == "slow-workspace");
        let address = if is_workspace { facts.home.workspace.to_string() } else { facts.key.to_string() };
        self.meter.count_slowed(Attempt { minute, reason: answer.outcome, address, count: 1 });
    }

    /// The block that refuses whoever asks, if one does. For when it is known that something refuses.
    pub fn block_of(&self, question: &Question<'_>) -> Option<AppError> {
        let now = self.clock.now_micros();
        let why = match self.blocked.address(question.address, now) {
            Some(until) => Why::AddressBlocked(until),
            None => {
                let (record, _) = self.look_up(question.secret).ok()?;
                Why::KeyBlocked(self.blocked.key(&record.facts, now)?)
            }
        };
        Some(error(why.policy()?, why.sentence()?, why.retry_after(now)))
    }
}

fn error(policy: BlockPolicy, message: String, seconds: Option<u64>) -> AppError {
    AppError::Blocked { policy, message: message.into(), retry_after: seconds.and_then(NonZeroU64::new) }
}
