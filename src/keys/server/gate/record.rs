//! What the gate knows of one key: its facts, replaced whole when they change, and its counters, which live on.

use super::{
    limit::{Counter, Limit, LimitState, Policy},
    seats::counted_as,
    shared::{Group, Groups},
};
use crate::{
    keys::{model::Level, server::signing::Signer},
    values::{AccountId, ApiId, KeyId, Permission, SecretId, WorkspaceId},
};
use ipnet::IpNet;
use std::sync::{
    Arc, LazyLock, Mutex,
    atomic::{AtomicU32, Ordering},
};
use uuid::Uuid;

/// Whether a key may be used at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Active,
    Disabled,
    Revoked,
}

/// One key as the database holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    pub key: KeyId,
    pub owner: AccountId,
    pub workspace: WorkspaceId,
    pub api: ApiId,
    pub api_slug: Arc<str>,
    pub standing: Standing,
    /// Until then its owner may not make calls, in microseconds since 1970. A ban ends by the clock, without anybody telling the gate.
    pub banned_until: Option<i64>,
    /// Microseconds since 1970.
    pub expires_at: Option<i64>,
    /// Its own and those of its bundles. Those of a key for Tollgate itself are cut down to what its owner has.
    pub permissions: Arc<[Permission]>,
    /// From where it may be used; empty: from everywhere.
    pub addresses: Box<[IpNet]>,
    /// Of which web pages; empty: of all (`keys::server::origins`).
    pub origins: Box<[Box<str>]>,
    /// Every call must be signed so.
    pub signer: Option<Arc<Signer>>,
    pub secrets: Box<[SecretFacts]>,
    /// Secrets that are tried, not looked up, until they were used once.
    pub salted: Box<[Salted]>,
    /// An old secret ends with the first use of the newest one.
    pub awaits_first_use: bool,
    /// The slug of its plan, or of its workspace's.
    pub plan: Option<Arc<str>>,
    /// Where its limits come from.
    pub level: Level,
    /// Empty at the level of the default. Keys that were read together share equal ones.
    pub limits: Arc<[Arc<Policy>]>,
}

impl KeyFacts {
    /// What is answered as its plan: `default` if it has none.
    pub fn plan(&self) -> &str {
        self.plan.as_deref().unwrap_or("default")
    }
}

/// How a secret was made, and so how it is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// By Tollgate: with a checksum.
    Own,
    /// Elsewhere; only its SHA-256 is known.
    Sha256,
    /// Elsewhere; only its SHA-512 is known.
    Sha512,
}

/// One secret: its digest, and when a rotation lets it go; the newest has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretFacts {
    pub id: SecretId,
    /// Its SHA-256; of one with a SHA-512 the SHA-256 of that (`verify::digest_of_sha512`).
    pub hash: [u8; 32],
    pub origin: Origin,
    pub expires_at: Option<i64>,
}

/// A secret that was made elsewhere and whose hash is salted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salted {
    pub id: SecretId,
    /// How it begins: 8 to 16 ASCII characters.
    pub start: Box<str>,
    /// bcrypt, or Argon2 as PHC string.
    pub phc: Box<str>,
    pub expires_at: Option<i64>,
}

/// The facts with the counters beside them.
#[derive(Debug)]
pub struct Record {
    pub facts: KeyFacts,
    pub limits: Box<[Limit]>,
    /// Held while several limits are charged together: the key's own lock, or that of the workspace whose counters they are. One limit
    /// alone needs none.
    pub together: Arc<Mutex<()>>,
    /// Beside each secret, when it was last seen.
    seen: Box<[Seen]>,
    /// Keeps the counters of the workspace alive.
    group: Option<Arc<Group>>,
}

/// What a key with one limit has for a lock: it is never held.
static NOBODYS: LazyLock<Arc<Mutex<()>>> = LazyLock::new(Arc::default);

/// The minute in which a secret was last used, times two, and one more if a call passed with it: so telling of a use costs one look
/// per call and one note per minute. A changed record begins anew, so that a use after a rotation is always told.
#[derive(Debug, Default)]
struct Seen(AtomicU32);

impl Seen {
    fn copy(&self) -> Self {
        Self(AtomicU32::new(self.0.load(Ordering::Relaxed)))
    }

