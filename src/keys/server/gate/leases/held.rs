//! The arithmetic of one lease: what one node may charge of one counter's window, what it asks for, and what it takes back. No clock, no
//! database: times are milliseconds that the caller tells.
//!
//! Always `used <= held`, and the sum of `held` over all nodes is never more than what the table says was granted.

use super::{
    super::seats::Seats,
    credits::Credits,
    request::Request,
    rolling::{Part, Rolling},
};

/// So many units are asked for ahead at least, however slow the calls come.
const SMALL: u64 = 8;
/// Milliseconds of the present pace that a block is to last.
const AHEAD: u64 = 2_000;
/// After so many milliseconds it is asked again whether a limit that was used up has something left: somebody may have given back.
pub(super) const AGAIN: u64 = 1_000;
/// A lease that was not charged for so many looks (one a second) is given back, if it is worth it.
const IDLE_LOOKS: u32 = 5;

/// Whether a charge can be made from what is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    Fits,
    /// Nobody could give so much in this window.
    Over,
    /// More must be asked for first.
    Wants,
}

/// What a node holds of the window `window`; of a rolling one, of its part of that number; of credits, since their refill of that number.
#[derive(Debug, Default)]
pub struct Lease {
    pub(super) window: u32,
    /// The limit under which it was granted.
    pub(super) max: u64,
    /// Charged by this node in this window, what it counted alone included.
    pub(super) used: u64,
    /// Passed beyond the limit on this node in this window: told, never charged.
    pub(super) beyond: u64,
    /// Of that, what the table counts as given out.
    pub(super) told_beyond: u64,
    /// May be charged by this node in this window, in all.
    pub(super) held: u64,
    /// What the last answer said that nobody has.
    pub(super) left: u64,
    /// When that answer came.
    pub(super) told_at: Option<u64>,
    /// Used before it was counted by lease, and perhaps not in the table yet.
    floor: u64,
    /// The window has its row.
    is_known: bool,
    /// Somebody has asked in the background.
    is_asked: bool,
    /// Given up, and not in the table yet.
    pub(super) back: u64,
    /// How much the last answer gave.
    block: u64,
    /// When that was, and what was used then.
    paced: (u64, u64),
    /// What was used at the last look, and since how many looks.
    idle: (u64, u32),
    /// Beside it, where the window rolls.
    pub(super) rolling: Option<Box<Rolling>>,
    /// And where it is of credits.
    pub(super) credits: Option<Box<Credits>>,
    /// Instead of all this, of a limit of calls at the same time.
    seats: Option<Box<Seats>>,
}

impl Lease {
    /// What a node that was alone has counted: nothing more may be charged before it is in the table.
    pub fn of_counted(window: u32, used: u64, max: u64) -> Self {
        let within = used.min(max);
        Self { window, max, used: within, beyond: used - within, told_beyond: used - within, held: within, floor: used, ..Self::default() }
    }

    /// The places of a limit of calls at the same time.
    pub fn seats(&mut self) -> &mut Seats {
        self.seats.get_or_insert_default()
    }

    pub fn window(&self) -> u32 {
        self.window
    }

    pub fn beyond(&self) -> u64 {
        self.beyond
    }

    /// A call passed beyond the limit, if its window still lasts.
    pub fn count_beyond(&mut self, window: u32, cost: u64) {
        if window == self.window {
            self.beyond += cost;
        }
    }

    /// So much was used of the window before it was counted by lease: no less must count as granted.
    pub fn count_before(&mut self, used: u64) {
        self.floor += used;
        self.is_known = false;
    }

    /// True if some of it is not used, or was given up and is not in the table yet.
    pub fn holds(&self) -> bool {
        self.rest() + self.back > 0 || self.has_late()
    }

    fn has_late(&self) -> bool {
        self.rolling.as_deref().is_some_and(Rolling::has_late) || self.credits.as_deref().is_some_and(Credits::has_late)
    }

