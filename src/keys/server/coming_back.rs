//! What `Retry-After` says of a refused call (RFC 9110 §10.2.3): when it is worth trying again, and of long waits a little later. Whoever waits
//! for hours waits for the end of a day or a month, and so do all others: each key is told another second of the minute after it, always the
//! same one, so that they do not all come back at once. The RateLimit fields and the answers of verifications stay exact.

use super::gate::Answer;
use crate::values::{KeyId, Outcome};

/// Seconds; shorter waits end when they end.
const LONG: u64 = 3_600;
/// Over so many seconds.
const SPREAD: u128 = 60;

/// None where no time helps.
pub fn retry_after(answer: &Answer) -> Option<u64> {
    let seconds = answer.retry_after?;
    let is_limited = matches!(answer.outcome, Outcome::RateLimited | Outcome::QuotaExceeded);
    Some(answer.facts().filter(|_| is_limited).map_or(seconds, |facts| spread(facts.key, seconds)))
}

/// What this key is told where a limit refuses for so many seconds.
pub fn spread(key: KeyId, seconds: u64) -> u64 {
    let later = if seconds > LONG { key.uuid().as_u128() % SPREAD } else { 0 };
    seconds.saturating_add(u64::try_from(later).unwrap_or(0))
}
