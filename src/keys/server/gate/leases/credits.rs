//! The lease of credits: that of the time since their last refill, and what goes back of the time before. It lives beside the arithmetic of
//! every lease (`held`). Why what was leased before a refill may not be used after it: `gate::credits`.

use super::held::{AGAIN, Lease};

/// What the lease of credits has beside that of the present refill.
#[derive(Debug, Default)]
pub struct Credits {
    /// So many units come back by each.
    refill: u64,
    /// Given up of what was leased after an older refill, and not in the table yet. Of two the newer: the table takes no older one back.
    late: Option<(u32, u64)>,
    /// What was known to remain when this refill had come, while the table has not been asked since; less than nothing where the limit
    /// became smaller.
    remained: Option<i64>,
    /// When the table last said what is left, in milliseconds; 0: never.
    pub(super) learnt: u64,
    /// Passed on trust since the table was last asked (`trust`): its answer does not know of it.
    pub(super) borrowed: u64,
}

impl Credits {
    pub fn has_late(&self) -> bool {
        self.late.is_some()
    }

    pub fn take_late(&mut self) -> Option<(u32, u64)> {
        self.late.take()
    }

    /// So much of what was leased after this refill is not used any more.
    pub fn give_up(&mut self, number: u32, unused: u64) {
        match &mut self.late {
            _ if unused == 0 => {}
            Some((known, late)) if *known == number => *late += unused,
            Some((known, _)) if *known > number => {}
            late => *late = Some((number, unused)),
        }
    }

    pub fn limit_changed(&mut self, before: u64, max: u64) {
        self.remained = self.remained.map(|remained| remained + signed(max) - signed(before));
    }

    /// What remains after so many refills more, of what remains now. They never fill beyond the limit; what was added stays.
    fn after(&self, remaining: i64, refills: u32, max: u64) -> i64 {
        let filled = remaining.saturating_add(signed(self.refill.saturating_mul(refills.into())));
        filled.min(signed(max)).max(remaining)
    }
}

fn signed(units: u64) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX)
}

impl Lease {
    /// It is of credits, of which so much comes back by each refill.
    pub fn of_credits(&mut self, refill: u64) {
        self.credits.get_or_insert_default().refill = refill;
    }

    /// What the table had left when this began, and it was not asked since.
    pub fn know_credits(&mut self, left: u64, now: u64) {
        if let (Some(credits), None) = (&mut self.credits, self.told_at) {
            (credits.remained, credits.learnt) = (Some(signed(left) + signed(self.used)), now);
        }
    }

    /// Where nothing was ever told of it, it is full.
    pub(super) fn fill_unknown(&mut self) {
        if let (Some(credits), None) = (&mut self.credits, self.told_at) {
            credits.remained = credits.remained.or(Some(signed(self.max)));
        }
    }

    /// An operator added so much: what passed without any was before.
    pub fn add_credits(&mut self, units: u64) {
        self.forget_beyond();
        match (&mut self.credits, self.told_at) {
            (_, Some(_)) => self.left += units,
            // Of what nobody told anything it is all.
            (Some(credits), None) => credits.remained = Some(credits.remained.unwrap_or(signed(self.max)) + signed(units)),
            (None, None) => {}
        }
    }

    /// True if a call must not be refused before the table was asked again: what it said is old, and an operator may have added some meanwhile,
    /// also by another server or the command line.
    pub fn doubts(&mut self, now: u64) -> bool {
        let is_old = self.credits.is_some() && self.told_at.is_some_and(|told| now.saturating_sub(told) >= AGAIN);
        if is_old {
            self.forget_left();
        }
        is_old
    }

    /// What is known to remain since the last refill that this node knows of; none if nothing is known.
    fn known_credits(&self) -> Option<i64> {
        match self.told_at {
            Some(_) => Some(signed(self.rest() + self.left + self.back)),
            None => self.credits.as_deref()?.remained.map(|remained| remained - signed(self.used)),
        }
    }

    /// What is known to remain after the refill of this number, under this limit; all of it where nothing is known.
    pub fn credits_at(&self, number: u32, max: u64) -> u64 {
        self.known_credits_at(number, max).unwrap_or(max)
    }

    /// The same; none where nothing is known.
    pub fn known_credits_at(&self, number: u32, max: u64) -> Option<u64> {
        let (credits, known) = self.credits.as_deref().zip(self.known_credits())?;
        let known = known + signed(max) - signed(self.max);
        Some(u64::try_from(credits.after(known, number.saturating_sub(self.window), max)).unwrap_or(0))
    }

