//! Finding the key of a secret.
//!
//! While many keys are called in turn, hardly anything of a key is in the processor's caches, and what a call looks at leads from one to the next:
//! its place, its record, its counters. Each look would wait for memory, and then the next one. Who knows the secret before it asks *foresees* it
//! (`Gate::foresee`) and says what to expect, step by step, with other work between: each step begins to load what the one before has led to. Nothing
//! is decided by it: what is asked then is looked up as ever, and a key that was revoked meanwhile is revoked.

use super::{Gate, digests::Seen, facts::Salted, record::Record, verify::Question};
use crate::{
    keys::server::secret::is_well_formed,
    platform::crypto::{Rng, sha256, sha512},
    values::{KeyId, Outcome},
};
use std::{
    net::IpAddr,
    sync::{Arc, LazyLock},
};

/// The longest secret of another system that is looked up.
const FOREIGN_BYTES: usize = 512;

/// A secret that will be asked for, its digest, and the place of that.
#[derive(Debug, Clone, Copy)]
pub struct Foreseen<'a> {
    secret: &'a str,
    seen: Seen,
    place: u64,
}

impl Gate {
    /// What can be known of a secret before it is asked for; none if it is not one of ours.
    pub fn foresee<'a>(&self, secret: &'a str) -> Option<Foreseen<'a>> {
        is_well_formed(secret).then(|| self.digested(secret))
    }

    /// The first step: its place.
    pub fn expect_place(&self, foreseen: &Foreseen<'_>) {
        self.table.expect(foreseen.place);
    }

    /// The second: the record at that place.
    pub fn expect_record(&self, foreseen: &Foreseen<'_>) {
        self.table.peek(foreseen.place, Record::expect);
    }

    /// The third: what the call is charged to and counted in.
    pub fn expect_counters(&self, foreseen: &Foreseen<'_>) {
        self.table.peek(foreseen.place, |record| self.expect_counters_of(record));
    }

    fn expect_counters_of(&self, record: &Record) {
        record.expect_counters();
        self.meter.expect(record.facts.key, &record.facts.hint);
    }

    /// A call of this key is on its way: the third step, where nobody took it, or the last.
    pub(super) fn expect(&self, record: &Record, question: &Question<'_>) {
        if question.foreseen.is_none() {
            return self.expect_counters_of(record);
        }
        record.expect_charge();
        self.meter.expect_stored(record.facts.key, &record.facts.hint);
    }

    /// The key that is asked for, and the digest it was found by.
    pub(super) fn look_up_asked(&self, question: &Question<'_>) -> Result<(Arc<Record>, [u8; 32]), Outcome> {
        self.find(question.secret, question.foreseen.filter(|foreseen| foreseen.secret == question.secret))
    }

    /// The key that has this secret, and the digest it was found by.
    pub(super) fn look_up(&self, secret: &str) -> Result<(Arc<Record>, [u8; 32]), Outcome> {
        self.find(secret, None)
    }

    /// The same, with what is known of the secret already. What has not our checksum is MALFORMED without a look, unless keys were imported: their
    /// secrets look as they like.
    fn find(&self, secret: &str, foreseen: Option<&Foreseen<'_>>) -> Result<(Arc<Record>, [u8; 32]), Outcome> {
        let is_ours = foreseen.is_some() || is_well_formed(secret);
        let [any_sha256, any_sha512] = self.table.has_foreign();
        let not_found = if is_ours || self.table.knows_start(secret) { Outcome::Unknown } else { Outcome::Malformed };
        if !is_ours && !((any_sha256 || any_sha512) && (1..=FOREIGN_BYTES).contains(&secret.len())) {
            return Err(not_found);
        }
        if is_ours || any_sha256 {
            let Foreseen { seen, place, .. } = foreseen.copied().unwrap_or_else(|| self.digested(secret));
            if let Some(record) = self.table.by_secret_at(place, seen.hash) {
                seen.keep();
                return Ok((record, seen.hash));
            }
        }
        let find = |hash: [u8; 32]| self.table.by_secret(hash).map(|record| (record, hash));
        any_sha512.then(|| find(digest_of_sha512(&sha512(secret)))).flatten().ok_or(not_found)
    }

    fn digested<'a>(&self, secret: &'a str) -> Foreseen<'a> {
        let seen = Seen::of(secret);
        Foreseen { secret, seen, place: self.table.place(&seen.hash) }
    }

    /// Salted secrets that this one may be: nothing where it is known already, or where its address is blocked.
    pub fn salted(&self, secret: &str, address: Option<IpAddr>) -> Vec<(KeyId, Salted)> {
        let now = self.clock.now_micros();
        let is_looked_at = self.table.knows_start(secret) && secret.len() <= FOREIGN_BYTES;
        if !is_looked_at || self.blocked.address(address, now).is_some() || self.look_up(secret).is_ok() {
            return Vec::new();
        }
        self.table.salted(secret, now)
    }
}

/// What a SHA-512 is found by in the table of SHA-256s. Hashed once more, with a seed that lives as long as this process, so that
/// nobody can import a hash that takes the place of somebody else's.
pub fn digest_of_sha512(hash: &[u8]) -> [u8; 32] {
    static SEED: LazyLock<[u8; 32]> = LazyLock::new(|| Rng::system().bytes());
    sha256([&SEED[..], hash].concat())
}