    /// True if nothing of it counts any more in the window, or the part, of this number.
    pub fn is_over(&self, number: u32) -> bool {
        self.rolling.as_deref().map_or(number > self.window, |rolling| rolling.is_over(number))
    }

    /// What may still be charged.
    pub fn rest(&self) -> u64 {
        self.held.saturating_sub(self.used)
    }

    /// Makes it that of this window and this limit. A newer window begins with nothing; a clock that went back stays in the newer one.
    /// Under another limit nothing is held that was granted under the old one. What is not used of a part of a rolling window is given up;
    /// so is what was leased of credits before they were refilled.
    pub fn turn(&mut self, window: u32, max: u64) {
        if window > self.window {
            let credits = self.refilled(window, max);
            let mut rolling = self.rolling.take();
            if let Some(rolling) = &mut rolling {
                rolling.give_up(self.window, self.rest() + self.back);
                rolling.remember(self.told_at.map(|_| self.rest() + self.left));
            }
            *self = Self { window, max, rolling, credits, ..Self::default() };
        } else if max != self.max {
            self.surrender();
            if let Some(credits) = &mut self.credits {
                credits.limit_changed(self.max, max);
            }
            self.max = max;
        }
    }

    pub fn fit(&self, cost: u64) -> Fit {
        if self.used + cost <= self.held {
            Fit::Fits
        } else if (cost > self.max && self.credits.is_none()) || (self.told_at.is_some() && self.rest() + self.left < cost) {
            Fit::Over
        } else {
            Fit::Wants
        }
    }

    pub fn charge(&mut self, cost: u64) -> Fit {
        let fit = self.fit(cost);
        if fit == Fit::Fits {
            self.used += cost;
        }
        fit
    }

    /// Takes a charge back, if its window still lasts.
    pub fn give_back(&mut self, window: u32, cost: u64) {
        if window == self.window {
            self.used = self.used.saturating_sub(cost);
        }
    }

    /// True if it is worth asking in the background, now that `fit` was answered: the block is half used, or the word that nothing is
    /// left is old. It is taken for asked from then on.
    pub fn asks(&mut self, fit: Fit, share: u64, now: u64) -> bool {
        let is_worth_it = match fit {
            Fit::Fits => self.rest() * 2 < self.block && self.left >= share,
            Fit::Over => self.told_at.is_some_and(|told| now.saturating_sub(told) >= AGAIN),
            Fit::Wants => false,
        };
        let asks = is_worth_it && !self.is_asked;
        self.is_asked |= asks;
        asks
    }

    /// What to ask the table. What is given back is gone from here at once: if the answer is lost, so is that, until the window ends.
    pub fn request(&mut self, need: u64, refills: bool, now: u64) -> Request {
        let (at, used) = self.paced;
        let ahead = if refills {
            let spent = self.used.saturating_sub(used);
            let pace = if at == 0 { 0 } else { spent.saturating_mul(AHEAD) / now.saturating_sub(at).max(1) };
            pace.max(SMALL).saturating_sub(self.rest())
        } else {
            0
        };
        let floor = (!self.is_known).then_some(self.floor);
        let mut late = self.rolling.as_deref_mut().map(Rolling::take_late).unwrap_or_default();
        late.extend(self.credits.as_deref_mut().and_then(Credits::take_late));
        let counted = self.rolling.as_deref().map(|rolling| rolling.counted().to_vec()).unwrap_or_default();
        self.asks_again();
        Request { window: self.window, max: self.max, floor, back: std::mem::take(&mut self.back), need, ahead, late, counted }
    }

    /// Takes the answer: so much more may be charged, so much nobody has. For a window that is over it is nothing.
    pub fn take(&mut self, request: &Request, given: u64, left: u64, now: u64) {
        if self.window != request.window {
            return;
        }
        self.floor = self.floor.saturating_sub(request.floor.unwrap_or(0));
        (self.is_known, self.is_asked) = (self.floor == 0, false);
        if self.max == request.max {
            self.held += given;
            (self.left, self.told_at, self.block, self.paced) = (left, Some(now), given, (now, self.used));
            self.learn(now);
        } else {
            self.back += given;
        }
    }

