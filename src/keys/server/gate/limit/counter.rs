//! The counter of one limit: one atomic word that counts, or says that it is charged by lease, and the lease.

use super::super::{leases::Lease, rolling::Ring};
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

/// What was used of a window.
#[derive(Debug)]
pub struct Counter {
    /// High 32 bits: the number of the window; low 32 bits: what was used of it. Or `LEASED`.
    pub(super) word: AtomicU64,
    /// What this node holds, while the word is `LEASED`. None: nothing yet.
    lease: Mutex<Option<Box<Lease>>>,
}

/// A counter begins leased; the first call of a node that is alone makes it count by itself.
impl Default for Counter {
    fn default() -> Self {
        Self { word: AtomicU64::new(LEASED), lease: Mutex::default() }
    }
}

/// No window has this number before the year 2106.
pub(super) const LEASED: u64 = u64::MAX;

pub(super) const fn pack(window: u32, used: u32) -> u64 {
    ((window as u64) << 32) | used as u64
}

#[allow(clippy::cast_possible_truncation, reason = "the halves of the word are what is wanted")]
pub(super) const fn unpack(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

impl Counter {
    pub fn lease(&self) -> MutexGuard<'_, Option<Box<Lease>>> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it is charged by lease. Tells the windows, or parts of a rolling one, that it counted alone, with how much of each.
    pub fn hand_over(&self, max: u64, mut tell: impl FnMut(u32, u64)) {
        let mut lease = self.lease();
        let word = self.word.swap(LEASED, Ordering::AcqRel);
        if word == LEASED {
            return;
        }
        if let Some(ring) = lease.as_deref_mut().and_then(Lease::take_ring) {
            ring.each().for_each(|(part, used)| tell(part, used));
            *lease = Some(Box::new(Lease::of_ring(&ring, max)));
            return;
        }
        let (window, used) = unpack(word);
        let used = u64::from(used);
        *lease = Some(Box::new(Lease::of_counted(window, used, max)));
        if used > 0 {
            tell(window, used);
        }
    }

    /// Counts this window by itself from here on, beginning with what the table said that anybody was given of it; false if it does already,
    /// if the window is over, or if it may not any more. That is asked under the lock: see `Leases::begin_sharing`.
    pub fn take_over(&self, may: impl FnOnce() -> bool, window: u32, granted: u64) -> bool {
        let mut lease = self.lease();
        let Some(held) = lease.as_deref().filter(|held| held.window() == window && self.is_leased()) else { return false };
        if !may() {
            return false;
        }
        // What came back of a charge meanwhile was granted, and is not used.
        let used = granted.saturating_sub(held.rest()).saturating_add(held.untold_beyond());
        *lease = None;
        self.word.store(pack(window, u32::try_from(used).unwrap_or(u32::MAX)), Ordering::Release);
        true
    }

    /// The same of a rolling window, beginning with what anybody was given of each part.
    pub fn take_over_ring(&self, may: impl FnOnce() -> bool, mut ring: Ring) -> bool {
        let mut lease = self.lease();
        if !self.is_leased() || !may() {
            return false;
        }
        let newest = ring.newest();
        ring.add(newest, lease.as_deref().map_or(0, Lease::untold_beyond));
        *lease = Some(Box::new(Lease::taken_over(ring)));
        self.word.store(pack(newest, 0), Ordering::Release);
        true
    }

    /// True if it is charged by lease. It changes under the lock of the lease only.
    pub fn is_leased(&self) -> bool {
        self.word.load(Ordering::Acquire) == LEASED
    }
}
