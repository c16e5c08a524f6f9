//! When the next batch is written, and how long a try may take.

use crate::{keys::server::meter::Batch, platform::db};
use std::time::Duration;

/// After a batch that took long the next one waits this many times as long, as far as `LONGEST` lets it: then writing is a fortieth of the time, and Postgres may share
/// the gate's cores. Where the same keys are in use a batch is no larger for it.
const REST: u32 = 39;
/// A batch of fewer rows that took long has waited: for another transaction, for a busy machine or for a database far away. That is no work to rest from.
const FEW: usize = 1_000;
/// From one batch to the next, unless one takes longer than half of it: then it rests as long, and no longer than this.
const LONGEST: Duration = Duration::from_secs(10);
/// A try that takes longer is given up, its transaction ends with its connection; of a batch of many rows so much longer for each 5,000 of
/// them. What hours without the database leave must pass at some time, or it is tried for ever.
const TRY: Duration = Duration::from_secs(25);
const MANY: usize = 5_000;
const OF_MANY: Duration = Duration::from_secs(2);

/// The longest pause between tries that Postgres refuses or has no time for: it is not to be busy with them.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The longest one while nobody answers, which costs nobody anything: what waits is written soon after Postgres is back. Nodes don't come all at
/// once then, since each pauses from when it first found nobody.
const AWAY: Duration = Duration::from_secs(5);

/// The longest pause after a try that failed so.
pub fn longest_pause(error: &sqlx::Error) -> Duration {
    if db::is_away(error) { AWAY } else { LONGEST_PAUSE }
}

/// How long until the next batch, where the last one had so many rows and took that long, with so much for breath.
pub fn rest_after(rows: usize, took: Duration, breathed: Duration, every: Duration) -> Duration {
    let worked = took.saturating_sub(breathed);
    let as_long = worked.min(LONGEST);
    if rows < FEW {
        return every.max(as_long);
    }
    every.max((worked * REST).min(LONGEST.saturating_sub(took).max(as_long)))
}

/// How long until the next try, where one failed that came so long after an earlier failed one: twice as long, whatever the batch before rested.
pub fn retry_after(failed: Option<Duration>, every: Duration, longest: Duration) -> Duration {
    (failed.unwrap_or(every) * 2).min(longest)
}

/// What is written of a batch in any case.
pub fn rows_of(batch: &Batch) -> usize {
    batch.counts.len() + batch.unknown.len()
}

/// How long a try may take.
pub fn patience(batch: &Batch) -> Duration {
    let times = rows_of(batch) / MANY;
    TRY.saturating_add(OF_MANY.saturating_mul(u32::try_from(times).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{keys::server::meter::Attempt, values::Outcome};

    const EVERY: Duration = Duration::from_secs(2);

    #[test]
    fn batches_that_take_long_are_written_less_often() {
        let breathing = |millis, breathed| rest_after(FEW, Duration::from_millis(millis), Duration::from_millis(breathed), EVERY);
        let rest = |millis| breathing(millis, 0);
        assert_eq!(breathing(1_100, 1_000), Duration::from_millis(3_900), "only what was worked counts");
        assert_eq!(breathing(3_000, 2_000), Duration::from_secs(7));
        assert_eq!(
            [0, 50, 100, 200, 500, 3_000, 7_000, 60_000].map(rest),
            [2_000, 2_000, 3_900, 7_800, 9_500, 7_000, 7_000, 10_000].map(Duration::from_millis)
        );
    }

    #[test]
    fn few_rows_that_waited_long_keep_nobody_waiting() {
        let rest = |millis, every| rest_after(FEW - 1, Duration::from_millis(millis), Duration::ZERO, every);
        assert_eq!([0, 500, 3_000, 60_000].map(|millis| rest(millis, EVERY)), [2_000, 2_000, 3_000, 10_000].map(Duration::from_millis));
        assert_eq!(rest(300, Duration::from_millis(20)), Duration::from_millis(300));
    }

    #[test]
    fn tries_that_fail_come_more_and_more_rarely() {
        let mut failed = None;
        let pauses = [(); 5].map(|()| *failed.insert(retry_after(failed, EVERY, LONGEST_PAUSE)));
        assert_eq!(pauses.map(|pause| pause.as_secs()), [4, 8, 16, 30, 30]);
    }

    #[test]
    fn a_database_that_is_back_is_found_soon() {
        let away = [sqlx::Error::PoolTimedOut, sqlx::Error::Io(std::io::ErrorKind::ConnectionRefused.into())];
        assert!(away.iter().all(|error| longest_pause(error) == AWAY));
        assert_eq!(longest_pause(&sqlx::Error::RowNotFound), LONGEST_PAUSE, "one that refuses has other things to do");
    }

    #[test]
    fn a_batch_of_many_rows_may_take_longer() {
        let of = |rows: usize| {
            let attempt = Attempt { minute: 29_000_000, reason: Outcome::Unknown, address: String::new(), count: 1 };
            patience(&Batch { unknown: vec![attempt; rows], ..Batch::default() })
        };
        assert_eq!((of(0), of(MANY - 1), of(MANY * 100)), (TRY, TRY, TRY + 100 * OF_MANY));
    }
}
