//! The arithmetic of the places of one limit on one node. No clock, no database: times are told by the caller.

use super::super::leases::Fit;
use std::collections::BTreeSet;

/// For so many milliseconds of this node places may be taken that were lent to it. Others count them for as long, and for as long as a
/// place lasts that was taken last.
const TERM: u64 = 10_000;
/// What clocks and answers may be late by: others count what was lent for so many seconds longer.
const MARGIN: u32 = 2;
/// After so many milliseconds it is asked again whether somebody gave places back.
const AGAIN: u64 = 1_000;
/// Microseconds after which a place that is taken is worth a note, where one node counts alone.
const LONG: i64 = 1_000_000;
const SECOND: i64 = 1_000_000;

/// A place that is taken: when it ends by itself, in microseconds since 1970, and a number that nobody can guess. In this order, so that the
/// first of a set ends first. What is given back is found by its value, so that it can be given back once only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Seat {
    pub ends: i64,
    pub tag: u64,
}

/// How many places there are, and for how many seconds one lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    pub most: u32,
    pub lasts: u32,
}

/// Who else may take places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// Nobody; so many are still taken on nodes that have ended.
    Gone(u32),
    /// Other nodes: only what was lent may be taken.
    There,
}

/// What a node tells the table of its places, and asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub terms: Terms,
    /// It keeps so many, taken or not.
    pub keeps: u32,
    /// Calls wait for so many more.
    pub need: u32,
    /// So many more would be good to have.
    pub ahead: u32,
    /// Seconds after which all of this has ended, if nothing more is told.
    pub ends_in: u32,
    /// Grows from request to request of a node: an older one changes nothing any more.
    pub turn: u64,
    /// When it was made, in milliseconds of this node.
    at: u64,
    is_renewal: bool,
}

/// What is worth doing after a look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    Nothing,
    /// The table is to know what is taken.
    Tell,
    /// What was lent is to be renewed, or cut down to what is used.
    Renew,
    /// Nothing is taken or lent: it need not be looked at until a place is taken again.
    Forget,
    /// The table is to know that, and then it need not be looked at.
    GiveUp,
}

/// The places of one limit.
#[derive(Debug, Default)]
pub struct Seats {
    taken: BTreeSet<Seat>,
    terms: Terms,
    /// Beside other nodes: so many may be taken at the same time here; fewer than are taken, where the limit was lowered,
    lent: u32,
    /// until this millisecond.
    until: u64,
    /// So many nobody has, as the last answer said, and when that came.
    left: u32,
    told_at: Option<u64>,
    /// The last request; what is answered to an older one is nothing any more.
    turn: u64,
    /// The most that were taken since the last look, and between that and the one before.
    peak: u32,
    before: u32,
    /// Of what lasts long, what the table knows: how many, and when the last of them ends.
    noted: (u32, i64),
    /// Who else took places when it was last asked.
    others: Option<Others>,
    /// It is looked at once a second.
    pub is_watched: bool,
}

impl Seats {
    fn count(&self) -> u32 {
        u32::try_from(self.taken.len()).unwrap_or(u32::MAX)
    }

    /// Forgets what has ended by itself.
    fn expire(&mut self, now: i64) {
        while self.taken.first().is_some_and(|seat| seat.ends <= now) {
            self.taken.pop_first();
        }
    }

    /// Under other terms nothing is lent that was lent under the old ones; what is taken stays.
    pub fn turn(&mut self, terms: Terms) {
        if terms != self.terms {
            self.terms = terms;
            self.lapse();
        }
    }

    /// Keeps what is taken, and must ask before it takes more.
    fn lapse(&mut self) {
        (self.lent, self.until, self.left, self.told_at) = (self.count(), 0, 0, None);
    }

    /// Whether one more may be taken: `now` in microseconds since 1970, `steady` in milliseconds of this node.
    pub fn fit(&mut self, terms: Terms, others: Others, now: i64, steady: u64) -> Fit {
        self.expire(now);
        self.turn(terms);
        let before = self.others.replace(others);
        if others == Others::There && before.is_some_and(|before| before != others) {
            self.lapse(); // what was lent before it was alone is nothing any more
        }
        let taken = self.count();
        match others {
            Others::Gone(elsewhere) if taken.saturating_add(elsewhere) < terms.most => Fit::Fits,
            Others::Gone(_) => Fit::Over,
            Others::There if taken >= terms.most => Fit::Over,
            Others::There if steady >= self.until => Fit::Wants,
            Others::There if taken < self.lent => Fit::Fits,
            Others::There if self.left == 0 && self.told_at.is_some_and(|told| steady.saturating_sub(told) < AGAIN) => Fit::Over,
            Others::There => Fit::Wants,
        }
    }

