//! The master keys, and what is derived from them: each purpose has a key of its own, and no key leaves `Vault`.
//!
//! One key is current: everything new is made under it. Older ones are read until they are dropped (`key_ring`). What happens to things
//! that an older key made, when there is another one:
//!
//! - What is sealed in the database carries the id of its key and is sealed anew by a job (`reseal`): seeds of authenticator apps,
//!   signing secrets. Sealed cookies, forms and pairs of tokens die by themselves; until then each key is tried.
//! - Passwords name the key of their pepper in the PHC string; the next sign-in hashes anew.
//! - Recovery codes, counters of attempts and imported salted hashes are found under each key (`keyed_hashes`); counters move to the
//!   current key when they are touched.
//! - What counts sign-ups by network for an hour or two counts anew. A pseudonym is made once, when an account is erased.
//! - Codes and challenges live for minutes: each key is tried. A link that is made anew for a mail is made under the key that its job
//!   names (`of_job`, `keyed_hash_of`), whichever server mails it, and compared by its SHA-256.

use super::crypto::Rng;
use aes_gcm::{
    Aes256Gcm,
    aead::{self, Aead as _, Payload},
};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;
use std::{fmt, str::FromStr, sync::Arc};
use uuid::Uuid;

/// AES-256-GCM under a key derived with HMAC-SHA-256; then the nonce. From before keys had ids.
const SEALED_BY_1: u8 = 1;
/// The same with the id of the master key before the nonce.
const SEALED_BY_2: u8 = 2;

/// How a master key is called: the first four bytes of an HMAC under it, of use for nothing else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MasterKeyId([u8; 4]);

impl fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for MasterKeyId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_id = text.len() == 8 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let id = is_id.then(|| u32::from_str_radix(text, 16).ok()).flatten();
        id.map(|id| Self(id.to_be_bytes())).ok_or("The id of a master key has eight of the characters 0-9 and a-f, as `tollgate master-key status` shows it.")
    }
}

/// One master key.
struct MasterKey {
    id: MasterKeyId,
    key: SecretBox<[u8; 32]>,
}

impl MasterKey {
    fn new(key: [u8; 32]) -> Self {
        let [a, b, c, d, ..] = mac(&mac(&key, b"master key id"), b"");
        Self { id: MasterKeyId([a, b, c, d]), key: SecretBox::new(Box::new(key)) }
    }

    fn keyed_hash(&self, purpose: &str, data: &[u8]) -> [u8; 32] {
        mac(&mac(self.key.expose_secret(), purpose.as_bytes()), data)
    }

    fn cipher(&self, purpose: &str) -> Aes256Gcm {
        aead::KeyInit::new(&self.keyed_hash("seal", purpose.as_bytes()).into())
    }

    fn open(&self, purpose: &str, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, message) = sealed.split_first_chunk::<12>()?;
        self.cipher(purpose).decrypt(&(*nonce).into(), Payload { msg: message, aad: context }).ok()
    }

    fn cookie_key(&self) -> [u8; 64] {
        let mut out = [0; 64];
        out[..32].copy_from_slice(&self.keyed_hash("cookie", b"1"));
        out[32..].copy_from_slice(&self.keyed_hash("cookie", b"2"));
        out
    }
}

/// A key in the ring, and since when (milliseconds of 1970) new things were made under it.
#[derive(Clone)]
struct Held {
    key: Arc<MasterKey>,
    since: u64,
}

/// The master keys. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    ring: Arc<Ring>,
    again: Again,
}

struct Ring {
    current: Held,
    previous: Vec<Held>,
}

/// Under which key `keyed_hash_of` makes what it makes.
#[derive(Clone, Copy)]
enum Again {
    /// For the first time: under the current one.
    First,
    /// In a job: under the one that made it first.
    Under(MasterKeyId),
    /// In a job from before jobs named a key: under the one that was current when its cause happened.
    ByTime,
}

impl Vault {
    pub fn new(master: [u8; 32]) -> Self {
        Self::with_previous(master, [])
    }

