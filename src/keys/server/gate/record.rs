//! One key in the table: its facts, replaced whole when they change, and its counters, which live on.
//!
//! # What a key costs
//!
//! A million keys are to fit into 250 MB. In bytes, with the sizes that the allocator has (mimalloc: 16 to 64 in steps of 16, then 80, 96,
//! 112, 128, 160):
//!
//! | what | bytes |
//! | --- | --- |
//! | the record, in one piece with its facts and its one secret (`facts`): 16 for being shared, 16 for the id, 24 for what it shares with others, 8 for its end, 64 for the secret, 8 for what is rare, 8 for its standing and where its last call was counted, 16 for the counters that it may have | 160 |
//! | its place by secret (`table`): 16, in tables that are filled to between 44 and 88 %, at a million to 76 % | 19 to 37, 21 |
//! | its place by id: 8 and one for the mark, in tables that are filled alike | 11 to 21, 12 |
//! | **a key that was not called** | **193** (190 to 218) |
//! | once it was called with a limit: 56 for all its counters, in one piece with its one limit (in 64), 40 for the counter (in 48) | 112 more |
//! | each further limit; the second 24 beside that, since several stand in a piece of their own | 72 more |
//! | a limit of credits once something was asked of it, or any other beside other nodes: what this node holds, 144 | 160 more |
//! | of credits also what goes back and comes back: 48 | 48 more |
//! | a limit of calls at the same time once it was called: what a node holds, 144 (in 160); its places, 112; eleven of them at most in one piece of 192 | 464 more |
//! | while one of them is taken: an entry in what is looked at once a second (`seats::lending`) | about 100 more |
//! | under limits that are its workspace's: its counters are those of all its keys; of each limit its name on the list of who is counted | 20 to 39 more |
//! | alone in its workspace: its home | 96 more |
//! | with permissions, addresses, origins or routes that no other key has | about 150 more |
//! | with limits of its own that no other key has | about 300 more |
//! | of a workspace with limits of its own: what these are and who has them, once for all its keys | about 400 more |
//! | with signed requests, metadata or an external id: what is rare, 56 (in 64), and their texts | 64 more and the texts |
//! | each secret beside the first: 64, and its place | 85 more |
//!
//! # Counters
//!
//! Those of a key alone are made at its first call. Then it matters that every record of that key finds the same ones, also one that
//! another has just replaced while a call holds it: so they are made where no record of it can be replaced (`Table::begin`), and one that
//! was replaced takes those of the present one. A key that was not called since the start has used nothing that a restart does not know of
//! (`resume`), so counters that are not there say the same as those that say zero: of a window that nothing is used, of credits that all are
//! there, of calls at the same time that this node let none begin (what nodes have which have ended is known to `leases`, not to counters).
//! A limit that is new for a key is counted at once, since what was used before is then added; so is one of which a start finds something used,
//! and one whose credits an operator adds to.
//!
//! Those of a workspace are there from the start: they must outlive the key that used them.

use super::{
    facts::{KeyFacts, SecretFacts},
    few::Few,
    limit::{Counter, Limit, LimitState, Policy},
    seats::counted_as,
    shared::{Group, Groups},
};
use crate::{platform::early::fetch_early, values::KeyId};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use uuid::Uuid;

/// The facts with the counters beside them.
#[derive(Debug)]
pub struct Record {
    pub facts: KeyFacts,
    counted: OnceLock<Arc<Counted>>,
}

/// The limits of a key with their counters.
#[derive(Debug)]
pub struct Counted {
    pub limits: Few<Limit>,
    /// Held while several limits are charged together: the key's own lock, or that of the workspace whose counters they are. One limit
    /// alone needs none.
    pub together: Arc<Mutex<()>>,
    /// Keeps the counters of the workspace alive.
    _group: Option<Arc<Group>>,
}

/// What a key with one limit has for a lock: it is never held.
static NOBODYS: LazyLock<Arc<Mutex<()>>> = LazyLock::new(Arc::default);

