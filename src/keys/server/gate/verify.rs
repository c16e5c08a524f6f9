//! The decision: one question, one answer, nothing awaited; but where several nodes share a limit, a call may have to wait until this
//! one has leased more of it (`Gate::ask`), and is then decided anew.
//!
//! The order is fixed: a blocked or slowed address, checksum, secret, then the checks (`checks`: state of the key and blocks of it,
//! address, origin, API, route, permission, the key's own routes, signature), then what slows the key, then limits. Only a call that passes
//! everything else is charged.

use super::{
    Gate, LimitState,
    blocked::{Passes, Slowed},
    charging::{Places, Uncharged, charge_all},
    checks::{Call, Check, Refused, Why, cost, needed},
    explain::detail,
    finding::Foreseen,
    leases::{PATIENCE, Rank, Unleased, Wanted},
    limit::{Limit, Till},
    record::{Counted, Record},
    routing::Matched,
    seats::{Hold, Seat},
};
use crate::{
    keys::{
        model::Ground,
        server::{
            meter::{
                Attempt, Refusal, SecretCall, SecretUse, Tally,
                addresses::{folded, told},
            },
            signing::{Proof, Signer},
        },
    },
    values::{ApiId, BlockPolicy, KeyId, Outcome, WorkspaceId},
};
use std::{net::IpAddr, sync::Arc};
use tokio::time::Instant;

/// May this call pass?
#[derive(Debug, Clone, Copy, Default)]
pub struct Question<'a> {
    pub secret: &'a str,
    /// What is known of the secret already, where somebody foresaw it and took the steps of `finding`.
    pub foreseen: Option<&'a Foreseen<'a>>,
    /// The API that is called; a key of another one is refused. None: any API.
    pub api: Option<ApiId>,
    /// What the call needs beside what its route needs, if anything.
    pub permission: Option<&'a str>,
    /// The route as the caller names it: `GET /orders/123`.
    pub route: &'a str,
    /// A proxy told the route of a client's call: what is no path is then refused by an API that has routes.
    pub is_proxied: bool,
    /// What was called, as the routes of a key are matched with it, where `route` only says how the call is counted; empty: nobody told. A
    /// thin pointer, since hardly any question has it.
    pub called: Option<&'a String>,
    /// Cost units; 0 asks without charging; none: what the route costs.
    pub cost: Option<u32>,
    /// The address of the end client, if it is known.
    pub address: Option<IpAddr>,
    /// The origin of the web page that made the call, if a browser sent it.
    pub origin: Option<&'a str>,
    /// What is known of the call's signature.
    pub proof: Proof,
    pub request_id: &'a str,
}

impl Question<'_> {
    /// It asks whether a call would pass: nothing is charged.
    fn only_asks(&self) -> bool {
        self.cost == Some(0)
    }
}

/// The answer, with the key's record where the holder proved the key.
#[derive(Debug, Clone)]
pub struct Answer {
    pub outcome: Outcome,
    pub(super) record: Option<Arc<Record>>,
    /// Where each limit stands after this call.
    pub limits: Vec<LimitState>,
    /// Seconds until it is worth trying again; none where it passes, and where nothing but an operator, or a cheaper call, helps.
    pub retry_after: Option<u64>,
    /// The permission that is needed and was not given.
    pub lacks: Option<Box<str>>,
    /// Why exactly it may not pass, where the code does not say it all.
    pub why: Option<String>,
    /// The place that the call takes, which is to be given back when it has ended.
    pub hold: Option<Box<Hold>>,
    violated: Places,
    beyond: Places,
    /// The policy of the block that refuses it, if one does.
    pub(super) block: Option<BlockPolicy>,
    /// What exactly refused it, if it may not pass.
    pub(super) ground: Ground,
}

impl Answer {
    pub fn passes(&self) -> bool {
        self.outcome == Outcome::Valid
    }

    pub fn facts(&self) -> Option<&super::KeyFacts> {
        self.record.as_deref().map(|r| &r.facts)
    }

