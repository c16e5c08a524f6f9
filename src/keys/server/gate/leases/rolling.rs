//! The lease of a rolling window: that of its present part, and what goes back of the parts before. It lives beside the arithmetic of
//! every lease (`held`); a part that a node leaves gives what was not used of it back with the next question.

use super::held::Lease;
use crate::keys::server::gate::rolling::{KEPT, Ring};

/// What the lease of a rolling window has beside that of its present part.
#[derive(Debug, Default)]
pub struct Rolling {
    /// What this node counts while it is alone.
    ring: Ring,
    /// What it counted alone, part by part, as long as the table may not have it.
    counted: Vec<(u32, u64)>,
    /// Given up of older parts, and not in the table yet.
    late: Vec<(u32, u64)>,
    /// The newest part of which the table gave something, or was told.
    granted: u32,
    /// From this part on something comes back that somebody has, as the table last said.
    opens: Option<u32>,
    /// What was known to remain when the present part began.
    remained: Option<u64>,
}

/// Which part the table gave of, and from which on something comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    pub number: u32,
    pub opens: Option<u32>,
}

impl Rolling {
    /// That of a node which has counted alone, and tells the table.
    pub fn handed_over(ring: &Ring) -> Self {
        Self { granted: ring.newest(), opens: ring.opens(0), counted: ring.each().collect(), ..Self::default() }
    }

    pub fn ring(&mut self) -> &mut Ring {
        &mut self.ring
    }

    pub fn into_ring(self) -> Ring {
        self.ring
    }

    /// So much of a part that is left is not used any more.
    pub fn give_up(&mut self, number: u32, unused: u64) {
        self.late.retain(|(part, _)| number.saturating_sub(*part) < KEPT);
        if unused > 0 {
            self.late.push((number, unused));
        }
    }

    pub fn has_late(&self) -> bool {
        !self.late.is_empty()
    }

    /// What was given up of the parts that count up to this one.
    pub fn late(&self, number: u32) -> u64 {
        self.late.iter().filter(|(part, _)| number.saturating_sub(*part) < KEPT).map(|(_, unused)| unused).sum()
    }

    pub fn counted(&self) -> &[(u32, u64)] {
        &self.counted
    }

    pub fn take_late(&mut self) -> Vec<(u32, u64)> {
        std::mem::take(&mut self.late)
    }

    pub fn opens(&self) -> Option<u32> {
        self.opens
    }

    pub fn remained(&self) -> Option<u64> {
        self.remained
    }

    /// Another part begins; so much was known to remain.
    pub fn remember(&mut self, remaining: Option<u64>) {
        self.remained = remaining.or(self.remained);
    }

    /// A node that is alone may count by itself from this part on: nothing counts any more of what was leased for it.
    pub fn is_over(&self, number: u32) -> bool {
        self.granted == 0 || number >= self.granted.saturating_add(KEPT)
    }

    /// Notes what the table said, which knows all now, with how much it gave.
    pub fn note(&mut self, part: Part, given: u64) {
        self.opens = part.opens;
        self.counted.clear();
        if given > 0 {
            self.granted = self.granted.max(part.number);
        }
    }
}

impl Lease {
    /// That of a node which has counted a rolling window alone.
    pub fn of_ring(ring: &Ring, max: u64) -> Self {
        let newest = ring.each().find(|(part, _)| *part == ring.newest()).map_or(0, |(_, used)| used);
        let mut lease = Self::of_counted(ring.newest(), newest, max);
        lease.rolling = Some(Box::new(Rolling::handed_over(ring)));
        lease
    }

    /// That of a node which counts a rolling window by itself again.
    pub fn taken_over(ring: Ring) -> Self {
        let mut lease = Self::default();
        *lease.ring() = ring;
        lease
    }

    /// The ring of a rolling window, whose lease this is from now on.
    pub fn ring(&mut self) -> &mut Ring {
        self.rolling.get_or_insert_default().ring()
    }

    /// The ring, if it has one.
    pub fn take_ring(&mut self) -> Option<Ring> {
        self.rolling.take().map(|rolling| rolling.into_ring())
    }

