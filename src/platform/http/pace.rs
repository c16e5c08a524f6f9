//! How many requests a minute: the generic cell rate algorithm (ITU-T I.371 §A, GCRA), one instant for each of who asks, in memory.
//!
//! Who has not asked for a minute may ask for a whole one at once, then as often as the rate gives back. Nothing is kept of who has all of
//! it again, so what is kept is bounded by how many requests come, whoever they come from.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

/// A minute in microseconds.
const MINUTE: i64 = 60_000_000;
/// So many are kept before it is looked, once a second, who has all of it again.
const FEW: usize = 1_024;
const LOOK_EVERY: u64 = 1_000_000;
/// Never more than these, some megabytes: who is not among them is not held up. At a thousand a minute it takes a million requests in a
/// second to get there.
const MOST: usize = 65_536;

/// One rate, and where everybody stands.
pub struct Pace<K> {
    /// Requests in a minute; 0: any number.
    rate: u32,
    kept: Mutex<Kept<K>>,
}

struct Kept<K> {
    /// When each has all of it again, in microseconds since 1970.
    full: HashMap<K, i64>,
    /// When it was looked last.
    looked_at: i64,
}

/// Where somebody stands after this request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub rate: u32,
    pub remaining: u32,
    /// Seconds until all of it is there again; where nothing remains, until something is.
    pub reset_after: u64,
    /// It was one too many.
    pub is_over: bool,
}

impl<K: Eq + Hash> Pace<K> {
    pub fn new(rate: u32) -> Self {
        Self { rate, kept: Mutex::new(Kept { full: HashMap::new(), looked_at: 0 }) }
    }

    /// Takes one, if there is one; none where there is no rate.
    pub fn take(&self, who: K, now_micros: i64) -> Option<Standing> {
        let rate = i64::from(self.rate);
        let each = MINUTE.checked_div(rate)?;
        let (all, now) = (each * rate, now_micros);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back makes nobody wait longer than from nothing.
        let full = kept.full.get(&who).map_or(now, |full| (*full).clamp(now, now + all));
        let after = full + each - now;
        let is_over = after > all;
        let left = if is_over { full - now } else { after };
        kept.keep(who, now + left, now);
        drop(kept);
        let remaining = u32::try_from((all - left) / each).unwrap_or(0);
        let wait = if remaining > 0 { left } else { left + each - all };
        let reset_after = u64::try_from(wait).unwrap_or(0).div_ceil(1_000_000).max(1);
        Some(Standing { rate: self.rate, remaining, reset_after, is_over })
    }
}

impl<K: Eq + Hash> Kept<K> {
    fn keep(&mut self, who: K, full: i64, now: i64) {
        if self.full.len() >= FEW && now.abs_diff(self.looked_at) >= LOOK_EVERY {
            self.full.retain(|_, full| *full > now);
            self.looked_at = now;
        }
        if self.full.len() < MOST || self.full.contains_key(&who) {
            self.full.insert(who, full);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;
    const T: i64 = 1_800_000_000 * SECOND;

    fn passes(pace: &Pace<u32>, who: u32, now: i64) -> bool {
        !pace.take(who, now).expect("there is a rate").is_over
    }

    #[test]
    fn a_minute_s_worth_passes_at_once_and_then_as_much_as_comes_back() {
        let pace = Pace::new(6);
        let first: Vec<_> = (0..7).map(|_| pace.take(1, T).expect("there is a rate")).collect();
        assert_eq!(first[0], Standing { rate: 6, remaining: 5, reset_after: 10, is_over: false });
        assert_eq!(first[5], Standing { rate: 6, remaining: 0, reset_after: 10, is_over: false });
        assert_eq!(first[6], Standing { rate: 6, remaining: 0, reset_after: 10, is_over: true });
        assert!(!passes(&pace, 1, T + 9 * SECOND) && passes(&pace, 2, T), "each for itself");
        assert!(passes(&pace, 1, T + 10 * SECOND) && !passes(&pace, 1, T + 10 * SECOND), "what was refused took nothing");
        assert_eq!((0..20).filter(|_| passes(&pace, 1, T + 70 * SECOND)).count(), 6);
    }

    #[test]
    fn over_an_hour_no_more_passes_than_the_rate_and_one_minute_s_worth() {
        let pace = Pace::new(600);
        let passed = (0..36_000).filter(|n| (0..3).any(|_| passes(&pace, 1, T + n * SECOND / 10))).count();
        let more = (0..36_000).filter(|n| passes(&pace, 2, T + n * SECOND / 30)).count();
        assert_eq!(passed, 36_000, "ten a second is the rate");
        assert!((12_598..=12_600).contains(&more), "{more} of thirty a second in twenty minutes");
    }

    #[test]
    fn a_clock_that_goes_back_holds_nobody_up_for_longer() {
        let pace = Pace::new(6);
        assert_eq!((0..6).filter(|_| passes(&pace, 1, T)).count(), 6);
        let earlier = T - 3_600 * SECOND;
        assert_eq!(pace.take(1, earlier).expect("there is a rate").reset_after, 10);
        assert!(passes(&pace, 1, earlier + 60 * SECOND));
    }

    #[test]
    fn without_a_rate_everything_passes() {
        assert_eq!(Pace::new(0).take(1, T), None);
    }

    #[test]
    fn what_is_kept_is_bounded_whoever_asks() {
        let pace = Pace::new(600);
        let kept = |pace: &Pace<u32>| pace.kept.lock().unwrap_or_else(PoisonError::into_inner).full.len();
        for n in 0..200_000 {
            assert!(passes(&pace, n, T));
        }
        assert_eq!(kept(&pace), MOST, "all in one instant");
        for n in 0..200_000 {
            assert!(passes(&pace, n, T + 60 * SECOND + i64::from(n) * 1_000));
        }
        assert!(kept(&pace) <= 2 * FEW, "a thousand a second: {}", kept(&pace));
    }
}
