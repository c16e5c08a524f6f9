//! Who shows no key that is known, where a key is looked up but no call of it is verified: counted as `verify` counts them.

use super::{
    Answer, Gate, LimitState, Question,
    blocked::Passes,
    checks::{Refused, Why},
    routing::Matched,
};
use crate::{
    keys::model::Ground,
    platform::http::RequestInfo,
    values::{ApiId, Outcome},
};

impl Gate {
    /// A call without any key: counted as an attempt.
    pub fn nothing_presented(&self, api: Option<ApiId>, route: &str, info: &RequestInfo) {
        let question = Question { api, route, address: Some(info.address), request_id: &info.id, ..Question::default() };
        self.count(&question, &Answer::bare(Outcome::Malformed), Matched::Nothing, self.clock.now_micros());
    }

    /// An asking service that is not let in (`standing_of`), so that nobody tries secrets there unseen: an unknown or malformed one is counted
    /// and watched, and takes a place where the address is slowed. Then, where that block stands if it has no place left. Of a blocked
    /// address it is counted, whatever it shows; of a known key nothing is.
    pub fn not_let_in(&self, question: &Question<'_>, outcome: Outcome) -> Option<LimitState> {
        let (now, rank) = (self.clock.now_micros(), self.leases.rank());
        let count = |answer: &Answer| self.count(question, answer, Matched::Nothing, now);
        if let Some(until) = self.blocked.address(question.address, now) {
            count(&Answer::refused_unseen(Refused { outcome: Outcome::IpDenied, why: Why::AddressBlocked(until) }, now));
            return None;
        }
        if !matches!(outcome, Outcome::Unknown | Outcome::Malformed) {
            return None;
        }
        let slowed = self.blocked.slows_address(question.address, now);
        match Passes::take(&slowed, rank, now, false) {
            Ok(places) => {
                places.keep();
                self.watch_unknown(question.address, now);
                count(&Answer::bare(outcome));
                None
            }
            Err(by) => {
                count(&Answer::slowed(by, Ground::AddressSlowed, rank, now));
                Some(by.state(rank, now))
            }
        }
    }
}