    pub fn terms(&self) -> Terms {
        self.terms
    }

    pub fn take(&mut self, seat: Seat) {
        self.taken.insert(seat);
        self.peak = self.peak.max(self.count());
    }

    /// Gives one back; false if it is not taken (any more).
    pub fn free(&mut self, seat: Seat, now: i64) -> bool {
        self.expire(now);
        self.taken.remove(&seat)
    }

    /// How many are taken, as far as this node knows, and when the first of its own ends by itself; also at a moment that lies ahead.
    pub fn state(&self, terms: Terms, now: i64) -> (u32, Option<i64>) {
        let ended = self.taken.iter().take_while(|seat| seat.ends <= now).count();
        let taken = self.count().saturating_sub(u32::try_from(ended).unwrap_or(u32::MAX));
        let all = match self.others {
            Some(Others::Gone(elsewhere)) => taken.saturating_add(elsewhere),
            // All but what nobody has, and what is lent to this node and not taken.
            Some(Others::There) if self.told_at.is_some() => terms.most.saturating_sub(self.left).saturating_sub(self.lent.saturating_sub(taken)).max(taken),
            Some(Others::There) | None => taken,
        };
        (all, self.taken.iter().nth(ended).map(|seat| seat.ends))
    }

    /// How many of those that this node gave are taken, also at a moment that lies ahead.
    pub fn taken_here(&self, now: i64) -> u32 {
        u32::try_from(self.taken.iter().filter(|seat| seat.ends > now).count()).unwrap_or(u32::MAX)
    }

    /// What to say to the table. `refills`: it goes on taking places beside others; else it keeps what is taken and no more.
    pub fn request(&mut self, terms: Option<Terms>, (need, refills): (u32, bool), turn: u64, now: i64, steady: u64) -> Request {
        self.expire(now);
        if let Some(terms) = terms {
            self.turn(terms);
        }
        if !refills || steady >= self.until {
            self.lapse();
        }
        let taken = self.count();
        if refills && need == 0 {
            self.lent = self.lent.min(taken.max(self.peak).max(self.before));
        }
        let last = self.taken.last().map_or(0, |seat| u32::try_from((seat.ends - now).max(0).div_euclid(SECOND)).unwrap_or(u32::MAX));
        let term = u32::try_from(TERM / 1_000).unwrap_or(u32::MAX);
        // Where the seconds of the limit became fewer, places that are taken may last longer than those that will be.
        let ends_in = if refills { self.terms.lasts.saturating_add(term).max(last.saturating_add(1)) } else { last.saturating_add(1) };
        self.turn = turn;
        let keeps = self.lent.max(taken);
        if !refills {
            self.lent = 0; // it is told, and no lease
        }
        Request {
            terms: self.terms,
            keeps,
            need,
            ahead: if need > 0 { taken } else { 0 },
            ends_in: ends_in.saturating_add(MARGIN),
            turn,
            at: steady,
            is_renewal: refills,
        }
    }

    /// Takes the answer: so many more may be taken, so many nobody has; less than nothing where more are lent than the limit has by now.
    pub fn answered(&mut self, request: &Request, given: u32, left: i64, steady: u64) {
        if request.turn != self.turn || request.terms != self.terms || !request.is_renewal {
            return;
        }
        let (more, missing) = (u32::try_from(left).unwrap_or(0), u32::try_from(left.min(0).unsigned_abs()).unwrap_or(u32::MAX));
        self.lent = request.keeps.saturating_add(given).saturating_sub(missing);
        (self.until, self.left, self.told_at) = (request.at + TERM, more, Some(steady));
    }

    /// No answer came: what is noted is told anew.
    pub fn missed(&mut self) {
        self.noted = (0, 0);
    }

