//! The decision: one question, one answer, nothing awaited.
//!
//! The order is fixed: checksum, secret, state of the key, address, API, permission, limits. Only a call that passes everything else is charged,
//! and a refusal is told no more than its code.

use super::{
    Gate, LimitState,
    limit::charge_all,
    record::{Record, Standing},
};
use crate::{
    keys::server::{
        meter::{Attempt, Refusal, SecretUse, Tally},
        secret::is_well_formed,
    },
    platform::{crypto::sha256, http::RequestInfo},
    values::{ApiId, Outcome},
};
use std::{net::IpAddr, sync::Arc};

/// May this call pass?
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub secret: &'a str,
    /// The API that is called; a key of another one is refused. None: any API.
    pub api: Option<ApiId>,
    /// What the call needs, if it needs anything.
    pub permission: Option<&'a str>,
    /// The route as the caller names it: `GET /orders/123`.
    pub route: &'a str,
    /// Cost units; 0 asks without charging.
    pub cost: u32,
    /// The address of the end client, if it is known.
    pub address: Option<IpAddr>,
    pub request_id: &'a str,
}

/// The answer, with the key's record where the holder proved the key.
#[derive(Debug, Clone)]
pub struct Answer {
    pub outcome: Outcome,
    pub(super) record: Option<Arc<Record>>,
    /// Where each limit stands after this call.
    pub limits: Vec<LimitState>,
    /// Seconds until it is worth trying again.
    pub retry_after: Option<u64>,
}

impl Answer {
    pub fn passes(&self) -> bool {
        self.outcome == Outcome::Valid
    }

    pub fn facts(&self) -> Option<&super::KeyFacts> {
        self.record.as_deref().map(|r| &r.facts)
    }

    const fn bare(outcome: Outcome) -> Self {
        Self { outcome, record: None, limits: Vec::new(), retry_after: None }
    }
}

impl Gate {
    /// Decides and counts.
    pub fn verify(&self, question: Question<'_>) -> Answer {
        let now = self.clock.now_micros();
        let answer = self.decide(&question, now);
        self.count(&question, &answer, now);
        answer
    }

    /// Whether a key of this API is in good standing and has the permission; nothing is charged or counted, but the secret was used.
    pub fn standing(&self, secret: &str, api: &str, permission: &str, route: &str, address: Option<IpAddr>) -> Outcome {
        let question = Question { secret, api: self.api(api).map(|a| a.id), permission: Some(permission), route, cost: 0, address, request_id: "" };
        if !is_well_formed(secret) {
            return Outcome::Malformed;
        }
        let hash = sha256(secret);
        match self.table.by_secret(hash) {
            None => Outcome::Unknown,
            Some(record) => {
                let now = self.clock.now_micros();
                let outcome = refusal(&record, &hash, &question, now).unwrap_or(Outcome::Valid);
                self.note_use(&record, &hash, &question, outcome, now);
                outcome
            }
        }
    }

    /// A call without any key: counted as an attempt.
    pub fn nothing_presented(&self, api: Option<ApiId>, route: &str, info: &RequestInfo) {
        let question = Question { secret: "", api, permission: None, route, cost: 0, address: Some(info.address), request_id: &info.id };
        self.count(&question, &Answer::bare(Outcome::Malformed), self.clock.now_micros());
    }

    fn decide(&self, question: &Question<'_>, now: i64) -> Answer {
        if !is_well_formed(question.secret) {
            return Answer::bare(Outcome::Malformed);
        }
        let hash = sha256(question.secret);
        let Some(record) = self.table.by_secret(hash) else { return Answer::bare(Outcome::Unknown) };
        if let Some(outcome) = refusal(&record, &hash, question, now) {
            self.note_use(&record, &hash, question, outcome, now);
            return Answer { outcome, record: Some(record), limits: Vec::new(), retry_after: None };
        }
        let charged = charge_all(&record.limits, &record.together, now, question.cost);
        let limits = record.limit_states(now);
        let retry_after = charged.err().and_then(|refusing| limits.get(refusing)).map(|limit| limit.reset_after);
        let outcome = if charged.is_ok() { Outcome::Valid } else { Outcome::RateLimited };
        self.note_use(&record, &hash, question, outcome, now);
        Answer { outcome, record: Some(record), limits, retry_after }
    }