    /// The part from which on something of a rolling window comes back, as far as it is known.
    pub fn opens(&self) -> Option<u32> {
        self.rolling.as_deref().and_then(Rolling::opens)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            held::Fit,
            request::{Request, given},
        },
        *,
    };
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// The table's row, as the functions of migration 0030 keep it.
    #[derive(Default)]
    struct Row {
        newest: u32,
        parts: BTreeMap<u32, u64>,
    }

    impl Row {
        fn answer(&mut self, request: &Request, share: u64) -> (Part, u64, u64) {
            let number = self.newest.max(request.window);
            for (part, used) in &request.counted {
                let granted = self.parts.entry(*part).or_default();
                *granted = (*granted).max(*used);
            }
            for (part, unused) in request.late.iter().copied().chain([(request.window, request.back)]) {
                if let Some(granted) = self.parts.get_mut(&part) {
                    *granted = granted.saturating_sub(unused);
                }
            }
            self.newest = number;
            self.parts.retain(|part, _| number - part < KEPT);
            let granted: u64 = self.parts.values().sum();
            let more = given(granted, &Request { back: 0, ..request.clone() }, share);
            *self.parts.entry(number).or_default() += more;
            let opens = self.parts.iter().find(|(_, granted)| **granted > 0).map(|(part, _)| part + KEPT);
            (Part { number, opens }, more, request.max.saturating_sub(granted + more))
        }
    }

    fn lease() -> Lease {
        let mut lease = Lease::default();
        lease.ring();
        lease
    }

    proptest! {
        /// The first node has counted alone; the clocks of the others are late; answers get lost and nodes die: in no 61 parts that follow
        /// each other more than the limit passes.
        #[test]
        fn never_more_than_the_limit_in_any_window(
            alone in proptest::collection::vec((0u32..20, 1u64..8), 0..6),
            steps in proptest::collection::vec((0usize..3, 1u64..4, 0u32..3, 0u8..30), 1..500),
        ) {
            const MAX: u64 = 40;
            let (mut now, mut ring, mut passed) = (1_000u32, Ring::default(), Vec::<(u32, u64)>::new());
            for (wait, cost) in alone {
                now += wait;
                ring.turn(now);
                if ring.used() + cost <= MAX {
                    ring.set(ring.used() + cost);
                    passed.push((now, cost));
                }
            }
            let (mut row, mut nodes, mut millis) = (Row::default(), [Lease::of_ring(&ring, MAX), lease(), lease()], 1);
            let told = nodes[0].request(0, false, millis); // before anybody else begins
            let (part, given, left) = row.answer(&told, 12);
            nodes[0].take_part(told, part, given, left, millis);
            for (node, cost, wait, event) in steps {
                (now, millis) = (now + wait, millis + 300);
                let held = &mut nodes[node];
                if event == 0 {
                    *held = lease(); // killed and started again
                }
                held.turn(now - u32::try_from(node).unwrap_or(0), MAX);
                for _ in 0..3 {
                    match held.charge(cost) {
                        Fit::Fits => {
                            passed.push((held.window(), cost));
                            break;
                        }
                        Fit::Over if !held.asks(Fit::Over, 12, millis) => break,
                        Fit::Over | Fit::Wants => {}
                    }
                    let request = held.request(cost, true, millis);
                    let (part, given, left) = row.answer(&request, 12);
                    if event == 1 {
                        held.missed(); // the answer is lost
                        break;
                    }
                    held.take_part(request, part, given, left, millis);
                }
            }
            for (last, _) in &passed {
                let of_window = passed.iter().filter(|(part, _)| *part <= *last && *last - *part < KEPT);
                let sum: u64 = of_window.map(|(_, cost)| cost).sum();
                prop_assert!(sum <= MAX, "{sum} up to {last}");
            }
        }

        /// Two nodes share, then one is killed or leaves and the other takes over at once, then it hands over to a new one; again and
        /// again. In no 61 parts that follow each other more than the limit passes; and where nobody was killed, whoever is alone finds
        /// no less than the limit.
        #[test]
        fn taken_over_and_handed_over_never_more_than_the_limit_passes(
            rounds in proptest::collection::vec((any::<bool>(), proptest::collection::vec((0usize..2, 1u64..4, 0u32..12), 0..30)), 1..8),
        ) {
            const MAX: u64 = 40;
            let (mut now, mut passed, mut row, mut millis) = (1_000u32, Vec::<(u32, u64)>::new(), Row::default(), 1);
            let mut ring = Ring::of(now, []);
            let mut lost = false;
            for (kills, steps) in rounds {
                let mut nodes = [Lease::of_ring(&ring, MAX), lease()];
                let told = nodes[0].request(0, false, millis); // before the other begins
                let (part, given, left) = row.answer(&told, 8);
                nodes[0].take_part(told, part, given, left, millis);
                for (node, cost, wait) in &steps {
                    (now, millis) = (now + wait, millis + 300);
                    let held = &mut nodes[*node];
                    held.turn(now, MAX);
                    for _ in 0..3 {
                        match held.charge(*cost) {
                            Fit::Fits => {
                                passed.push((held.window(), *cost));
                                break;
                            }
                            Fit::Over if !held.asks(Fit::Over, 8, millis) => break,
                            Fit::Over | Fit::Wants => {}
                        }
                        let request = held.request(*cost, true, millis);
                        let (part, given, left) = row.answer(&request, 8);
                        held.take_part(request, part, given, left, millis);
                    }
                }
                let [mut stays, mut goes] = nodes;
                lost |= kills;
                if !kills {
                    goes.surrender();
                    let last = goes.request(0, false, millis);
                    row.answer(&last, 8);
                }
                stays.turn(now, MAX);
                stays.surrender();
                let last = stays.request(0, false, millis);
                let (part, ..) = row.answer(&last, 1);
                ring = Ring::of(part.number, row.parts.iter().map(|(part, granted)| (*part, *granted)));
                let used = |last: u32| passed.iter().filter(|(part, _)| *part <= last && last - *part < KEPT).map(|(_, cost)| cost).sum::<u64>();
                prop_assert!(ring.used() >= used(now));
                prop_assert!(lost || ring.used() == used(now), "{} of {}", ring.used(), used(now));
                for (_, cost, wait) in &steps {
                    now += wait;
                    ring.turn(now);
                    if ring.used() + cost <= MAX {
                        ring.set(ring.used() + cost);
                        passed.push((ring.newest(), *cost));
                    }
                }
                for (last, _) in &passed {
                    let of_window = passed.iter().filter(|(part, _)| *part <= *last && *last - *part < KEPT);
                    let sum: u64 = of_window.map(|(_, cost)| cost).sum();
                    prop_assert!(sum <= MAX, "{sum} up to {last}");
                }
            }
        }
    }
}
