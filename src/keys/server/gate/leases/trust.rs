//! While the database does not answer: of credits a node that is alone goes on from what it knows to be left, and tells the table afterwards; and
//! what only marks lets pass (`lets_pass_unknown`), on any node.
//!
//! Nobody else can use what is left of a bucket while this node is alone, so what the table last said, less what passed here since and with
//! what came back since, is what is left (`Lease::credits_at`). A call that fits passes; what it takes beyond what is leased is *owed*. It is
//! told before anything else is asked of the bucket, and before another node may begin (`sync`), once however often it is sent, by the
//! refills after which it passed: as if it had been leased then. An answer to a question that was asked before is made smaller by what was
//! borrowed meanwhile. So the bucket gives no more in all than it would have.
//!
//! What a node knows counts only if it learnt it while it was alone: others may have used the bucket before. A bucket that this process never
//! asked for, and that had no row with something used when it started alone, is full.
//!
//! Where it ends: a node that starts while this one is cut off, and that reaches the database, waits some seconds for this one (`Follower::join`),
//! then leases what the table has; then what passes here comes on top, and is taken off once this node is back. What a node owed that was killed
//! is told by the next start on its data folder (`owed`).

use super::{
    Leases, Slot,
    asking::ANSWER,
    held::{Fit, Lease},
    lock,
    owed::{Batch, Owed},
    store_credits,
};
use crate::{
    keys::{
        model::OverAction,
        server::gate::{limit::Policy, sync::within},
    },
    platform::clock::steady_millis,
};
use sqlx::PgPool;
use std::{
    collections::VecDeque,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// What is known of the database, and what it is to be told.
#[derive(Debug, Default)]
pub struct Trust {
    /// It did not answer the last question in time.
    is_unanswered: AtomicBool,
    /// Since when this node is alone, in milliseconds of the steady clock.
    alone_since: AtomicU64,
    /// It was alone ever since it read all buckets.
    knows_all: AtomicBool,
    owed: Mutex<Owed>,
    /// On its way to the table, until it is known to be there.
    telling: tokio::sync::Mutex<VecDeque<Batch>>,
    is_telling: AtomicBool,
}

impl Trust {
    pub fn begin_alone(&self) {
        self.alone_since.store(steady_millis(), Ordering::Release);
    }

    pub fn end_alone(&self) {
        self.knows_all.store(false, Ordering::Release);
    }

    /// What is owed, from now on to be told.
    fn take_owed(&self) -> Vec<Batch> {
        let mut owed = lock(&self.owed);
        if !owed.is_empty() {
            self.is_telling.store(true, Ordering::Release);
        }
        owed.take()
    }

    fn knows(&self, learnt: u64) -> bool {
        if learnt == 0 { self.knows_all.load(Ordering::Acquire) } else { learnt >= self.alone_since.load(Ordering::Acquire) }
    }
}

impl Leases {
    /// The database did not answer.
    pub fn is_unanswered(&self) {
        self.trust.is_unanswered.store(true, Ordering::Release);
    }

    /// It answers.
    pub fn is_answered(&self) {
        self.trust.is_unanswered.store(false, Ordering::Release);
    }

    /// Whether a call passes though nobody can tell whether this limit has room for it: the database does not answer, and the limit lets pass what
    /// is beyond it. As there, nothing is charged, and the answer names the limit.
    pub fn lets_pass_unknown(&self, policy: &Policy, now_micros: i64) -> bool {
        policy.over.at(now_micros) == OverAction::Mark && self.trust.is_unanswered.load(Ordering::Acquire)
    }

    /// What is owed is kept in this folder, too.
    pub fn keep_debts_in(&self, folder: &Path) {
        lock(&self.trust.owed).keep_in(folder.to_owned());
    }

    /// All buckets were read while this node was alone, and it is still.
    pub fn knows_all(&self) {
        self.trust.knows_all.store(true, Ordering::Release);
    }

    /// Some bucket could not be read: one that was never asked for need not be full.
    pub fn knows_not_all(&self) {
        self.trust.end_alone();
    }

    /// Whether a call passes by what is known, while the database does not answer. None: that is not known. To be asked under the lock of the
    /// lease: see `begin_sharing`.
    pub fn on_trust(&self, lease: &mut Lease, cost: u64, charges: bool, slot: impl FnOnce() -> Slot) -> Option<Fit> {
        if !self.trust.is_unanswered.load(Ordering::Acquire) || !self.is_alone() || !self.trust.knows(lease.learnt()) {
            return None;
        }
        if lease.credits_at(lease.window(), lease.max) < cost {
            return Some(Fit::Over);
        }
        if charges {
            let owed = lease.charge_on_trust(cost);
            if !owed.is_empty() {
                lock(&self.trust.owed).add(&slot(), owed);
            }
        }
        Some(Fit::Fits)
    }

    /// What was learnt at this time (0: never) nobody else can have changed since.
    pub(super) fn learnt_alone(&self, at: u64) -> bool {
        self.is_alone() && self.trust.knows(at)
    }

    /// True if the table is to be told something.
    pub fn owes(&self) -> bool {
        // In this order: what is not owed any more when this looks is on its way, or told.
        !lock(&self.trust.owed).is_empty() || self.trust.is_telling.load(Ordering::Acquire)
    }

    /// True if the database has not answered since it was last asked, or is to be told something.
    pub fn is_behind(&self) -> bool {
        self.trust.is_unanswered.load(Ordering::Acquire) || self.owes()
    }

    /// True if something of this bucket may not be in the table yet: an answer need not know of it.
    pub(super) fn owes_of(&self, slot: &Slot) -> bool {
        lock(&self.trust.owed).has(slot) || self.trust.is_telling.load(Ordering::Acquire)
    }

    /// Tells the table what passed on trust up to now. What could not be told is tried again under the same number.
    pub async fn settle_debts(&self, db: &PgPool) -> sqlx::Result<()> {
        if !self.is_behind() {
            return Ok(());
        }
        let mut telling = self.trust.telling.lock().await;
        // Nothing is taken to be told, or to be given back, while nobody listens.
        drop(within(ANSWER, db.acquire()).await?);
        // First what could not be told before, then what is owed by now: another node may begin after this.
        self.tell(db, &mut telling).await?;
        telling.extend(self.trust.take_owed());
        self.tell(db, &mut telling).await?;
        self.trust.is_telling.store(false, Ordering::Release);
        Ok(())
    }

    async fn tell(&self, db: &PgPool, telling: &mut VecDeque<Batch>) -> sqlx::Result<()> {
        while let Some(batch) = telling.front() {
            within(ANSWER, store_credits::settle(db, self.me(), batch.number, batch.told())).await?;
            if let Some(told) = telling.pop_front() {
                told.forget();
            }
        }
        Ok(())
    }
}

impl Lease {
    /// When the table last said what is left of these credits; 0: never.
    pub(super) fn learnt(&self) -> u64 {
        self.credits.as_deref().map_or(0, |credits| credits.learnt)
    }

    /// Charges what is known to be left, and tells what is owed: what was not leased, by the refill before it; and what was leased after an
    /// older one and not used, which the table could not take back any more once it knows of the refills since.
    fn charge_on_trust(&mut self, cost: u64) -> Vec<(u32, i64)> {
        if self.learnt() == 0 {
            self.fill_unknown();
        }
        let missing = cost.saturating_sub(self.rest());
        let given_up = self.back.min(missing); // the table has not heard of it
        let borrowed = missing - given_up;
        self.back -= given_up;
        self.left = self.left.saturating_sub(borrowed);
        self.held += missing;
        self.used += cost;
        let signed = |units: u64| i64::try_from(units).unwrap_or(i64::MAX);
        let window = self.window();
        let late = self.credits.as_deref_mut().and_then(|credits| {
            credits.borrowed += borrowed;
            credits.take_late()
        });
        let owed = [Some((window, signed(borrowed))), late.map(|(number, unused)| (number, -signed(unused)))];
        owed.into_iter().flatten().filter(|(_, units)| *units != 0).collect()
    }

    /// The table is asked: from here on its answer does not know what is borrowed.
    pub(super) fn asks_again(&mut self) {
        if let Some(credits) = &mut self.credits {
            credits.borrowed = 0;
        }
    }

    /// The table has answered. What was borrowed meanwhile is taken off what it says is left, then off what it gave: that goes back, since
    /// what was borrowed is owed by itself.
    pub(super) fn learn(&mut self, now: u64) {
        let Some(credits) = &mut self.credits else { return };
        let borrowed = std::mem::take(&mut credits.borrowed);
        credits.learnt = now;
        let beyond = borrowed.saturating_sub(self.left);
        self.left = self.left.saturating_sub(borrowed);
        let (window, back) = (self.window(), beyond.min(self.rest()));
        self.used += back;
        if let Some(credits) = &mut self.credits {
            credits.give_up(window, back);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::rolling::Part, *};
    use crate::keys::model::{Refill, Window};

    /// That of a bucket of 10 of which 3 were leased after the refill of number 100; 2 come back with each.
    fn leased(given: u64) -> Lease {
        let mut lease = Lease::default();
        lease.of_credits(2);
        lease.turn(100, 10);
        let request = lease.request(1, true, 1);
        lease.take_part(request, Part { number: 100, opens: None }, given, 10 - given, 5);
        lease
    }

    #[test]
    fn what_is_owed_is_what_was_not_leased_and_no_more_passes_than_was_left() {
        let mut lease = leased(3);
        assert_eq!((lease.learnt(), lease.charge_on_trust(5), lease.credits_at(100, 10)), (5, vec![(100, 2)], 5));
        lease.turn(101, 10);
        assert_eq!(lease.credits_at(101, 10), 7, "two came back");
        assert_eq!((lease.charge_on_trust(7), lease.credits_at(101, 10), lease.credits_at(104, 10)), (vec![(101, 7)], 0, 6));
    }

    #[test]
    fn what_was_leased_before_a_refill_and_not_used_is_told_with_what_is_owed() {
        let mut lease = leased(8);
        assert_eq!(lease.charge(3), Fit::Fits);
        lease.turn(101, 10);
        assert_eq!((lease.charge_on_trust(1), lease.credits_at(101, 10)), (vec![(101, 1), (100, -5)], 8));
        assert!(lease.request(0, false, 9).late.is_empty(), "it is told once");
    }

    #[test]
    fn what_was_given_up_and_not_told_is_used_first() {
        let mut lease = leased(3);
        assert!(lease.surrender());
        assert_eq!((lease.charge_on_trust(2), lease.charge_on_trust(2), lease.credits_at(100, 10)), (vec![], vec![(100, 1)], 6));
    }

    #[test]
    fn an_answer_does_not_know_what_was_borrowed_since_it_was_asked() {
        for (given, left, back) in [(4, 3, vec![(100, 2)]), (1, 6, vec![]), (7, 0, vec![(100, 5)])] {
            let mut lease = leased(3);
            assert_eq!(lease.charge(3), Fit::Fits);
            let request = lease.request(1, true, 6);
            assert_eq!(lease.charge_on_trust(5), [(100, 5)]);
            lease.take_part(request, Part { number: 100, opens: None }, given, left, 9);
            assert_eq!((lease.credits_at(100, 10), lease.learnt()), (2, 9), "{given} and {left}");
            assert_eq!(lease.request(0, false, 10).late, back, "with the 5 that are owed the table then has used 8, and gave 2");
        }
    }

    #[test]
    fn a_bucket_that_was_never_asked_for_is_full_if_all_were_read() {
        let (trust, mut lease) = (Trust::default(), Lease::default());
        lease.of_credits(2);
        lease.turn(100, 10);
        assert!(!trust.knows(lease.learnt()));
        trust.knows_all.store(true, Ordering::Release);
        assert!(trust.knows(lease.learnt()));
        assert_eq!((lease.charge_on_trust(4), lease.credits_at(100, 10)), (vec![(100, 4)], 6));
        trust.begin_alone();
        assert!(!trust.knows(1), "others may have used it since");
        trust.end_alone();
        assert!(!trust.knows(0));
    }

    #[test]
    fn what_is_taken_to_be_told_is_owed_until_it_is_told() {
        let (leases, window) = (Leases::default(), Window::Credits(Refill { units: 1, seconds: 1 }));
        let slot = Slot { holder: uuid::Uuid::from_u128(7), name: "c".into(), window };
        assert!(leases.trust.take_owed().is_empty() && !leases.owes());
        lock(&leases.trust.owed).add(&slot, [(1, 3)]);
        assert!(leases.owes() && leases.owes_of(&slot));
        assert_eq!(leases.trust.take_owed().len(), 1);
        assert!(leases.owes() && leases.owes_of(&slot), "the table does not have it yet");
    }
}