    /// The limits that the call would have exceeded; none unless it is refused for them.
    pub fn violated(&self) -> impl Iterator<Item = &LimitState> {
        at(&self.limits, self.violated)
    }

    /// The limits that had no room for the call, which passed all the same.
    pub fn over(&self) -> impl Iterator<Item = &LimitState> {
        at(&self.limits, self.beyond)
    }

    pub(super) const fn bare(outcome: Outcome) -> Self {
        Self {
            outcome,
            record: None,
            limits: Vec::new(),
            retry_after: None,
            lacks: None,
            why: None,
            hold: None,
            violated: Places::NONE,
            beyond: Places::NONE,
            block: None,
            ground: Ground::guessed(outcome),
        }
    }

    fn refused(record: Arc<Record>, refused: Refused<'_>, now: i64) -> Self {
        let lacks = if let Why::Lacks(needed) | Why::Withheld { needed, .. } = refused.why { Some(needed.into()) } else { None };
        Self { record: Some(record), lacks, ..Self::refused_unseen(refused, now) }
    }

    /// Refused before anybody looked whose key it is.
    pub(super) fn refused_unseen(refused: Refused<'_>, now: i64) -> Self {
        let Refused { outcome, why } = refused;
        Self { why: why.sentence(), retry_after: why.retry_after(now), block: why.policy(), ground: refused.ground(), ..Self::bare(outcome) }
    }

    /// Beyond what a block, of the address or of the key, lets pass in this second.
    pub(super) fn slowed(by: &Slowed, ground: Ground, rank: Rank, now: i64) -> Self {
        let state = by.state(rank, now);
        Self {
            retry_after: Some(state.reset_after),
            limits: vec![state],
            violated: Places::only(0),
            why: Some(by.sentence()),
            ground,
            ..Self::bare(Outcome::RateLimited)
        }
    }
}

fn at(limits: &[LimitState], places: Places) -> impl Iterator<Item = &LimitState> {
    limits.iter().enumerate().filter(move |(place, _)| places.has(*place)).map(|(_, limit)| limit)
}

impl Gate {
    /// Decides and counts; waits, half a second at most, where more must be leased first.
    pub async fn ask(&self, question: Question<'_>) -> Result<Answer, Unleased> {
        match self.verify(question) {
            Ok(answer) => Ok(answer),
            Err(wanted) => Box::pin(self.ask_again(question, wanted)).await,
        }
    }