    /// Takes the answer for a part of a rolling window, or for credits since a refill. Where another node's clock is ahead, it is a newer
    /// one than was asked for, and this node goes on in that one; of one that it has left, what was given goes back.
    pub fn take_part(&mut self, mut request: Request, part: Part, given: u64, left: u64, now: u64) {
        if part.number > self.window {
            self.turn(part.number, self.max);
        }
        if let Some(rolling) = &mut self.rolling {
            rolling.note(part, given);
            if part.number < self.window {
                rolling.give_up(part.number, given);
            }
        }
        if let Some(credits) = &mut self.credits
            && part.number < self.window
        {
            credits.give_up(part.number, given);
        }
        request.window = part.number;
        self.take(&request, given, left, now);
    }

    /// No answer came.
    pub fn missed(&mut self) {
        self.is_asked = false;
        if let Some(seats) = &mut self.seats {
            seats.missed();
        }
    }

    /// The row was not there.
    pub fn lost(&mut self) {
        (self.is_known, self.is_asked) = (false, false);
    }

    /// Forgets what the table said is left: what is not held must be asked for anew.
    pub fn forget_left(&mut self) {
        self.remember_credits();
        (self.left, self.told_at) = (0, None);
    }

    /// Gives up what is not used; true if there is something to tell the table.
    pub fn surrender(&mut self) -> bool {
        self.remember_credits();
        self.back += self.rest();
        self.held = self.used;
        (self.left, self.told_at, self.block) = (0, None, 0);
        self.back > 0 || self.has_late()
    }

    /// One look a second: true if it lay idle for so long that it should be given up. A small rest of much is kept: it would be asked
    /// for again and again. Of credits nothing is kept: what a killed node held may never come back.
    pub fn is_idle(&mut self) -> bool {
        let looks = if self.idle.0 == self.used { self.idle.1 + 1 } else { 0 };
        self.idle = (self.used, looks);
        let unused = self.rest() + self.back;
        let is_worth_it = unused > SMALL || self.credits.is_some();
        looks >= IDLE_LOOKS && (unused > 0 || self.has_late()) && (is_worth_it || self.left < self.max / 2)
    }

    /// What is known to remain: what is held, and what nobody had when it was last asked; before that all but what was used here, or what
    /// remained of a rolling window when its present part began.
    pub fn remaining(&self) -> u64 {
        let remained = self.rolling.as_deref().and_then(Rolling::remained).unwrap_or(self.max);
        let known = if self.told_at.is_some() { self.rest() + self.left } else { remained.saturating_sub(self.used) };
        known.min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::request::given, *};
    use proptest::prelude::*;

    /// The table's row of one window.
    #[derive(Default)]
    struct Row(Option<u64>);

    impl Row {
        fn answer(&mut self, request: &Request, share: u64) -> (u64, u64) {
            if let Some(floor) = request.floor {
                self.0 = Some(self.0.unwrap_or(0).max(floor));
            }
            let granted = self.0.expect("it was made");
            let given = given(granted, request, share);
            self.0 = Some(granted.saturating_sub(request.back) + given);
            (given, request.max.saturating_sub(granted.saturating_sub(request.back) + given))
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Charge(usize, u64),
        /// The answer never comes.
        Lost(usize, u64),
        Surrender(usize),
        Crash(usize),
        Limit(u64),
    }

    fn steps(with_loss: bool) -> impl Strategy<Value = Vec<Step>> {
        let node = 0usize..3;
        let step = prop_oneof![
            8 => (node.clone(), 0u64..6).prop_map(|(n, c)| Step::Charge(n, c)),
            1 => (node.clone(), 0u64..6).prop_map(move |(n, c)| if with_loss { Step::Lost(n, c) } else { Step::Charge(n, c) }),
            1 => node.clone().prop_map(Step::Surrender),
            1 => node.prop_map(move |n| if with_loss { Step::Crash(n) } else { Step::Surrender(n) }),
            1 => (1u64..80).prop_map(move |max| if with_loss { Step::Limit(max) } else { Step::Charge(0, 1) }),
        ];
        proptest::collection::vec(step, 1..300)
    }

