//! Would this call pass? Every check with what it says, and where the limits stand. The same checks as `verify`, but without a secret,
//! and nothing is charged or counted.

use super::{
    Answer, Gate, LimitState, Question,
    checks::{Call, Check, cost},
    limit::{Limit, refusing_code},
    routing::Matched,
};
use crate::{
    keys::{
        model::{Ground, OverAction},
        server::signing::Proof,
    },
    values::{KeyId, Outcome, Permission},
};

/// How a call would go.
#[derive(Debug, Clone)]
pub struct Trial {
    pub outcome: Outcome,
    /// Each check in order: none where it lets the call pass, else its code and why exactly.
    pub checks: Vec<(Check, Option<Objection>)>,
    /// The API's route for it, if one matches.
    pub route: Option<TrialRoute>,
    /// Cost units; none: no quota.
    pub cost: Option<u32>,
    /// Before the call.
    pub limits: Vec<TrialLimit>,
    /// What slows the call: whether nothing more passes in this second, and what the holder may know of it.
    pub slowed: Vec<(bool, String)>,
    /// The code where limits, or what slows, refuse.
    pub over: Option<Outcome>,
}

/// One limit, and what it would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialLimit {
    /// Before the call.
    pub state: LimitState,
    pub verdict: Verdict,
    /// The call costs more than all of it.
    pub is_too_small: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It has room.
    Fits,
    /// It has none, and the call passes beyond it.
    Passes,
    Refuses,
}

impl TrialLimit {
    /// By where it stands, if that was read.
    fn of(limit: &Limit, standing: &[LimitState], cost: u32, now_micros: i64) -> Self {
        let policy = &limit.policy;
        let is_it = |state: &&LimitState| state.name == policy.name && state.window == policy.window && state.unit == policy.unit && state.limit == policy.max;
        let state = standing.iter().find(is_it).cloned().unwrap_or_else(|| limit.state(now_micros));
        let verdict = if state.remaining >= u64::from(limit.needs(cost)) {
            Verdict::Fits
        } else {
            match (state.over, &limit.throttle) {
                (OverAction::Mark, _) => Verdict::Passes,
                (OverAction::Throttle { .. }, Some(throttle)) if throttle.state(now_micros).remaining > 0 => Verdict::Passes,
                _ => Verdict::Refuses,
            }
        };
        let is_too_small = limit.never_fits(&state, cost);
        Self { state, verdict, is_too_small }
    }
}

/// The code of a check that refuses, and why exactly.
pub type Objection = (Outcome, Option<String>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialRoute {
    /// `GET /orders/{id}`.
    pub label: String,
    pub permission: Option<Permission>,
}

impl Gate {
    /// Tries a call of this key at a time, at which its limits stand so (`standings`); none for a key that it does not know.
    pub fn explain(&self, key: KeyId, question: Question<'_>, standing: &[LimitState], now_micros: i64) -> Option<Trial> {
        let record = self.table.by_id(key)?;
        let question = Question { proof: Proof::Assumed, ..question };
        let apis = self.apis.load();
        let route = apis.route(question.api.unwrap_or(record.facts.home.api), &question);
        let (address_blocked, key_blocked) = (self.blocked.address(question.address, now_micros), self.blocked.key(&record.facts, now_micros));
        let call = Call { question: &question, facts: &record.facts, hash: None, route, address_blocked, key_blocked, now: now_micros };
        let checks = Check::ALL.into_iter().filter(|check| *check != Check::Secret);
        let checks: Vec<_> = checks.map(|check| (check, check.refuses(&call).map(|r| (r.outcome, r.why.sentence())))).collect();
        let cost = cost(&question, route);
        let limits: Vec<_> = record.look(|counted| counted.limits.iter().map(|limit| TrialLimit::of(limit, standing, cost.unwrap_or(0), now_micros)).collect());
        let mut refusing = limits.iter().filter(|limit| limit.verdict == Verdict::Refuses).map(|limit| &limit.state).peekable();
        let over = refusing.peek().is_some().then(|| refusing_code(refusing));
        let slows = self.blocked.slows_address(question.address, now_micros).into_iter().chain(self.blocked.slows_key(&record.facts, now_micros));
        let slowed: Vec<_> = slows.map(|by| (by.state(self.leases.rank(), now_micros).remaining == 0, by.sentence())).collect();
        let over = slowed.iter().any(|(is_full, _)| *is_full).then_some(Outcome::RateLimited).or(over);
        let refused = checks.iter().find_map(|(_, refused)| refused.as_ref().map(|(outcome, _)| *outcome));
        let route = if let Matched::Rule(rule, method) = route {
            Some(TrialRoute { label: rule.label(method).to_string(), permission: rule.permission.clone() })
        } else {
            None
        };
        Some(Trial { outcome: refused.or(over).unwrap_or(Outcome::Valid), checks, route, cost, limits, slowed, over })
    }
}

/// What the owner of the key may read about the refusal.
pub(super) fn detail(question: &Question<'_>, answer: &Answer) -> String {
    match (answer.outcome, &answer.why, answer.violated().next()) {
        (_, Some(why), _) => why.clone(),
        (Outcome::Expired, ..) if answer.ground == Ground::Secret => "A rotation has let this secret go; the key has a newer one.".to_owned(),
        (Outcome::IpDenied, ..) => match question.address {
            Some(address) => format!("It came from {address}, which is not among the key's addresses."),
            None => answer.outcome.sentence().to_owned(),
        },
        (Outcome::RateLimited | Outcome::QuotaExceeded, _, Some(limit)) => limit.refusal(),
        _ => answer.outcome.sentence().to_owned(),
    }
}
