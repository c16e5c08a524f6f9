//! What the gate knows of one key, as the database holds it. A million keys are kept, so whatever many have alike is kept once (`sharing`),
//! ids are sixteen bytes, and what hardly any key has stands apart.

use super::{
    allowed::AllowedRoutes,
    checks::NO_PLAN,
    few::Few,
    levels::Terms,
    limit::{Limits, Policy},
    waits::Waits,
};
use crate::{
    keys::{
        model::Level,
        server::{meter::Hint, signing::Signer},
    },
    values::{AccountId, ApiId, KeyId, Permission, SecretId, WorkspaceId},
};
use ipnet::IpNet;
use std::{
    borrow::Cow,
    hash::{Hash, Hasher},
    ops::Deref,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// Whether a key may be used at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Active,
    Disabled,
    Revoked,
}

impl Standing {
    /// As the table `keys` says it.
    pub fn stored(state: &str) -> Self {
        match state {
            "revoked" => Self::Revoked,
            "disabled" => Self::Disabled,
            _ => Self::Active,
        }
    }
}

/// One key as the database holds it.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyFacts {
    pub key: KeyId,
    pub home: Arc<Home>,
    pub rights: Arc<Rights>,
    pub allowance: Arc<Allowance>,
    pub expires: End,
    pub secrets: Secrets,
    pub rare: Option<Box<Rare>>,
    pub standing: Standing,
    /// An old secret ends with the first use of the newest one (`Waits`).
    pub awaits_first_use: bool,
    /// Where its last call was counted. It stands here for the room that is left.
    pub hint: Hint,
}

/// Whose a key is, and for what: the same for all keys of a workspace for one API.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Home {
    pub owner: AccountId,
    pub workspace: WorkspaceId,
    pub api: ApiId,
    pub api_slug: Arc<str>,
    /// Until then its owner may not make calls, in microseconds since 1970. A ban ends by the clock, without anybody telling the gate.
    pub banned_until: Option<i64>,
}

/// What a key may do, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rights {
    /// Its own and those of its bundles. Those of a key for Tollgate itself are cut down to what its owner has.
    pub permissions: Box<[Permission]>,
    /// From where it may be used; empty: from everywhere.
    pub addresses: Box<[IpNet]>,
    /// Of which web pages; empty: of all (`keys::server::origins`).
    pub origins: Box<[Box<str>]>,
    /// Which routes it may call; none: all that its permissions allow.
    pub routes: Option<Arc<AllowedRoutes>>,
}

/// How often: the same for all keys that the same ones give limits (`levels`). It never changes; when they give something else, another one
/// takes its place, and keys that still hold this one go on with that as soon as anybody looks at them (`Table`).
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Allowance {
    /// Who gives it.
    pub terms: Arc<Terms>,
    /// Its plan, or its workspace's.
    pub plan: Option<NamedPlan>,
    /// Where its limits come from.
    pub level: Level,
    /// One at least.
    pub limits: Limits,
    /// What its keys may not do although they have the permission, for want of a grant.
    withheld: Option<Withheld>,
    next: Next,
}

/// Permissions of an API that need a grant, and have none: by name, one at least.
pub type Withheld = Arc<[Permission]>;

impl Allowance {
    pub fn new(terms: Arc<Terms>, plan: Option<NamedPlan>, level: Level, limits: Limits) -> Self {
        Self { terms, plan, level, limits, withheld: None, next: Next::default() }
    }

    /// The same that withholds these.
    pub fn withholding(self, withheld: Option<Withheld>) -> Self {
        Self { withheld, ..self }
    }

    pub const fn withheld(&self) -> Option<&Withheld> {
        self.withheld.as_ref()
    }

    /// Whether a call that needs this permission lacks the grant for it. Nearly always nothing is withheld, and that is one look.
    pub fn withholds(&self, permission: &str) -> bool {
        self.withheld.as_ref().is_some_and(|withheld| withheld.iter().any(|p| p.as_str() == permission))
    }

    /// True if another one holds instead of it: what a call looks at, one load.
    pub fn is_over(&self) -> bool {
        self.next.0.get().is_some()
    }

    /// The one that holds instead of it.
    pub fn latest(&self) -> Option<Arc<Self>> {
        let mut latest = self.next.0.get()?;
        while let Some(next) = latest.next.0.get() {
            latest = next;
        }
        Some(Arc::clone(latest))
    }

    /// From now on that one holds.
    pub fn end(&self, next: Arc<Self>) {
        _ = self.next.0.set(next); // it ends once
    }

    /// True if by this one something begins to be counted that the other one did not count.
    pub fn begins_after(&self, before: &Self) -> bool {
        let is_new = |policy: &Arc<Policy>| !before.limits.iter().any(|known| known.is_counted_as(policy));
        self.level.is_shared() != before.level.is_shared() || self.limits.iter().any(is_new)
    }
}