impl Counted {
    /// A key's own. They go on, limit by limit, with those that were there `before` (`Policy::is_counted_as`).
    fn own(policies: &[Arc<Policy>], before: Option<&Self>) -> Self {
        let limit = |policy: &Arc<Policy>| {
            let known = before.and_then(|before| before.limits.iter().find(|limit| limit.policy.is_counted_as(policy)));
            let counter = known.map(|limit| Arc::clone(&limit.counter)).unwrap_or_default();
            let throttle = policy.throttle().map(|slows| {
                let counter = known.and_then(|limit| limit.throttle.as_ref()).map(|slow| Arc::clone(&slow.counter)).unwrap_or_default();
                Box::new(Limit { policy: slows.into(), counter, throttle: None })
            });
            Limit { policy: Arc::clone(policy), counter, throttle }
        };
        let limits: Few<Limit> = policies.iter().map(limit).collect();
        let together = if limits.len() < 2 {
            Arc::clone(&NOBODYS)
        } else {
            before.filter(|before| before.limits.len() > 1).map(|before| Arc::clone(&before.together)).unwrap_or_default()
        };
        Self { limits, together, _group: None }
    }

    /// Those of the key's workspace, once for all keys that have the same limits; `joins` is told of those that count this key from now
    /// on only.
    fn of_workspace(facts: &KeyFacts, groups: &Groups, mut joins: impl FnMut(&Arc<Counter>)) -> Arc<Self> {
        let group = groups.of(facts.home.workspace);
        let limit = |policy: &Arc<Policy>| {
            let (counter, is_new) = group.counter(facts.key, &policy.counter_name(), counted_as(policy.window));
            if is_new {
                joins(&counter);
            }
            let throttle = policy.throttle().map(|slows| {
                let (counter, _) = group.counter(facts.key, &slows.name, slows.window);
                Box::new(Limit { policy: slows.into(), counter, throttle: None })
            });
            Limit { policy: Arc::clone(policy), counter, throttle }
        };
        let limits = facts.allowance.limits.iter().map(limit).collect();
        group.alike(Self { limits, together: Arc::clone(&group.together), _group: Some(Arc::clone(&group)) })
    }

    /// True if both count by the same counters, under the same limits.
    pub fn is_alike(&self, other: &Self) -> bool {
        let same = |(limit, other): (&Limit, &Limit)| limit.policy == other.policy && Arc::ptr_eq(&limit.counter, &other.counter);
        self.limits.len() == other.limits.len() && self.limits.iter().zip(other.limits.iter()).all(same)
    }

    pub fn states(&self, now_micros: i64) -> Vec<LimitState> {
        self.limits.iter().map(|limit| limit.state(now_micros)).collect()
    }
}

impl Record {
    /// A record that replaces none, before its workspace's counters are known: `join` follows.
    pub const fn first(facts: KeyFacts) -> Self {
        Self { facts, counted: OnceLock::new() }
    }

    /// A record of these facts. Counters go on, limit by limit: same owner, same name, same window (`counted_as`), same unit. `begun` is told of those
    /// that begin now although the key was there before.
    pub fn new(facts: KeyFacts, groups: &Groups, replaced: Option<&Self>, mut begun: impl FnMut(KeyId, &Arc<Counter>)) -> Self {
        if let Some(replaced) = replaced.filter(|replaced| replaced.facts.awaits_first_use) {
            facts.keep_ended(&replaced.facts);
        }
        // The same facts read again are no news.
        if let Some(same) = replaced.filter(|replaced| replaced.facts == facts) {
            facts.secrets.iter().zip(same.facts.secrets.iter()).for_each(|(secret, before)| secret.seen.go_on(&before.seen));
        }
        let key = facts.key;
        let counted = if facts.allowance.level.is_shared() {
            Some(Counted::of_workspace(&facts, groups, |counter| {
                if replaced.is_some() {
                    begun(key, counter);
                }
            }))
        } else {
            replaced.and_then(|replaced| replaced.going_on(&facts.allowance.limits, |counter| begun(key, counter))).map(Arc::new)
        };
        let record = Self::first(facts);
        if let Some(counted) = counted {
            counted.limits.iter().for_each(Limit::keep_to_terms);
            record.counted.get_or_init(|| counted);
        }
        record
    }