    /// The key for all that is new, and those that are still read.
    pub fn with_previous(master: [u8; 32], previous: impl IntoIterator<Item = [u8; 32]>) -> Self {
        let held = |key| Held { key: Arc::new(MasterKey::new(key)), since: 0 };
        let current = held(master);
        let mut others: Vec<Held> = Vec::new();
        for other in previous.into_iter().map(held) {
            if other.key.id != current.key.id && others.iter().all(|held| held.key.id != other.key.id) {
                others.push(other);
            }
        }
        Self { ring: Arc::new(Ring { current, previous: others }), again: Again::First }
    }

    /// The same ring with what the database knows of its keys: since when each was current, in milliseconds of 1970. A previous one of
    /// which it says None is left out.
    #[must_use]
    pub fn known_since(&self, since: impl Fn(MasterKeyId) -> Option<u64>) -> Self {
        let at = |held: &Held| Some(Held { key: Arc::clone(&held.key), since: since(held.key.id)? });
        let current = at(&self.ring.current).unwrap_or_else(|| self.ring.current.clone());
        let mut previous: Vec<Held> = self.ring.previous.iter().filter_map(at).collect();
        previous.sort_by_key(|held| std::cmp::Reverse(held.since));
        Self { ring: Arc::new(Ring { current, previous }), again: self.again }
    }

    /// The same ring for a job that was enqueued where links are made under this key; None: before jobs named one. The link in the mail
    /// has to be the one whose hash was stored then, while servers get a new key one after the other.
    #[must_use]
    pub fn of_job(&self, key: Option<MasterKeyId>) -> Self {
        Self { ring: Arc::clone(&self.ring), again: key.map_or(Again::ByTime, Again::Under) }
    }

    /// The id of the key under which `keyed_hash_of` makes what is stored now: a job that makes it again names it.
    pub fn link_key_id(&self) -> MasterKeyId {
        match self.again {
            Again::Under(id) if self.keys().any(|key| key.id == id) => id,
            _ => self.key_id(),
        }
    }

    /// The id of the key for all that is new.
    pub fn key_id(&self) -> MasterKeyId {
        self.ring.current.key.id
    }

    /// The ids of all of them, the current one first.
    pub fn key_ids(&self) -> Vec<String> {
        self.keys().map(|key| key.id.to_string()).collect()
    }

    /// The ids of those that are only read, the last one first.
    pub fn previous_ids(&self) -> Vec<MasterKeyId> {
        self.ring.previous.iter().map(|held| held.key.id).collect()
    }

    /// True while there is an older key that is read.
    pub fn has_previous(&self) -> bool {
        !self.ring.previous.is_empty()
    }