/// What takes its place. It says nothing of what is allowed: any two are alike.
#[derive(Debug, Default)]
struct Next(OnceLock<Arc<Allowance>>);

impl PartialEq for Next {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Next {}
impl Hash for Next {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// A plan as answers tell it: its slug, and what it gives beside limits, kept once for all its keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NamedPlan(Arc<PlanWords>);

/// A slug, and what stands beside it.
type PlanWords = (Box<str>, Box<[Box<str>]>);

impl NamedPlan {
    /// Of the lines those that are `name` or `name=value`; others are for people to read.
    pub fn new(slug: &str, lines: &[String]) -> Self {
        let told = lines.iter().filter(|line| is_entitlement(line)).map(|line| line.as_str().into()).collect();
        Self(Arc::new((slug.into(), told)))
    }

    pub fn entitlements(&self) -> &[Box<str>] {
        &self.0.1
    }
}

impl From<&str> for NamedPlan {
    fn from(slug: &str) -> Self {
        Self::new(slug, &[])
    }
}

/// Its slug.
impl Deref for NamedPlan {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0.0
    }
}

/// Letters, digits, `.`, `_` and `-`; a value is visible ASCII without what separates one from the next in a header, or ends a string.
fn is_entitlement(line: &str) -> bool {
    let (name, value) = line.split_once('=').map_or((line, None), |(name, value)| (name, Some(value)));
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    is_name && value.is_none_or(|value| !value.is_empty() && value.bytes().all(|b| b.is_ascii_graphic() && !b",;\"\\".contains(&b)))
}

/// What few keys have.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Rare {
    /// Every call must be signed so.
    pub signer: Option<Arc<Signer>>,
    /// Secrets that are tried, not looked up, until they were used once.
    pub salted: Box<[Salted]>,
    /// Who uses it, by an id of its workspace's own.
    pub external_id: Option<Box<str>>,
    /// What services are told of it: a JSON object, as it is answered.
    pub meta: Option<Box<str>>,
}

impl Rare {
    /// None where there is nothing of it.
    pub fn of(signer: Option<Arc<Signer>>, salted: Vec<Salted>, external_id: Option<Box<str>>, meta: Option<Box<str>>) -> Option<Box<Self>> {
        let is_rare = signer.is_some() || !salted.is_empty() || external_id.is_some() || meta.is_some();
        is_rare.then(|| Box::new(Self { signer, salted: salted.into(), external_id, meta }))
    }

    /// One more salted secret, by age.
    pub fn and_salted(&mut self, secret: Salted) {
        let mut all = std::mem::take(&mut self.salted).into_vec();
        all.insert(all.partition_point(|known| known.id < secret.id), secret);
        self.salted = all.into();
    }
}

impl KeyFacts {
    /// The same key under another allowance; what was noted of its secrets goes on.
    pub fn under(&self, allowance: Arc<Allowance>) -> Self {
        Self {
            key: self.key,
            home: Arc::clone(&self.home),
            rights: Arc::clone(&self.rights),
            allowance,
            expires: self.expires,
            secrets: self.secrets.iter().map(SecretFacts::again).collect::<Vec<_>>().into(),
            rare: self.rare.clone(),
            standing: self.standing,
            awaits_first_use: self.awaits_first_use,
            hint: Hint::default(),
        }
    }

    /// The secret with this hash, while the key changes over: it has several that are accepted.
    pub fn changing_over(&self, hash: &[u8; 32], now_micros: i64) -> Option<SecretId> {
        // Nearly every key has one, and that is all that its calls look at.
        if self.secrets.len() < 2 || self.secrets.iter().filter(|secret| !secret.ends.is_over(now_micros)).count() < 2 {
            return None;
        }
        self.secrets.iter().find(|secret| secret.hash == *hash).map(|secret| secret.id)
    }

    /// What is answered as its plan: `default` if it has none.
    pub fn plan(&self) -> &str {
        self.allowance.plan.as_deref().unwrap_or(NO_PLAN)
    }

    /// What it may now: of its permissions those that need no grant, or have one.
    pub fn permissions(&self) -> Cow<'_, [Permission]> {
        match self.allowance.withheld() {
            None => Cow::Borrowed(&self.rights.permissions[..]),
            Some(_) => self.rights.permissions.iter().filter(|p| !self.allowance.withholds(p.as_str())).cloned().collect::<Vec<_>>().into(),
        }
    }

    /// What its plan gives beside limits.
    pub fn entitlements(&self) -> &[Box<str>] {
        self.allowance.plan.as_ref().map_or(&[][..], NamedPlan::entitlements)
    }

    /// What signs its calls, if they must be signed.
    pub fn signer(&self) -> Option<&Arc<Signer>> {
        self.rare.as_ref()?.signer.as_ref()
    }

    /// Who uses it, by an id of its workspace's own.
    pub fn external_id(&self) -> Option<&str> {
        self.rare.as_ref()?.external_id.as_deref()
    }

    /// What services are told of it: a JSON object, as it is answered.
    pub fn meta(&self) -> Option<&str> {
        self.rare.as_ref()?.meta.as_deref()
    }

    pub fn salted(&self) -> &[Salted] {
        self.rare.as_ref().map_or(&[][..], |rare| &rare.salted[..])
    }
}

