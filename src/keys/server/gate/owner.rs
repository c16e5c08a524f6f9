//! Whose key a secret is, before all of the request that shows it is here.

use super::{
    Gate, Question,
    checks::{Call, Check},
    routing::Matched,
};
use crate::{keys::server::signing::Proof, values::AccountId};

impl Gate {
    /// The owner of the key with this secret, if nothing but limits and the signature could refuse the call. Nothing is charged or counted.
    pub fn owner_of(&self, question: Question<'_>) -> Option<AccountId> {
        let (record, hash) = self.look_up(question.secret).ok()?;
        let question = Question { proof: Proof::Assumed, ..question };
        let now = self.clock.now_micros();
        let (address_blocked, key_blocked) = (self.blocked.address(question.address, now), self.blocked.key(&record.facts, now));
        let route = Matched::Nothing;
        let call = Call { question: &question, facts: &record.facts, hash: Some(&hash), route, address_blocked, key_blocked, now };
        let is_refused = Check::ALL.into_iter().any(|check| check.refuses(&call).is_some());
        (!is_refused).then(|| record.facts.home.owner)
    }
}