    /// Charges as the gate does: from what is held, else after asking.
    fn charge(node: &mut Lease, row: &mut Row, max: u64, cost: u64, now: u64) -> u64 {
        node.turn(1, max);
        for _ in 0..3 {
            match node.charge(cost) {
                Fit::Fits => return cost,
                Fit::Over => {
                    if !node.asks(Fit::Over, 12, now) {
                        return 0;
                    }
                }
                Fit::Wants => {}
            }
            let request = node.request(cost, true, now);
            let (given, left) = row.answer(&request, 12);
            node.take(&request, given, left, now);
        }
        panic!("asked twice, and still nothing is known");
    }

    proptest! {
        /// Whatever happens, never more than the limit passes; a limit that changes holds for what comes after.
        #[test]
        fn never_more_than_the_limit(counted in 0u64..60, steps in steps(true)) {
            let (mut max, mut highest, mut passed, mut now) = (60, 60, counted, 1);
            let mut row = Row::default();
            let mut nodes = [Lease::of_counted(1, counted, max), Lease::default(), Lease::default()];
            let request = nodes[0].request(0, false, now);
            let (given, left) = row.answer(&request, 12); // handed over before anybody else begins
            nodes[0].take(&request, given, left, now);
            for step in steps {
                now += 300;
                match step {
                    Step::Charge(node, cost) => {
                        let before = passed;
                        passed += charge(&mut nodes[node], &mut row, max, cost, now);
                        if passed > before { prop_assert!(passed <= max, "{passed} of {max}"); }
                    }
                    Step::Lost(node, cost) => {
                        nodes[node].turn(1, max);
                        let request = nodes[node].request(cost, true, now);
                        row.answer(&request, 12);
                        nodes[node].missed();
                    }
                    Step::Surrender(node) => { nodes[node].surrender(); }
                    Step::Crash(node) => nodes[node] = Lease::default(),
                    Step::Limit(new) => {
                        // Every node has it before the change is answered.
                        (max, highest) = (new, highest.max(new));
                        nodes.iter_mut().for_each(|node| node.turn(1, max));
                    }
                }
                prop_assert!(passed <= highest);
                prop_assert!(nodes.iter().all(|node| node.used <= node.held));
            }
        }

        /// With no crash and no lost answer, all of it passes if it is asked for.
        #[test]
        fn all_of_it_where_nothing_is_lost(counted in 0u64..60, steps in steps(false)) {
            let (max, mut passed, mut now) = (60, counted, 1);
            let mut row = Row::default();
            let mut nodes = [Lease::of_counted(1, counted, max), Lease::default(), Lease::default()];
            let request = nodes[0].request(0, false, now);
            let (given, left) = row.answer(&request, 12);
            nodes[0].take(&request, given, left, now);
            for step in steps {
                now += 300;
                match step {
                    Step::Charge(node, cost) => passed += charge(&mut nodes[node], &mut row, max, cost, now),
                    Step::Surrender(node) => { nodes[node].surrender(); }
                    Step::Lost(..) | Step::Crash(_) | Step::Limit(_) => {}
                }
            }
            for _ in 0..2 {
                now += AGAIN;
                for node in &mut nodes {
                    while charge(node, &mut row, max, 1, now) == 1 { passed += 1; }
                    if node.surrender() {
                        let request = node.request(0, false, now);
                        let (given, left) = row.answer(&request, 12);
                        node.take(&request, given, left, now);
                    }
                }
            }
            prop_assert_eq!(passed, max);
        }
    }