    /// Tells the meter who uses this secret, if it is news.
    fn note_use(&self, record: &Record, hash: &[u8; 32], question: &Question<'_>, outcome: Outcome, now: i64) {
        let passes = outcome == Outcome::Valid;
        let Some(secret) = record.seen(hash, now.div_euclid(60_000_000), passes) else { return };
        self.meter.note_use(SecretUse {
            secret: secret.id,
            key: record.facts.key,
            at_micros: now,
            address: question.address.map(|a| a.to_canonical().to_string()).unwrap_or_default(),
            route: self.routes.named(question.route),
            ends_others: passes && record.facts.awaits_first_use && secret.expires_at.is_none(),
        });
    }

    fn count(&self, question: &Question<'_>, answer: &Answer, now: i64) {
        let minute = now.div_euclid(60_000_000);
        let route = self.routes.named(question.route);
        match &answer.record {
            Some(record) => {
                let facts = &record.facts;
                self.meter.count(Tally {
                    key: facts.key,
                    workspace: facts.workspace,
                    api: facts.api,
                    route: Arc::clone(&route),
                    outcome: answer.outcome,
                    minute,
                    count: 1,
                    cost: u64::from(question.cost),
                });
            }
            None => self.meter.count_unknown(Attempt { minute, reason: answer.outcome, address: prefix(question.address), count: 1 }),
        }
        if answer.outcome != Outcome::Valid {
            let facts = answer.facts();
            self.meter.sample(facts.map(|f| f.key), answer.outcome, now, || Refusal {
                at_micros: now,
                key: facts.map(|f| f.key),
                workspace: facts.map(|f| f.workspace),
                api: facts.map(|f| f.api).or(question.api),
                code: answer.outcome,
                route,
                address: question.address.map(|a| a.to_string()).unwrap_or_default(),
                request_id: question.request_id.to_owned(),
                detail: detail(question, answer),
            });
        }
    }
}

/// Why a known key may not pass, limits aside.
fn refusal(record: &Record, hash: &[u8; 32], question: &Question<'_>, now: i64) -> Option<Outcome> {
    let facts = &record.facts;
    let ended = |at: Option<i64>| at.is_some_and(|at| at <= now);
    if facts.secrets.iter().any(|s| s.hash == *hash && ended(s.expires_at)) {
        return Some(Outcome::Expired);
    }
    match facts.standing {
        Standing::Revoked => return Some(Outcome::Revoked),
        Standing::Banned => return Some(Outcome::Banned),
        Standing::Disabled => return Some(Outcome::Disabled),
        Standing::Active => {}
    }
    if ended(facts.expires_at) {
        return Some(Outcome::Expired);
    }
    if !facts.addresses.is_empty() && !question.address.is_some_and(|a| facts.addresses.iter().any(|network| network.contains(&a.to_canonical()))) {
        return Some(Outcome::IpDenied);
    }
    if question.api.is_some_and(|api| api != facts.api) {
        return Some(Outcome::WrongApi);
    }
    let lacks = |needed: &str| !facts.permissions.iter().any(|p| p.as_str() == needed);
    if question.permission.is_some_and(lacks) {
        return Some(Outcome::Forbidden);
    }
    None
}

/// What the owner of the key may read about the refusal.
fn detail(question: &Question<'_>, answer: &Answer) -> String {
    match (answer.outcome, question.permission, answer.limits.first()) {
        (Outcome::IpDenied, ..) => match question.address {
            Some(address) => format!("It came from {address}, which is not among the key's addresses."),
            None => "The question did not say from where it came, and this key may be used from certain addresses only.".to_owned(),
        },
        (Outcome::Forbidden, Some(needed), _) => format!("It asks for {needed}, which it was not given."),
        (Outcome::RateLimited, _, Some(limit)) => format!("The limit {} of {} calls in {} seconds was used up.", limit.name, limit.limit, limit.window),
        _ => answer.outcome.sentence().to_owned(),
    }
}

/// An address as attempts are counted by: IPv4 whole, IPv6 by its /64.
fn prefix(address: Option<IpAddr>) -> String {
    match address {
        None => String::new(),
        Some(IpAddr::V4(v4)) => v4.to_string(),
        Some(IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}