    async fn ask_again(&self, question: Question<'_>, mut wanted: Wanted) -> Result<Answer, Unleased> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let told = self.leases.wait(wanted, deadline).await;
            if told.is_err() {
                self.leases.is_unanswered(); // credits of a node that is alone go on without an answer
            }
            match (self.verify(question), told) {
                (Ok(answer), _) => return Ok(answer),
                (Err(_), Err(unleased)) => return Err(unleased),
                (Err(more), Ok(())) => wanted = more,
            }
        }
    }

    /// Decides and counts at once. Where it can't decide before more is leased, nothing is charged or counted.
    pub fn verify(&self, question: Question<'_>) -> Result<Answer, Wanted> {
        let now = self.clock.now_micros();
        if let Some(until) = self.blocked.address(question.address, now) {
            return Ok(self.turn_away(&question, Answer::refused_unseen(Refused { outcome: Outcome::IpDenied, why: Why::AddressBlocked(until) }, now), now));
        }
        let slowed = self.blocked.slows_address(question.address, now);
        let door = match Passes::take(&slowed, self.leases.rank(), now, question.only_asks()) {
            Ok(door) => door,
            Err(by) => return Ok(self.turn_away(&question, Answer::slowed(by, Ground::AddressSlowed, self.leases.rank(), now), now)),
        };
        let known = self.look_up_asked(&question);
        if let Ok((record, _)) = &known {
            self.expect(record, &question);
        }
        let apis = self.apis.load();
        let api = question.api.or(known.as_ref().ok().map(|(record, _)| record.facts.home.api));
        let route = api.map_or(Matched::Nothing, |api| apis.route(api, &question));
        let answer = match known {
            Ok((record, hash)) => {
                let call = Call {
                    question: &question,
                    facts: &record.facts,
                    hash: Some(&hash),
                    route,
                    address_blocked: None,
                    key_blocked: self.blocked.key(&record.facts, now),
                    now,
                };
                let mut answer = decide(self, &record, &call, &self.blocked.slows_key(&record.facts, now))?;
                self.note_use(&record, &hash, &question, route, answer.outcome, now);
                if answer.ground != Ground::KeySlowed {
                    self.watch_call(&record, question.address, answer.outcome, now);
                    answer.limits.extend(slowed.iter().map(|by| by.state(self.leases.rank(), now)));
                }
                answer
            }
            Err(outcome) => {
                self.watch_unknown(question.address, now);
                Answer::bare(outcome)
            }
        };
        door.keep(); // a guess takes a place too
        self.count(&question, &answer, route, now);
        self.sample_passed(&question, &answer, route, &apis, now);
        Ok(answer)
    }

    /// The answer for a blocked or slowed address: the key is not looked up.
    fn turn_away(&self, question: &Question<'_>, answer: Answer, now: i64) -> Answer {
        let apis = self.apis.load();
        self.count(question, &answer, question.api.map_or(Matched::Nothing, |api| apis.route(api, question)), now);
        answer
    }

    /// True if calls from this address are refused, whatever key they show.
    pub fn turns_away(&self, address: IpAddr) -> bool {
        self.blocked.address(Some(address), self.clock.now_micros()).is_some()
    }

    /// Whether a key of this API is in good standing and has the permission; nothing is charged or counted, but the secret was used. Who shows
    /// none that is known is for `strangers` to count.
    pub fn standing(&self, secret: &str, api: &str, permission: &str, route: &str, address: Option<IpAddr>) -> Outcome {
        self.standing_of(Question { secret, api: self.api(api).map(|a| a.id), permission: Some(permission), route, address, ..Question::default() }).0
    }

    /// The same for a whole question, and where the block stands that slows it, if one refuses it; routes of the API don't count.
    pub fn standing_of(&self, question: Question<'_>) -> (Outcome, Option<LimitState>) {
        let now = self.clock.now_micros();
        let address_blocked = self.blocked.address(question.address, now);
        if address_blocked.is_some() {
            return (Outcome::IpDenied, None);
        }
        match self.look_up_asked(&question) {
            Err(outcome) => (outcome, None),
            Ok((record, hash)) => {
                let key_blocked = self.blocked.key(&record.facts, now);
                let call = Call { question: &question, facts: &record.facts, hash: Some(&hash), route: Matched::Nothing, address_blocked, key_blocked, now };
                let (outcome, slowed) = match refusal(&call) {
                    Some(refused) => (refused.outcome, None),
                    None => self.pace(&call),
                };
                self.note_use(&record, &hash, &question, Matched::Nothing, outcome, now);
                (outcome, slowed)
            }
        }
    }

    /// Whether blocks that slow let this call pass, limits aside; where the one stands that does not.
    fn pace(&self, call: &Call<'_>) -> (Outcome, Option<LimitState>) {
        let rank = self.leases.rank();
        let mut slowed = self.blocked.slows_address(call.question.address, call.now);
        slowed.extend(self.blocked.slows_key(call.facts, call.now));
        match Passes::take(&slowed, rank, call.now, false) {
            Ok(places) => {
                places.keep();
                (Outcome::Valid, None)
            }
            Err(by) => (Outcome::RateLimited, Some(by.state(rank, call.now))),
        }
    }

    /// What the signature of this call is checked with; none if its key asks for none, or the call is refused for something else anyway.
    pub fn signer(&self, question: &Question<'_>) -> Option<(KeyId, Arc<Signer>)> {
        let (record, hash) = self.look_up(question.secret).ok()?;
        let signer = record.facts.signer()?;
        let question = Question { proof: Proof::Assumed, ..*question };
        let apis = self.apis.load();
        let route = apis.route(question.api.unwrap_or(record.facts.home.api), &question);
        let now = self.clock.now_micros();
        let (address_blocked, key_blocked) = (self.blocked.address(question.address, now), self.blocked.key(&record.facts, now));
        let call = Call { question: &question, facts: &record.facts, hash: Some(&hash), route, address_blocked, key_blocked, now };
        refusal(&call).is_none().then(|| (record.facts.key, Arc::clone(signer)))
    }

    /// The counters of a record: one atomic load, but for the first call of a key, which makes them.
    pub(super) fn counted<'a>(&self, record: &'a Record) -> &'a Counted {
        record.counted().unwrap_or_else(|| self.table.begin(record))
    }

    /// Tells the meter who uses this secret, if it is news, and of every call while its key has several. What was to live until this use ends
    /// on this node before the call is answered; the others are told of it with the meter's batch.
    fn note_use(&self, record: &Record, hash: &[u8; 32], question: &Question<'_>, called: Matched<'_>, outcome: Outcome, now: i64) {
        let passes = outcome == Outcome::Valid;
        let ends = if passes && record.facts.awaits_first_use { record.facts.ended_by(hash) } else { Vec::new() };
        if !ends.is_empty() && record.facts.is_waiting(&ends) {
            self.table.end_waiting(record, &ends);
        }
        if self.meter.is_off() {
            return;
        }
        if let Some(secret) = record.facts.changing_over(hash, now) {
            let (key, route) = (record.facts.key, self.label(question, called));
            self.meter.count_secret(&SecretCall { key, secret, address: question.address, route, outcome, at_micros: now });
        }
        let Some(secret) = record.seen(hash, now.div_euclid(60_000_000), passes) else { return };
        self.meter.note_use(SecretUse {
            secret: secret.id,
            key: record.facts.key,
            at_micros: now,
            address: question.address.map(|a| a.to_canonical().to_string()).unwrap_or_default(),
            route: self.label(question, called),
            ends,
        });
    }

    /// Whose a key is, for which API, and how its calls to this route are counted; none for a key it does not know.
    pub fn counted_as(&self, key: KeyId, route: &str) -> Option<(WorkspaceId, ApiId, Arc<str>)> {
        let record = self.table.by_id(key)?;
        let question = Question { route, ..Question::default() };
        let apis = self.apis.load();
        let home = &record.facts.home;
        Some((home.workspace, home.api, self.label(&question, apis.route(home.api, &question))))
    }

    /// How calls of this route are counted.
    pub(super) fn label(&self, question: &Question<'_>, called: Matched<'_>) -> Arc<str> {
        match called {
            Matched::Rule(rule, method) => Arc::clone(rule.label(method)),
            _ => self.labels.named(question.route),
        }
    }

    pub(super) fn count(&self, question: &Question<'_>, answer: &Answer, called: Matched<'_>, now: i64) {
        if self.meter.is_off() {
            return;
        }
        let minute = now.div_euclid(60_000_000);
        let route = self.label(question, called);
        match &answer.record {
            Some(record) => {
                let facts = &record.facts;
                let tally = Tally {
                    key: facts.key,
                    workspace: facts.home.workspace,
                    api: facts.home.api,
                    route: Arc::clone(&route),
                    outcome: answer.outcome,
                    minute,
                    count: 1,
                    cost: u64::from(cost(question, called).unwrap_or(0)),
                };
                // A call that only a limit refused was to need them too; one that lacks them, or is held for something else, was not.
                let is_use = matches!(answer.outcome, Outcome::Valid | Outcome::RateLimited | Outcome::QuotaExceeded);
                let needed = if is_use { needed(question, called) } else { [None; 2] };
                let is_named = !matches!(called, Matched::Rule(..));
                self.meter.count_from(tally, is_named, question.address, needed, &facts.hint);
                self.count_slowed(facts, answer, minute);
            }
            None => self.meter.count_unknown(Attempt { minute, reason: answer.outcome, address: prefix(question.address), count: 1 }),
        }
        if answer.outcome != Outcome::Valid {
            let facts = answer.facts();
            let whence = (answer.ground, question.address);
            self.meter.sample(facts.map(|f| f.key), answer.outcome, now, whence, || Refusal {
                at_micros: now,
                key: facts.map(|f| f.key),
                workspace: facts.map(|f| f.home.workspace),
                api: facts.map(|f| f.home.api).or(question.api),
                code: answer.outcome,
                ground: answer.ground,
                limit: answer.violated().next().filter(|_| answer.ground == Ground::Limit).map(|limit| limit.name.to_string()).unwrap_or_default(),
                permission: answer.lacks.as_deref().unwrap_or_default().to_owned(),
                route,
                address: question.address.map(|a| a.to_canonical().to_string()).unwrap_or_default(),
                request_id: question.request_id.to_owned(),
                detail: detail(question, answer),
            });
        }
    }
}