/// A moment that may never come, in eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End(i64);

impl End {
    pub const NEVER: Self = Self(i64::MAX);

    /// Microseconds since 1970.
    pub fn of(micros: Option<i64>) -> Self {
        micros.map_or(Self::NEVER, Self)
    }

    pub fn micros(self) -> Option<i64> {
        Some(self.0).filter(|_| self != Self::NEVER)
    }

    pub const fn is_over(self, now_micros: i64) -> bool {
        self.0 <= now_micros
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
#[derive(Debug, PartialEq, Eq)]
pub struct SecretFacts {
    pub id: SecretId,
    /// Its SHA-256; of one with a SHA-512 the SHA-256 of that (`finding::digest_of_sha512`).
    pub hash: [u8; 32],
    pub ends: End,
    pub origin: Origin,
    pub seen: Seen,
    pub waits: Waits,
}

impl SecretFacts {
    /// The same one in another record of its key.
    fn again(&self) -> Self {
        let seen = Seen::default();
        seen.go_on(&self.seen);
        Self { id: self.id, hash: self.hash, ends: self.ends, origin: self.origin, seen, waits: self.waits.clone() }
    }
}

/// The secrets of a key, by age.
pub type Secrets = Few<SecretFacts>;

impl Secrets {
    /// With one more, by age.
    pub fn and(self, secret: SecretFacts) -> Self {
        let mut all = match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many.into_vec(),
        };
        let at = all.partition_point(|known| known.id < secret.id);
        all.insert(at, secret);
        all.into()
    }
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
    pub waits: Waits,
}

/// The minute in which a secret was last used, times two, and one more if a call passed with it: so telling of a use costs one look
/// per call and one note per minute. A changed record begins anew, so that a use after a rotation is always told.
///
/// It stands beside the secret for the room that is left there and is none of its facts: any two are alike.
#[derive(Debug, Default)]
pub struct Seen(AtomicU32);

impl PartialEq for Seen {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Seen {}

impl Seen {
    /// Goes on with what another one has noted.
    pub fn go_on(&self, other: &Self) {
        self.0.store(other.0.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// True if this use says more than the ones before.
    pub fn is_news(&self, minute: i64, passes: bool) -> bool {
        let word = u32::try_from(minute.saturating_mul(2)).unwrap_or(0) | u32::from(passes);
        self.0.load(Ordering::Relaxed) < word && self.0.fetch_max(word, Ordering::Relaxed) < word
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_use_is_told_once_a_minute_and_once_more_when_it_passes() {
        let seen = Seen::default();
        let told: Vec<bool> = [(100, false), (100, false), (100, true), (100, false), (100, true), (101, false), (101, true), (99, true)]
            .into_iter()
            .map(|(minute, passes)| seen.is_news(minute, passes))
            .collect();
        assert_eq!(told, [true, false, true, false, false, true, true, false]);
    }

    fn secret(n: u128) -> SecretFacts {
        SecretFacts {
            id: SecretId::new(Uuid::from_u128(n)),
            hash: [7; 32],
            ends: End::NEVER,
            origin: Origin::Own,
            seen: Seen::default(),
            waits: Waits::stored(false),
        }
    }

    #[test]
    fn secrets_stand_by_age_however_they_come() {
        let one = Secrets::default().and(secret(2));
        assert!(matches!(&one, Secrets::One(_)) && one.len() == 1);
        let three = one.and(secret(1)).and(secret(3));
        assert_eq!(three, Secrets::from(vec![secret(1), secret(2), secret(3)]));
        assert_eq!((Secrets::from(Vec::new()).len(), Secrets::from(vec![secret(9)])), (0, Secrets::One(secret(9))));
    }

    #[test]
    fn what_never_ends_is_never_over() {
        assert!(!End::of(None).is_over(i64::MAX - 1) && End::of(Some(5)).is_over(5) && !End::of(Some(5)).is_over(4));
        assert_eq!((End::of(None).micros(), End::of(Some(5)).micros()), (None, Some(5)));
    }

    /// The table of `record` counts with these.
    #[test]
    fn facts_are_as_small_as_the_docs_say() {
        use std::mem::size_of;
        assert_eq!([size_of::<SecretFacts>(), size_of::<Secrets>(), size_of::<KeyFacts>()], [64, 64, 128]);
    }
}