    /// One look a second.
    pub fn look(&mut self, is_alone: bool, now: i64, steady: u64) -> Look {
        self.expire(now);
        let (taken, peak) = (self.count(), self.peak);
        (self.before, self.peak) = (peak, taken);
        if is_alone {
            let lasts = i64::from(self.terms.lasts).saturating_mul(SECOND);
            let long = Seat { ends: now.saturating_sub(LONG).saturating_add(lasts), tag: u64::MAX };
            let noted = self.taken.range(..=long).fold((0, 0), |(count, _), seat| (count + 1, seat.ends));
            let is_news = std::mem::replace(&mut self.noted, noted) != noted || self.lent > 0;
            return match (is_news, taken) {
                (true, 0) => Look::GiveUp,
                (true, _) => Look::Tell,
                (false, 0) => Look::Forget,
                (false, _) => Look::Nothing,
            };
        }
        self.noted = (0, 0);
        match (taken, peak, self.lent) {
            (0, 0, 0) => Look::Forget,
            (0, 0, _) => Look::GiveUp,
            (_, _, lent) if lent > taken.max(peak) || steady.saturating_add(TERM / 2) >= self.until => Look::Renew,
            _ => Look::Nothing,
        }
    }

    /// True if the table should know how many are taken now.
    pub fn tells(&mut self, now: i64) -> bool {
        self.expire(now);
        !self.taken.is_empty() || self.lent > 0 || self.noted != (0, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TERMS: Terms = Terms { most: 3, lasts: 30 };
    const ALONE: Others = Others::Gone(0);

    fn seat(now: i64, tag: u64) -> Seat {
        Seat { ends: now + 30 * SECOND, tag }
    }

    #[test]
    fn a_place_is_given_back_once_and_ends_by_itself() {
        let mut seats = Seats::default();
        for tag in 0..3 {
            assert_eq!(seats.fit(TERMS, ALONE, 0, 0), Fit::Fits);
            seats.take(seat(0, tag));
        }
        assert_eq!((seats.fit(TERMS, ALONE, 0, 0), seats.state(TERMS, 0)), (Fit::Over, (3, Some(30 * SECOND))));
        assert_eq!([1, 1, 7].map(|tag| seats.free(seat(0, tag), 5)), [true, false, false]);
        assert_eq!(seats.fit(TERMS, ALONE, 5, 0), Fit::Fits);
        seats.take(seat(5, 3));
        assert_eq!(seats.fit(TERMS, ALONE, 30 * SECOND - 1, 0), Fit::Over);
        assert_eq!((seats.fit(TERMS, ALONE, 30 * SECOND, 0), seats.state(TERMS, 30 * SECOND)), (Fit::Fits, (1, Some(30 * SECOND + 5))));
        assert!(!seats.free(seat(0, 0), 30 * SECOND), "what has ended can't be given back");
        assert_eq!([30 * SECOND + 4, 90 * SECOND, 30 * SECOND].map(|at| seats.state(TERMS, at).0), [1, 0, 1], "who looks ahead ends nothing");
    }

    #[test]
    fn what_nodes_that_ended_had_counts_until_it_ends() {
        let mut seats = Seats::default();
        assert_eq!([2, 3].map(|elsewhere| seats.fit(TERMS, Others::Gone(elsewhere), 0, 0)), [Fit::Fits, Fit::Over]);
    }

    #[test]
    fn beside_others_only_what_is_lent_may_be_taken_and_only_for_its_term() {
        let mut seats = Seats::default();
        assert_eq!(seats.fit(TERMS, Others::There, 0, 100), Fit::Wants);
        let request = seats.request(Some(TERMS), (1, true), 1, 0, 100);
        assert_eq!((request.keeps, request.need, request.ends_in), (0, 1, 42));
        seats.answered(&request, 1, 0, 120);
        assert_eq!(seats.fit(TERMS, Others::There, 0, 130), Fit::Fits);
        seats.take(seat(0, 1));
        assert_eq!(seats.fit(TERMS, Others::There, 0, 130), Fit::Over, "nobody has more");
        assert_eq!(seats.fit(TERMS, Others::There, 0, 1_120), Fit::Wants, "somebody may have given back");
        assert!(seats.free(seat(0, 1), 0));
        assert_eq!(seats.fit(TERMS, Others::There, 0, 10_099), Fit::Fits);
        assert_eq!(seats.fit(TERMS, Others::There, 0, 10_100), Fit::Wants, "its term is over");
    }

    #[test]
    fn an_answer_that_comes_after_a_newer_request_lends_nothing() {
        let mut seats = Seats::default();
        let older = seats.request(Some(TERMS), (2, true), 1, 0, 100);
        let newer = seats.request(Some(TERMS), (0, false), 2, 0, 110);
        seats.answered(&older, 2, 1, 120);
        seats.answered(&newer, 0, 3, 120);
        assert_eq!(seats.fit(TERMS, Others::There, 0, 120), Fit::Wants);
    }

    #[test]
    fn under_a_lowered_limit_what_ends_is_not_taken_again() {
        let mut seats = Seats::default();
        let request = seats.request(Some(TERMS), (2, true), 1, 0, 0);
        seats.answered(&request, 2, 1, 0);
        seats.take(seat(0, 1));
        seats.take(seat(0, 2));
        let lowered = Terms { most: 2, ..TERMS };
        let request = seats.request(Some(lowered), (1, true), 2, 0, 10);
        assert_eq!(request.keeps, 2);
        seats.answered(&request, 0, -1, 10); // another node has one
        assert!(seats.free(seat(0, 1), 0));
        assert_eq!(seats.fit(lowered, Others::There, 0, 20), Fit::Over);
        assert!(seats.free(seat(0, 2), 0));
        assert_eq!(seats.fit(lowered, Others::There, 0, 20), Fit::Fits);
    }

    #[test]
    fn others_count_places_for_as_long_as_they_last_also_where_new_ones_last_less() {
        let mut seats = Seats::default();
        let request = seats.request(Some(TERMS), (1, true), 1, 0, 0);
        seats.answered(&request, 1, 2, 0);
        seats.take(seat(0, 1));
        let shorter = Terms { lasts: 5, ..TERMS };
        assert_eq!(seats.request(Some(shorter), (0, true), 2, 0, 10).ends_in, 33);
        assert_eq!(seats.request(Some(shorter), (0, true), 3, 25 * SECOND, 20).ends_in, 17);
    }

    #[test]
    fn what_was_lent_before_a_node_was_alone_is_nothing_after() {
        let mut seats = Seats::default();
        let request = seats.request(Some(TERMS), (3, true), 1, 0, 0);
        seats.answered(&request, 3, 0, 0);
        let fits = [Others::There, ALONE, Others::There].map(|others| seats.fit(TERMS, others, 0, 1));
        assert_eq!(fits, [Fit::Fits, Fit::Fits, Fit::Wants]);
    }

    #[test]
    fn only_what_lasts_long_is_noted_by_a_node_that_is_alone() {
        let mut seats = Seats::default();
        assert_eq!(seats.fit(TERMS, ALONE, 0, 0), Fit::Fits);
        seats.take(seat(0, 1));
        assert_eq!(seats.look(true, SECOND / 2, 0), Look::Nothing);
        assert_eq!([seats.look(true, SECOND, 0), seats.look(true, 2 * SECOND, 0)], [Look::Tell, Look::Nothing]);
        seats.missed();
        assert_eq!([seats.look(true, 2 * SECOND, 0), seats.look(true, 2 * SECOND, 0)], [Look::Tell, Look::Nothing]);
        assert!(seats.free(seat(0, 1), 2 * SECOND));
        assert_eq!([seats.look(true, 3 * SECOND, 0), seats.look(true, 3 * SECOND, 0)], [Look::GiveUp, Look::Forget]);
    }

    #[test]
    fn what_is_lent_and_not_used_goes_back() {
        let mut seats = Seats::default();
        let request = seats.request(Some(TERMS), (2, true), 1, 0, 0);
        seats.answered(&request, 3, 0, 0);
        seats.take(seat(0, 1));
        assert_eq!(seats.look(false, 0, 500), Look::Renew);
        assert_eq!(seats.request(Some(TERMS), (0, true), 2, 0, 500).keeps, 1);
        assert!(seats.free(seat(0, 1), 0));
        assert_eq!([seats.look(false, 0, 1_500), seats.look(false, 0, 2_500)], [Look::Nothing, Look::GiveUp]);
        assert_eq!(seats.request(None, (0, false), 3, 0, 2_500).keeps, 0);
        assert_eq!(seats.look(false, 0, 3_500), Look::Forget);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Take(usize),
        Free(usize),
        /// The answer never comes.
        Lost(usize),
        Look(usize),
        Crash(usize),
        Wait(u64),
        Most(u32),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (0usize..3).prop_map(Step::Take),
            4 => (0usize..3).prop_map(Step::Free),
            1 => (0usize..3).prop_map(Step::Lost),
            3 => (0usize..3).prop_map(Step::Look),
            1 => (0usize..3).prop_map(Step::Crash),
            3 => (1u64..20_000).prop_map(Step::Wait),
            1 => (1u32..6).prop_map(Step::Most),
        ]
    }

    /// The table's rows: places, their turn, and when they end, by node.
    #[derive(Default)]
    struct Rows(std::collections::BTreeMap<usize, (u32, u64, u64)>);

    impl Rows {
        /// As `store::ask` does it.
        fn answer(&mut self, node: usize, request: &Request, now: u64) -> (u32, i64) {
            let others: u32 = self.0.iter().filter(|(id, (.., ends))| **id != node && *ends > now).map(|(_, (places, ..))| places).sum();
            let room = i64::from(request.terms.most) - i64::from(request.keeps) - i64::from(others);
            let free = u32::try_from(room).unwrap_or(0);
            let given = free.min(request.need.max(request.ahead.min(free / 12)));
            self.0.insert(node, (request.keeps + given, request.turn, now + 1_000 * u64::from(request.ends_in)));
            (given, room - i64::from(given))
        }
    }

    proptest! {
        /// Three nodes take, give back, are killed and forgotten, while answers are lost and the limit changes: never are more places taken
        /// than the limit was when they were taken, those of killed nodes included.
        #[test]
        fn never_more_than_the_limit_on_all_nodes_together(steps in proptest::collection::vec(step(), 1..300)) {
            let (mut rows, mut now, mut turn, mut terms) = (Rows::default(), 100_000u64, 0u64, Terms { most: 4, lasts: 20 });
            // Each start of a node is another one: its number, its places, and those that it took.
            let mut nodes: Vec<(usize, Seats)> = (0..3).map(|id| (id, Seats::default())).collect();
            let (mut taken, mut started) = (Vec::<(usize, Seat)>::new(), 3);
            for step in steps {
                let micros = i64::try_from(now).expect("it fits") * 1_000;
                taken.retain(|(_, seat)| seat.ends > micros);
                turn += 1;
                match step {
                    Step::Take(which) => {
                        let (id, seats) = &mut nodes[which];
                        let mut fit = seats.fit(terms, Others::There, micros, now);
                        if fit == Fit::Wants {
                            let request = seats.request(Some(terms), (1, true), turn, micros, now);
                            let (given, left) = rows.answer(*id, &request, now);
                            seats.answered(&request, given, left, now);
                            fit = seats.fit(terms, Others::There, micros, now);
                            prop_assert_ne!(fit, Fit::Wants, "who has just asked knows");
                        }
                        if fit == Fit::Fits {
                            let seat = Seat { ends: micros + i64::from(terms.lasts) * SECOND, tag: turn };
                            seats.take(seat);
                            taken.push((*id, seat));
                            prop_assert!(taken.len() <= terms.most as usize, "{} of {}", taken.len(), terms.most);
                        }
                    }
                    Step::Free(which) => {
                        let (id, seats) = &mut nodes[which];
                        if let Some(at) = taken.iter().position(|(node, _)| *node == *id) {
                            let (_, seat) = taken.remove(at);
                            prop_assert!(seats.free(seat, micros) && !seats.free(seat, micros));
                        }
                    }
                    Step::Lost(which) => {
                        let (id, seats) = &mut nodes[which];
                        let request = seats.request(Some(terms), (1, true), turn, micros, now);
                        rows.answer(*id, &request, now);
                    }
                    Step::Look(which) => {
                        let (id, seats) = &mut nodes[which];
                        let refills = match seats.look(false, micros, now) {
                            Look::Renew => true,
                            Look::Tell | Look::GiveUp => false,
                            Look::Nothing | Look::Forget => continue,
                        };
                        let request = seats.request(None, (0, refills), turn, micros, now);
                        let (given, left) = rows.answer(*id, &request, now);
                        seats.answered(&request, given, left, now);
                    }
                    Step::Crash(which) => {
                        nodes[which] = (started, Seats::default());
                        started += 1;
                    }
                    Step::Wait(millis) => now += millis,
                    // A limit that is lowered ends no call; more pass when fewer are taken. Every node reads of it.
                    Step::Most(most) => {
                        terms.most = most;
                        nodes.iter_mut().for_each(|(_, seats)| seats.turn(terms));
                    }
                }
            }
        }
    }
}