/// `slowed`: what slows the key.
fn decide(gate: &Gate, record: &Arc<Record>, call: &Call<'_>, slowed: &[Slowed]) -> Result<Answer, Wanted> {
    let (leases, now) = (&gate.leases, call.now);
    record.expect_charge();
    if let Some(refused) = refusal(call) {
        let mut answer = Answer::refused(Arc::clone(record), refused, now);
        if tells_limits(answer.ground) && record.facts.signer().is_none() {
            answer.limits = record.limit_states(now);
        }
        return Ok(answer);
    }
    let pace = match Passes::take(slowed, leases.rank(), now, call.question.only_asks()) {
        Ok(pace) => pace,
        Err(by) => return Ok(Answer { record: Some(Arc::clone(record)), ..Answer::slowed(by, Ground::KeySlowed, leases.rank(), now) }),
    };
    let (mut violated, mut beyond) = (Places::NONE, Places::NONE);
    let cost = cost(call.question, call.route);
    let seat = record.lasts().filter(|_| cost.is_some_and(|cost| cost > 0)).map(|seconds| Seat::new(now, seconds, gate.tags.next()));
    let limits = match cost {
        None => record.limit_states(now),
        Some(cost) => {
            let counted = gate.counted(record);
            let till = Till { leases, holder: record.holder(), together: &counted.together, seat: seat.unwrap_or_default() };
            match charge_all(&counted.limits, &till, now, cost) {
                Ok(passed) => beyond = passed,
                Err(Uncharged::Over(these)) => violated = these,
                Err(Uncharged::Wants(these)) => return Err(Wanted::of(these.of(&counted.limits, cost), record.holder())),
            }
            counted.states(now)
        }
    };
    let mut answer = Answer { record: Some(Arc::clone(record)), limits, violated, beyond, ..Answer::bare(Outcome::Valid) };
    if !violated.is_empty() {
        answer.refuse_over(&gate.counted(record).limits, violated, now, cost.unwrap_or(0));
        drop(pace); // it did not pass
    } else {
        pace.keep();
        let has_place = |(place, limit): (usize, &Limit)| limit.policy.seats().is_some() && !beyond.has(place);
        let seat = seat.filter(|_| gate.counted(record).limits.iter().enumerate().any(has_place));
        answer.hold = seat.map(|seat| Box::new(Hold { node: leases.me(), key: record.facts.key, seat }));
    }
    answer.limits.extend(slowed.iter().map(|by| by.state(leases.rank(), now)));
    Ok(answer)
}

/// Whether whom this refuses is told where the limits stand: who shows a living key where it may be used, and may only not call this. They
/// tell how much its owner uses it, which is nothing for another address or page, nor for who kept a secret that was let go or a key that
/// was stopped, maybe since it leaked. Where calls are signed the signature is looked at last, so a secret alone is told nothing.
const fn tells_limits(ground: Ground) -> bool {
    matches!(ground, Ground::Api | Ground::Route | Ground::Path | Ground::Unread | Ground::Permission | Ground::KeyRoute)
}

/// Why a known key may not pass, limits aside.
fn refusal<'a>(call: &Call<'a>) -> Option<Refused<'a>> {
    Check::ALL.into_iter().find_map(|check| check.refuses(call))
}

/// An address as attempts are counted by: IPv4 whole, IPv6 by its /64.
fn prefix(address: Option<IpAddr>) -> String {
    address.map(|address| told(folded(address))).unwrap_or_default()
}
