//! Old secrets that end with the first use of the newest one. The node that sees this use refuses them from that call on, before the
//! database knows; whatever is read of the key meanwhile, they stay refused here.

use super::facts::{End, KeyFacts};
use crate::values::SecretId;
use std::sync::atomic::{AtomicU8, Ordering};

/// Whether a secret waits so, and whether the wait is over. One that is over was one: any two that wait are alike.
#[derive(Debug)]
pub struct Waits(AtomicU8);

impl Waits {
    const NO: u8 = 0;
    const YES: u8 = 1;
    const OVER: u8 = 2;

    pub const fn stored(until_first_use: bool) -> Self {
        Self(AtomicU8::new(if until_first_use { Self::YES } else { Self::NO }))
    }

    fn waited(&self) -> bool {
        self.0.load(Ordering::Acquire) != Self::NO
    }

    pub fn is_over(&self) -> bool {
        self.0.load(Ordering::Acquire) == Self::OVER
    }

    /// One that waits for nothing stays as it is.
    fn end(&self) {
        _ = self.0.compare_exchange(Self::YES, Self::OVER, Ordering::AcqRel, Ordering::Relaxed);
    }
}

impl Clone for Waits {
    fn clone(&self) -> Self {
        Self(AtomicU8::new(self.0.load(Ordering::Acquire)))
    }
}
impl PartialEq for Waits {
    fn eq(&self, other: &Self) -> bool {
        self.waited() == other.waited()
    }
}
impl Eq for Waits {}

impl KeyFacts {
    /// Every secret, with what it waits for.
    fn waiting(&self) -> impl Iterator<Item = (SecretId, &Waits)> {
        let salted = self.salted().iter().map(|secret| (secret.id, &secret.waits));
        self.secrets.iter().map(|secret| (secret.id, &secret.waits)).chain(salted)
    }

    /// The secrets that end when a call passes with this one: those that wait for that, if it is the newest.
    pub fn ended_by(&self, hash: &[u8; 32]) -> Vec<SecretId> {
        let newest = self.secrets.iter().find(|secret| secret.hash == *hash && secret.ends == End::NEVER);
        newest.map_or_else(Vec::new, |newest| self.waiting().filter(|(id, waits)| *id != newest.id && waits.waited()).map(|(id, _)| id).collect())
    }

    /// True if one of these is still accepted here.
    pub fn is_waiting(&self, ended: &[SecretId]) -> bool {
        self.waiting().any(|(id, waits)| ended.contains(&id) && !waits.is_over())
    }

    /// Ends these here, those that wait.
    pub fn end_waiting(&self, ended: &[SecretId]) {
        self.waiting().filter(|(id, _)| ended.contains(id)).for_each(|(_, waits)| waits.end());
    }

    /// What ended here stays so, also when it is read again before the database knows.
    pub fn keep_ended(&self, before: &Self) {
        let ended: Vec<SecretId> = before.waiting().filter(|(_, waits)| waits.is_over()).map(|(id, _)| id).collect();
        if !ended.is_empty() {
            self.end_waiting(&ended);
        }
    }
}
