//! Memory that stays bounded while Postgres is away: past a number of counters in a stripe, minutes that are over are added up by the
//! quarter of an hour; if that is too little by the hour, then by the day (UTC). No call is lost, only its minute.
//!
//! So a stripe holds at most about as many counters as it may, and beyond them one for each key, outcome and day. Its file is written anew
//! with the sums and takes the place of the old one at once: an end by force in between finds the one or the other, which say the same.

use super::{
    Attempt, AttemptSlot, Attempts, STRIPES, Stripe, Tally, Unknown,
    counters::{Counter, Counters, Hint, Slot},
    permissions::Needs,
    spool,
    spool::Spool,
};
use std::sync::Arc;

/// Pieces of time, in minutes, each a part of the next one.
const STEPS: [i64; 3] = [15, 60, 1_440];
/// Minutes that stay as they are: while batches are written there are no older ones.
const RECENT: i64 = 3;

/// Where this minute is counted: at the end of its piece, as far as that is over. A limit that goes on from what was written (`gate::resume`) may
/// then hold for longer than it had to, and never lets more pass than it allows.
fn place(minute: i64, newest: i64, step: i64) -> i64 {
    let over = newest - RECENT;
    if minute > over { minute } else { (minute.div_euclid(step) * step + step - 1).min(over) }
}

/// The first of the steps that leaves half of the room free, or the last one; and what it leaves.
fn by_steps<C>(room: usize, by: impl Fn(i64) -> C, len: impl Fn(&C) -> usize) -> (i64, C) {
    let [quarter, hour, day] = STEPS;
    let folded = by(quarter);
    if len(&folded) <= room / 2 {
        return (quarter, folded);
    }
    let folded = by(hour);
    if len(&folded) <= room / 2 { (hour, folded) } else { (day, by(day)) }
}

/// Without what their calls needed.
fn folded_counts(counts: &Counters, newest: i64, step: i64) -> Counters {
    let mut folded = Counters::default();
    for ((key, route, outcome, minute), counter) in counts.iter() {
        let minute = place(*minute, newest, step);
        let Counter { workspace, api, count, cost, .. } = *counter;
        if let Some((_, sum)) = folded.get(Hint::NOWHERE, (*key, route, *outcome, minute)) {
            sum.count += count;
            sum.cost += cost;
        } else {
            let first = Counter { workspace, api, count, cost, at: None, needs: Needs::default() };
            folded.insert((*key, Arc::clone(route), *outcome, minute), first);
        }
    }
    folded
}

fn folded_attempts(attempts: &Attempts, newest: i64, step: i64) -> Attempts {
    let mut folded = Attempts::default();
    for ((minute, reason, address), (count, _)) in attempts {
        folded.entry((place(*minute, newest, step), *reason, address.clone())).or_insert((0, None)).0 += count;
    }
    folded
}

fn tally_record(((key, route, outcome, minute), counter): (&Slot, &Counter)) -> Vec<u8> {
    let Counter { workspace, api, count, cost, .. } = *counter;
    spool::tally(&Tally { key: *key, workspace, api, route: Arc::clone(route), outcome: *outcome, minute: *minute, count, cost })
}

fn attempt_record(((minute, reason, address), (count, _)): (&AttemptSlot, &(u64, Option<usize>))) -> Vec<u8> {
    spool::attempt(&Attempt { minute: *minute, reason: *reason, address: address.clone(), count: *count })
}

impl Stripe {
    /// Adds up what is over, if there are so many counters that it is time to; `n` is this stripe's number.
    pub(super) fn make_room(&mut self, spool: Option<&Spool>, n: usize, newest: i64, room: usize) {
        if self.counts.len() < self.fold_at.max(room) {
            return;
        }
        if self.counts.iter().all(|((_, _, _, minute), _)| *minute > newest - RECENT) {
            self.fold_at = self.counts.len().saturating_mul(2);
            return;
        }
        let (step, mut folded) = by_steps(room, |step| folded_counts(&self.counts, newest, step), Counters::len);
        if folded.len() < self.counts.len() {
            match self.segment.rewrite(spool, n, folded.iter().map(tally_record)) {
                Ok(places) => {
                    // The same order: nothing was put in between.
                    folded.values_mut().zip(places).for_each(|(counter, at)| counter.at = Some(at));
                    for ((key, route, outcome, minute), counter) in self.counts.drain() {
                        if let Some((_, sum)) = folded.get(Hint::NOWHERE, (key, &route, outcome, place(minute, newest, step))) {
                            sum.needs.merge(counter.needs);
                        }
                    }
                    self.counts = folded;
                }
                // As it was: the counters go on, in memory and on disk.
                Err(error) => tracing::warn!("counters could not be added up, because the spool can't be written anew: {error}"),
            }
        }
        // Not again for each new counter.
        self.fold_at = self.counts.len().saturating_mul(2);
    }
}

impl Unknown {
    /// The same of attempts.
    pub(super) fn make_room(&mut self, spool: Option<&Spool>, newest: i64, room: usize) {
        if self.attempts.len() < self.fold_at.max(room) {
            return;
        }
        let (_, mut folded) = by_steps(room, |step| folded_attempts(&self.attempts, newest, step), Attempts::len);
        if folded.len() < self.attempts.len() {
            match self.segment.rewrite(spool, STRIPES, folded.iter().map(attempt_record)) {
                Ok(places) => {
                    folded.values_mut().zip(places).for_each(|(counter, at)| counter.1 = Some(at));
                    self.attempts = folded;
                }
                Err(error) => tracing::warn!("attempts could not be added up, because the spool can't be written anew: {error}"),
            }
        }
        self.fold_at = self.attempts.len().saturating_mul(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recent_keeps_its_minute() {
        let newest = 29_000_007;
        assert_eq!([0, 1, 2].map(|ago| place(newest - ago, newest, 15)), [newest, newest - 1, newest - 2]);
        assert_eq!([3, 4, 17].map(|ago| place(newest - ago, newest, 15)), [newest - 3, newest - 3, 28_999_994]);
    }

    #[test]
    fn a_piece_is_counted_at_its_end_once_that_is_over() {
        for step in STEPS {
            let begin = 20_000 * step;
            for minute in [begin, begin + 7, begin + step - 1] {
                assert_eq!(place(minute, begin + step + 100, step), begin + step - 1);
            }
            assert_eq!(place(begin + 2, begin + 9, step), begin + 9 - RECENT, "no later than what is over");
            assert_eq!(place(place(begin + 2, begin + 9, step), begin + step + 100, step), begin + step - 1, "added up again it stays in its piece");
        }
    }
}