    /// The current one first.
    fn keys(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.ring.current).chain(&self.ring.previous).map(|held| &*held.key)
    }

    /// HMAC-SHA-256 of `data` under the key for `purpose`.
    pub fn keyed_hash(&self, purpose: &str, data: &[u8]) -> [u8; 32] {
        self.ring.current.key.keyed_hash(purpose, data)
    }

    /// The same under each key, the current one first: for what an older one may have made.
    pub fn keyed_hashes(&self, purpose: &str, data: &[u8]) -> Vec<[u8; 32]> {
        self.keys().map(|key| key.keyed_hash(purpose, data)).collect()
    }

    /// The same of an event (a UUIDv7), for a link: made again by a job that the event's transaction enqueued, it is the same. Only if
    /// its key was dropped meanwhile it is another one, and the link is dead.
    pub fn keyed_hash_of(&self, cause: Uuid, purpose: &str, data: &[u8]) -> [u8; 32] {
        let key = match self.again {
            Again::First => None,
            Again::Under(id) => self.keys().find(|key| key.id == id),
            Again::ByTime => Some(self.current_at(u64::try_from(cause.as_u128() >> 80).unwrap_or(u64::MAX))),
        };
        key.unwrap_or(&self.ring.current.key).keyed_hash(purpose, data)
    }

    /// The key that was current at that millisecond of 1970, as far as this server knows.
    fn current_at(&self, millis: u64) -> &MasterKey {
        let held = std::iter::once(&self.ring.current).chain(&self.ring.previous);
        let found = held.clone().find(|held| held.since <= millis).or_else(|| held.last());
        &found.unwrap_or(&self.ring.current).key
    }

    /// Encrypts for the database (AES-256-GCM, NIST SP 800-38D; a random nonce of 96 bits): only who says the same `purpose` and
    /// `context` opens it, so a row that was copied to another account is worth nothing there. The first byte is the version of all this,
    /// then comes the id of the key.
    pub fn seal(&self, rng: &Rng, purpose: &str, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, aead::Error> {
        let nonce: [u8; 12] = rng.bytes();
        let sealed = self.ring.current.key.cipher(purpose).encrypt(&nonce.into(), Payload { msg: plain, aad: context })?;
        Ok([&self.sealed_start()[..], &nonce, &sealed].concat())
    }

    /// What was sealed so; none if it was changed, or sealed for something else or under a key that is not here.
    pub fn open(&self, purpose: &str, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        match sealed.split_first()? {
            (&SEALED_BY_1, rest) => self.keys().find_map(|key| key.open(purpose, context, rest)),
            (&SEALED_BY_2, rest) => {
                let (id, rest) = rest.split_first_chunk::<4>()?;
                self.keys().find(|key| key.id == MasterKeyId(*id))?.open(purpose, context, rest)
            }
            _ => None,
        }
    }

    /// What was sealed under another key, sealed anew under the current one; none if it can't be opened.
    pub fn reseal(&self, rng: &Rng, purpose: &str, context: &[u8], sealed: &[u8]) -> Result<Option<Vec<u8>>, aead::Error> {
        self.open(purpose, context, sealed).map(|plain| self.seal(rng, purpose, context, &plain)).transpose()
    }

    /// How everything begins that is sealed under the current key.
    pub fn sealed_start(&self) -> [u8; 5] {
        let [a, b, c, d] = self.key_id().0;
        [SEALED_BY_2, a, b, c, d]
    }

    /// 64 bytes for the sealing of cookies (axum-extra's private jar).
    pub fn cookie_key(&self) -> [u8; 64] {
        self.ring.current.key.cookie_key()
    }

    /// The same of each key, the current one first.
    pub fn cookie_keys(&self) -> Vec<[u8; 64]> {
        self.keys().map(MasterKey::cookie_key).collect()
    }
}