    /// True if this use says more than the ones before.
    fn is_news(&self, minute: i64, passes: bool) -> bool {
        let word = u32::try_from(minute.saturating_mul(2)).unwrap_or(0) | u32::from(passes);
        self.0.load(Ordering::Relaxed) < word && self.0.fetch_max(word, Ordering::Relaxed) < word
    }
}

impl Record {
    /// A record of these facts. Counters go on, limit by limit: same owner, same name, same window (`counted_as`). `begun` is told of those that
    /// begin now although the key was there before.
    pub fn new(facts: KeyFacts, default: &Arc<Policy>, groups: &Groups, replaced: Option<&Self>, mut begun: impl FnMut(KeyId, &Arc<Counter>)) -> Self {
        let policies = if facts.limits.is_empty() { std::slice::from_ref(default) } else { &facts.limits };
        let group = facts.level.is_shared().then(|| groups.of(facts.workspace));
        let replaced_own = replaced.filter(|r| r.group.is_none());
        let limits = policies
            .iter()
            .map(|policy| {
                let before = replaced_own
                    .and_then(|r| r.limits.iter().find(|l| l.policy.name == policy.name && counted_as(l.policy.window) == counted_as(policy.window)));
                let (counter, is_new) = match (&group, before) {
                    (Some(group), _) => {
                        let (counter, is_new) = group.counter(facts.key, &policy.name, counted_as(policy.window));
                        (counter, is_new && replaced.is_some())
                    }
                    (None, Some(before)) => (Arc::clone(&before.counter), false),
                    (None, None) => (Arc::default(), replaced.is_some()),
                };
                if is_new {
                    begun(facts.key, &counter);
                }
                if let Some(terms) = policy.seats()
                    && let Some(lease) = counter.lease().as_deref_mut()
                {
                    lease.seats().turn(terms); // what was lent under other ones is void at once
                }
                let slows = policy.throttle().map(|slows| {
                    let known = before.and_then(|before| before.throttle.as_ref()).map(|known| Arc::clone(&known.counter));
                    let counter = match &group {
                        Some(group) => group.counter(facts.key, &slows.name, slows.window).0,
                        None => known.unwrap_or_default(),
                    };
                    Box::new(Limit { policy: slows.into(), counter, throttle: None })
                });
                Limit { policy: Arc::clone(policy), counter, throttle: slows }
            })
            .collect();
        let together = match &group {
            Some(group) => Arc::clone(&group.together),
            None if policies.len() < 2 => Arc::clone(&NOBODYS),
            None => replaced_own.filter(|r| r.limits.len() > 1).map(|r| Arc::clone(&r.together)).unwrap_or_default(),
        };
        // The same facts read again are no news.
        let seen = match replaced.filter(|r| r.facts == facts) {
            Some(same) => same.seen.iter().map(Seen::copy).collect(),
            None => facts.secrets.iter().map(|_| Seen::default()).collect(),
        };
        Self { facts, limits, together, seen, group }
    }

    /// The secret with this hash, if its use is worth a note: the first of its minute, or the first that passed in it.
    pub fn seen(&self, hash: &[u8; 32], minute: i64, passes: bool) -> Option<&SecretFacts> {
        let (secret, seen) = self.facts.secrets.iter().zip(&self.seen).find(|(secret, _)| secret.hash == *hash)?;
        seen.is_news(minute, passes).then_some(secret)
    }

    /// Whose limits they are: the key's own, or its workspace's.
    pub fn holder(&self) -> Uuid {
        if self.group.is_some() { self.facts.workspace.uuid() } else { self.facts.key.uuid() }
    }

    pub fn limit_states(&self, now_micros: i64) -> Vec<LimitState> {
        self.limits.iter().map(|limit| limit.state(now_micros)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_told_once_a_minute_and_once_more_when_it_passes() {
        let seen = Seen::default();
        let told: Vec<bool> = [(100, false), (100, false), (100, true), (100, false), (100, true), (101, false), (101, true), (99, true)]
            .into_iter()
            .map(|(minute, passes)| seen.is_news(minute, passes))
            .collect();
        assert_eq!(told, [true, false, true, false, false, true, true, false]);
    }
}