    #[test]
    fn a_block_lasts_about_two_seconds_and_leaves_something_for_others() {
        let mut lease = Lease::default();
        lease.turn(1, 10_000);
        assert_eq!(lease.fit(1), Fit::Wants);
        let first = lease.request(1, true, 10);
        assert_eq!((first.need, first.ahead, first.floor), (1, SMALL, Some(0)));
        lease.take(&first, SMALL, 9_992, 10);
        assert!((0..SMALL).all(|_| lease.charge(1) == Fit::Fits));
        assert!(lease.asks(Fit::Fits, 8, 18) && !lease.asks(Fit::Fits, 8, 18), "asked once");
        let second = lease.request(0, true, 18);
        assert_eq!((second.ahead, second.floor), (2_000, None), "a call a millisecond");
        assert_eq!(given(8, &second, 8), 9_992 / 8);
    }

    #[test]
    fn what_lies_idle_is_given_back_unless_it_is_little_of_much() {
        let idle = |held, left| {
            let mut lease = Lease { window: 1, max: 100, held, left, told_at: Some(1), ..Lease::default() };
            (0..=IDLE_LOOKS).any(|_| lease.is_idle())
        };
        assert_eq!([idle(8, 90), idle(9, 90), idle(1, 49), idle(0, 0)], [false, true, true, false]);
    }

    #[test]
    fn a_part_of_a_rolling_window_gives_its_rest_back_with_the_next_question() {
        let mut lease = Lease::default();
        lease.ring();
        lease.turn(100, 10);
        let request = lease.request(1, true, 1);
        lease.take_part(request, Part { number: 100, opens: Some(161) }, 4, 6, 1);
        assert_eq!((lease.charge(1), lease.remaining(), lease.opens()), (Fit::Fits, 9, Some(161)));
        assert!(!lease.is_over(160) && lease.is_over(161), "what was given counts for sixty parts more");
        lease.turn(101, 10);
        assert_eq!((lease.fit(1), lease.remaining()), (Fit::Wants, 9));
        let request = lease.request(1, true, 2);
        assert_eq!((&request.late, request.back, request.window), (&vec![(100, 3)], 0, 101));

        // The table is in part 103 already: so is this node from now on.
        lease.take_part(request, Part { number: 103, opens: None }, 2, 0, 2);
        assert_eq!((lease.window(), lease.charge(2), lease.fit(1)), (103, Fit::Fits, Fit::Over));
        lease.turn(104, 10);
        let request = lease.request(1, true, 3);
        lease.turn(105, 10);
        lease.take_part(request, Part { number: 104, opens: None }, 5, 0, 3);
        assert_eq!((lease.fit(1), lease.request(0, false, 4).late), (Fit::Wants, vec![(104, 5)]), "it came too late to be used");
    }

    #[test]
    fn what_was_counted_alone_goes_with_every_question_until_one_is_answered() {
        let mut ring = crate::keys::server::gate::rolling::Ring::default();
        for (part, used) in [(90, 2), (100, 5)] {
            ring.turn(part);
            ring.set(used);
        }
        let mut lease = Lease::of_ring(&ring, 9);
        assert_eq!((lease.window(), lease.fit(1), lease.opens()), (100, Fit::Wants, Some(151)));
        let lost = lease.request(1, true, 1);
        lease.missed();
        lease.turn(101, 9);
        let request = lease.request(1, true, 2);
        assert_eq!((&lost.counted, &request.counted), (&vec![(90, 2), (100, 3)], &lost.counted));
        lease.take_part(request, Part { number: 101, opens: Some(151) }, 1, 3, 2);
        assert!(lease.request(0, false, 3).counted.is_empty());
    }

    #[test]
    fn a_late_answer_counts_for_its_window_and_its_limit_only() {
        let mut lease = Lease::default();
        lease.turn(1, 10);
        let request = lease.request(5, true, 1);
        lease.turn(1, 20);
        lease.take(&request, 5, 5, 2);
        assert_eq!((lease.held, lease.request(0, false, 3).back), (0, 5), "given back, as the limit is another");
        let request = lease.request(5, true, 3);
        lease.turn(2, 20);
        lease.take(&request, 5, 5, 4);
        assert_eq!((lease.held, lease.back), (0, 0));
    }
}