fn mac(key: &[u8], data: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length, so this does not fail.
    Hmac::<Sha256>::new_from_slice(key).map(|m| m.chain_update(data).finalize().into_bytes().into()).unwrap_or([0; 32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_where_it_was_sealed_for() {
        let (vault, rng) = (Vault::new([7; 32]), Rng::seeded(1));
        let sealed = vault.seal(&rng, "seed", b"acc_1", b"a seed").unwrap();
        assert_eq!(vault.open("seed", b"acc_1", &sealed).as_deref(), Some(&b"a seed"[..]));
        assert_eq!(vault.open("seed", b"acc_2", &sealed), None, "another account");
        assert_eq!(vault.open("form", b"acc_1", &sealed), None, "another purpose");
        assert_eq!(Vault::new([8; 32]).open("seed", b"acc_1", &sealed), None, "another master key");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(vault.open("seed", b"acc_1", &changed), None, "byte {at}");
        }
        assert_eq!(vault.open("seed", b"acc_1", &[]), None);
        assert_ne!(vault.seal(&rng, "seed", b"acc_1", b"a seed").unwrap(), sealed, "a nonce of its own each time");
    }

    #[test]
    fn r86_what_an_older_key_sealed_is_read_and_sealed_anew_under_the_current_one() {
        let rng = Rng::seeded(1);
        let old = Vault::new([7; 32]);
        let sealed = old.seal(&rng, "seed", b"acc_1", b"a seed").unwrap();
        assert!(sealed.starts_with(&old.sealed_start()));
        let ring = Vault::with_previous([8; 32], [[7; 32], [7; 32], [8; 32]]);
        assert_eq!((ring.key_id(), ring.previous_ids()), (Vault::new([8; 32]).key_id(), vec![old.key_id()]), "each once");
        assert_eq!(ring.open("seed", b"acc_1", &sealed).as_deref(), Some(&b"a seed"[..]));
        let anew = ring.reseal(&rng, "seed", b"acc_1", &sealed).unwrap().unwrap();
        assert!(anew.starts_with(&ring.sealed_start()) && !sealed.starts_with(&ring.sealed_start()));
        assert_eq!(Vault::new([8; 32]).open("seed", b"acc_1", &anew).as_deref(), Some(&b"a seed"[..]), "the old key is needed no more");
        assert_eq!(ring.reseal(&rng, "seed", b"acc_2", &sealed).unwrap(), None, "another account's");
    }

    #[test]
    fn r86_what_was_sealed_before_keys_had_ids_opens_under_any_key_of_the_ring() {
        let rng = Rng::seeded(1);
        let old = Vault::new([7; 32]);
        let with_id = old.seal(&rng, "seed", b"acc_1", b"a seed").unwrap();
        let without = [&[SEALED_BY_1][..], &with_id[5..]].concat();
        for ring in [old, Vault::with_previous([8; 32], [[7; 32]])] {
            assert_eq!(ring.open("seed", b"acc_1", &without).as_deref(), Some(&b"a seed"[..]));
        }
        assert_eq!(Vault::new([8; 32]).open("seed", b"acc_1", &without), None);
    }

    #[test]
    fn r86_the_id_of_a_key_tells_it_from_others_and_is_read_as_it_is_shown() {
        let id = Vault::new([7; 32]).key_id();
        assert_eq!(id.to_string().parse::<MasterKeyId>(), Ok(id));
        assert_ne!(id, Vault::new([8; 32]).key_id());
        for wrong in ["", "1a2b3c4", "1A2B3C4D", "+a2b3c4d", "1a2b3c4d5", "ä2b3c4d"] {
            assert!(wrong.parse::<MasterKeyId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn r86_a_link_is_the_same_on_each_server_that_has_the_key_it_was_made_with() {
        let (old, new) = (Vault::new([7; 32]), Vault::new([8; 32]));
        // Servers get the new key one after the other: this one has it, that one does not use it yet.
        let (this, that) = (Vault::with_previous([8; 32], [[7; 32]]), Vault::with_previous([7; 32], [[8; 32]]));
        let link = |vault: &Vault| vault.keyed_hash_of(Uuid::from_u128(5 << 80), "link", b"x");
        for (makes, mails, key) in [(&this, &that, &new), (&that, &this, &old)] {
            assert_eq!((makes.link_key_id(), link(makes)), (key.key_id(), key.keyed_hash("link", b"x")));
            let job = mails.of_job(Some(makes.link_key_id()));
            assert_eq!(link(&job), link(makes));
            assert_eq!(job.link_key_id(), makes.link_key_id(), "and so what this job enqueues");
            assert_eq!(job.key_id(), mails.key_id(), "all else is made under the current one");
        }
        let dropped = this.known_since(|id| (id == new.key_id()).then_some(0)).of_job(Some(old.key_id()));
        assert_eq!((link(&dropped), dropped.link_key_id()), (link(&this), new.key_id()), "nobody has the old one any more");
    }

    #[test]
    fn r86_a_job_that_names_no_key_makes_its_link_under_the_key_of_the_time_of_its_cause() {
        let (old, new) = (Vault::new([7; 32]), Vault::new([8; 32]));
        let ring = Vault::with_previous([8; 32], [[7; 32]]).known_since(|id| Some(if id == new.key_id() { 1_000 } else { 0 })).of_job(None);
        let cause = |millis: u128| Uuid::from_u128((millis << 80) | 5);
        assert_eq!(ring.keyed_hash_of(cause(999), "link", b"x"), old.keyed_hash("link", b"x"));
        assert_eq!(ring.keyed_hash_of(cause(1_000), "link", b"x"), new.keyed_hash("link", b"x"));
        let dropped = ring.known_since(|id| (id == new.key_id()).then_some(1_000));
        assert!(!dropped.has_previous());
        assert_eq!(dropped.keyed_hash_of(cause(999), "link", b"x"), new.keyed_hash("link", b"x"));
    }
}