    /// Before what is held is given up: what is known then.
    pub(super) fn remember_credits(&mut self) {
        let known = self.known_credits();
        if let Some(credits) = &mut self.credits {
            credits.remained = known.map(|known| known + signed(self.used));
        }
    }

    /// What goes on with the refill of this number: what is left of the ones before is given up.
    pub(super) fn refilled(&mut self, number: u32, max: u64) -> Option<Box<Credits>> {
        let (known, unused) = (self.known_credits(), self.rest() + self.back);
        let mut credits = self.credits.take()?;
        credits.give_up(self.window, unused);
        let known = known.map(|known| known + signed(max) - signed(self.max));
        credits.remained = known.map(|known| credits.after(known, number - self.window, max));
        Some(credits)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            held::Fit,
            request::{Request, given},
            rolling::Part,
        },
        *,
    };
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// The table's row, as the functions of migration 0039 keep it.
    struct Row {
        refill: u64,
        number: u32,
        before: u32,
        used: i64,
        high: i64,
        got: i64,
    }

    impl Row {
        fn refill_up_to(&mut self, number: u32) {
            if number > self.number {
                self.high = self.used;
                self.got = self.used.max(0).min(signed(self.refill * u64::from(number - self.number)));
                self.used -= self.got;
                (self.before, self.number) = (self.number, number);
            }
        }

        fn answer(&mut self, request: &Request, share: u64) -> (Part, u64, u64) {
            self.refill_up_to(request.window);
            for (at, unused) in request.late.iter().copied().chain([(request.window, request.back)]) {
                if at >= self.number {
                    self.used -= signed(unused);
                } else if at >= self.before {
                    let would = self.got.min((self.high - signed(unused)).max(0));
                    self.used -= signed(unused) - self.got + would;
                    self.high -= signed(unused);
                    self.got = would;
                }
            }
            let free = u64::try_from(signed(request.max) - self.used).unwrap_or(0);
            let more = given(request.max - free.min(request.max), &Request { back: 0, max: request.max.max(free), ..request.clone() }, share);
            let more = more.min(free);
            self.used += signed(more);
            (Part { number: self.number, opens: None }, more, free - more)
        }
    }

    fn lease(refill: u64) -> Lease {
        let mut lease = Lease::default();
        lease.of_credits(refill);
        lease
    }

    /// As the gate charges: from what is held, else after asking. `is_lost`: the answer never comes.
    fn charge(node: &mut Lease, row: &mut Row, max: u64, cost: u64, millis: u64, is_lost: bool) -> bool {
        for _ in 0..3 {
            match node.charge(cost) {
                Fit::Fits => return true,
                Fit::Over if !node.asks(Fit::Over, 12, millis) => return false,
                Fit::Over | Fit::Wants => {}
            }
            let request = node.request(cost, true, millis);
            assert_eq!(request.max, max);
            let (part, given, left) = row.answer(&request, 12);
            if is_lost {
                node.missed();
                return false;
            }
            node.take_part(request, part, given, left, millis);
        }
        false
    }

    proptest! {
        /// The clocks of two nodes are late; answers get lost and nodes die: from any refill to any other no more passes than the limit and
        /// what came back between them.
        #[test]
        fn never_more_than_the_limit_and_what_came_back(
            refill in 0u64..12,
            steps in proptest::collection::vec((0usize..3, 1u64..6, 0u32..8, 0u8..30), 1..400),
        ) {
            const MAX: u64 = 40;
            let (mut now, mut millis, mut passed) = (1_000u32, 1, Vec::<(u32, u64)>::new());
            let mut row = Row { refill, number: now, before: now, used: 0, high: 0, got: 0 };
            let mut nodes = [lease(refill), lease(refill), lease(refill)];
            for (node, cost, wait, event) in steps {
                (now, millis) = (now + wait.saturating_sub(5), millis + 300);
                let held = &mut nodes[node];
                match event {
                    0 => *held = lease(refill), // killed and started again
                    1 | 2 if held.surrender() => {
                        let request = held.request(0, false, millis);
                        let (part, given, left) = row.answer(&request, 12);
                        held.take_part(request, part, given, left, millis);
                    }
                    _ => {}
                }
                held.turn(now - u32::try_from(node).unwrap_or(0), MAX);
                if charge(held, &mut row, MAX, cost, millis, event == 3) {
                    passed.push((held.window, cost));
                }
            }
            let mut by_number = BTreeMap::<u32, u64>::new();
            passed.into_iter().for_each(|(number, cost)| *by_number.entry(number).or_default() += cost);
            for first in by_number.keys() {
                let mut sum = 0;
                for (last, units) in by_number.range(*first..) {
                    sum += units;
                    prop_assert!(sum <= MAX + refill * u64::from(last - first), "{sum} from {first} to {last}");
                }
            }
        }

        /// One node that loses nothing is as good as one bucket, to the unit, and knows what is left.
        #[test]
        fn one_node_is_the_bucket_itself(refill in 0u64..12, steps in proptest::collection::vec((1u64..8, 0u32..8, 0u8..10), 1..200)) {
            const MAX: u64 = 40;
            let (mut now, mut millis, mut left) = (1_000u32, 1, MAX);
            let mut row = Row { refill, number: now, before: now, used: 0, high: 0, got: 0 };
            let mut node = lease(refill);
            node.turn(now, MAX);
            node.know_credits(MAX, millis);
            for (cost, wait, event) in steps {
                let gone = wait.saturating_sub(5);
                (now, millis) = (now + gone, millis + 2_000);
                left = left.max(MAX.min(left + refill * u64::from(gone)));
                if event == 0 {
                    row.refill_up_to(now);
                    row.used -= 25;
                    node.turn(now, MAX);
                    node.add_credits(25);
                    left += 25;
                }
                if event == 1 && node.surrender() {
                    let request = node.request(0, false, millis);
                    let (part, given, spare) = row.answer(&request, 1);
                    node.take_part(request, part, given, spare, millis);
                }
                prop_assert_eq!(node.credits_at(now, MAX), left);
                node.turn(now, MAX);
                prop_assert_eq!(node.credits_at(now, MAX), left);
                let passes = charge(&mut node, &mut row, MAX, cost, millis, false);
                prop_assert_eq!(passes, cost <= left);
                left -= if passes { cost } else { 0 };
                prop_assert_eq!(node.credits_at(now, MAX), left);
            }
        }
    }

    #[test]
    fn what_was_leased_before_a_refill_goes_back_with_the_next_question() {
        let mut lease = lease(2);
        lease.turn(100, 10);
        let request = lease.request(1, true, 1);
        lease.take_part(request, Part { number: 100, opens: None }, 8, 2, 1);
        assert_eq!((lease.charge(3), lease.credits_at(100, 10), lease.credits_at(101, 10), lease.credits_at(105, 10)), (Fit::Fits, 7, 9, 10));
        lease.turn(101, 10);
        assert_eq!((lease.fit(1), lease.credits_at(101, 10), lease.credits_at(101, 20)), (Fit::Wants, 9, 19));
        let request = lease.request(1, true, 2);
        assert_eq!((&request.late, request.window), (&vec![(100, 5)], 101));
        lease.turn(102, 10);
        lease.take_part(request, Part { number: 101, opens: None }, 3, 6, 3);
        assert_eq!(lease.request(0, false, 4).late, [(101, 3)], "it came too late to be used");
    }

    #[test]
    fn what_was_given_up_goes_back_also_if_no_call_comes_any_more() {
        let mut lease = lease(0);
        lease.turn(0, 20);
        let request = lease.request(1, true, 1);
        lease.take_part(request, Part { number: 0, opens: None }, 5, 15, 1);
        lease.turn(0, 30); // another limit
        assert!(lease.holds() && (0..=8).any(|_| lease.is_idle()) && lease.surrender());
        assert_eq!(lease.request(0, false, 2).back, 5);
        assert!(!lease.holds());
    }

    #[test]
    fn no_call_is_refused_for_what_was_told_long_ago() {
        let mut lease = lease(0);
        lease.turn(0, 5);
        let request = lease.request(6, true, 1);
        lease.take_part(request, Part { number: 0, opens: None }, 5, 0, 1_000);
        assert_eq!((lease.fit(6), lease.doubts(1_999)), (Fit::Over, false));
        assert!(lease.doubts(2_000));
        assert_eq!((lease.fit(6), lease.fit(5), lease.credits_at(0, 5)), (Fit::Wants, Fit::Fits, 5));
        assert!(!lease.doubts(9_000), "it is asked already");
    }

    #[test]
    fn what_was_added_passes_at_once_also_beyond_the_limit() {
        let mut lease = lease(0);
        lease.turn(0, 5);
        let request = lease.request(6, true, 1);
        assert_eq!(lease.fit(6), Fit::Wants, "whoever asks for more than the limit may have been given it");
        lease.take_part(request, Part { number: 0, opens: None }, 5, 0, 1);
        assert_eq!(lease.fit(6), Fit::Over);
        lease.add_credits(100);
        assert_eq!((lease.fit(6), lease.credits_at(0, 5)), (Fit::Wants, 105));
        assert!((0..=8).any(|_| lease.is_idle()), "no credits are kept idle");
    }
}