    /// What a key's own record counts from the start that takes the place of this one: what this one counts, and what is new.
    fn going_on(&self, policies: &[Arc<Policy>], mut begun: impl FnMut(&Arc<Counter>)) -> Option<Counted> {
        let before = (!self.is_shared()).then_some(self);
        let is_new = |policy: &Arc<Policy>| before.is_none_or(|before| !before.policies().iter().any(|known| known.is_counted_as(policy)));
        let counts = before.and_then(Self::counted);
        if counts.is_none() && !policies.iter().any(is_new) {
            return None;
        }
        let counted = Counted::own(policies, counts);
        counted.limits.iter().filter(|limit| is_new(&limit.policy)).for_each(|limit| begun(&limit.counter));
        Some(counted)
    }

    /// Counts by the counters of its workspace from now on, if its limits are those of the workspace.
    pub fn join(&self, groups: &Groups) {
        if self.is_shared() {
            self.counted.get_or_init(|| Counted::of_workspace(&self.facts, groups, |_| ()));
        }
    }

    /// Its counters, made now if there are none. `current` is the record that has taken its place, if one has: both count by the same.
    /// To be called where no record of the key can be replaced meanwhile.
    pub fn begin(&self, current: Option<&Self>) -> &Counted {
        self.counted.get_or_init(|| {
            let counts = current.filter(|current| !current.is_shared()).map(|current| current.begin(None));
            Arc::new(Counted::own(self.policies(), counts))
        })
    }

    /// Its counters, if it has any: a key of its own has none before its first call.
    pub fn counted(&self) -> Option<&Counted> {
        self.counted.get().map(|counted| &**counted)
    }

    /// A call of this key is on its way: its facts are loaded meanwhile.
    pub fn expect(&self) {
        fetch_early(self);
    }

    /// The same, closer: its limits.
    pub fn expect_counters(&self) {
        if let Some(counted) = self.counted() {
            fetch_early(counted);
        }
    }

    /// The same, closer: the counter of its one limit.
    pub fn expect_charge(&self) {
        if let Some([limit]) = self.counted().map(|counted| &counted.limits[..]) {
            fetch_early(&*limit.counter);
        }
    }

    /// Its limits as they stand, to look at.
    pub fn look<T>(&self, look: impl FnOnce(&Counted) -> T) -> T {
        match self.counted() {
            Some(counted) => look(counted),
            None => look(&Counted::own(self.policies(), None)),
        }
    }

    pub fn limit_states(&self, now_micros: i64) -> Vec<LimitState> {
        self.look(|counted| counted.states(now_micros))
    }

    pub fn policies(&self) -> &[Arc<Policy>] {
        &self.facts.allowance.limits
    }

    /// Whether it has a limit of less than a minute.
    pub fn has_short_window(&self) -> bool {
        self.policies().iter().any(|policy| policy.window.is_below_a_minute())
    }

    /// The secret with this hash, if its use is worth a note: the first of its minute, or the first that passed in it.
    pub fn seen(&self, hash: &[u8; 32], minute: i64, passes: bool) -> Option<&SecretFacts> {
        self.facts.secrets.iter().find(|secret| secret.hash == *hash).filter(|secret| secret.seen.is_news(minute, passes))
    }

    /// Whose limits they are: the key's own, or its workspace's.
    pub fn holder(&self) -> Uuid {
        if self.is_shared() { self.facts.home.workspace.uuid() } else { self.facts.key.uuid() }
    }

    fn is_shared(&self) -> bool {
        self.facts.allowance.level.is_shared()
    }
}
