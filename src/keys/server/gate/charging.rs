//! Charging the limits of a call: all of them or none. Check all, then commit all, so that a call which one limit refuses is never
//! charged, nor seen, by another.

use super::{
    leases::Fit,
    limit::{Limit, Passage, Till},
};
use std::sync::PoisonError;

/// Limits of a key by their place: bit 0 is the first. A key has no more than a few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Places(u32);

impl Places {
    pub const NONE: Self = Self(0);

    /// Only this one.
    pub const fn only(place: usize) -> Self {
        Self(if place < 32 { 1 << place } else { 0 })
    }

    pub const fn has(self, place: usize) -> bool {
        place < 32 && self.0 >> place & 1 == 1
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn add(&mut self, place: usize) {
        self.0 |= 1 << place.min(31);
    }
}

/// Why nothing was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uncharged {
    /// These limits refuse.
    Over(Places),
    /// Of these this node must lease more before it can tell.
    Wants(Wants),
}

/// What must be leased: of the limits themselves, and of what passes beyond them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wants {
    within: Places,
    beyond: Places,
}

impl Wants {
    /// Each with how much.
    pub fn of(self, limits: &[Limit], cost: u32) -> impl Iterator<Item = (&Limit, u32)> {
        limits.iter().enumerate().flat_map(move |(place, limit)| {
            let within = self.within.has(place).then_some((limit, cost));
            let beyond = limit.throttle.as_deref().filter(|_| self.beyond.has(place)).map(|throttle| (throttle, 1));
            within.into_iter().chain(beyond)
        })
    }
}

/// Charges all limits or none, and tells which of them the call passed beyond. One limit needs no lock; several take their owner's.
pub fn charge_all(limits: &[Limit], till: &Till<'_>, now_micros: i64, cost: u32) -> Result<Places, Uncharged> {
    let _held = (limits.len() > 1).then(|| till.together.lock().unwrap_or_else(PoisonError::into_inner));
    if limits.len() > 1 {
        all_pass(limits.iter().map(|limit| limit.passage(till, now_micros, cost)).enumerate())?;
    }
    let mut beyond = Places::NONE;
    for (place, limit) in limits.iter().enumerate() {
        let passage = limit.charge_or_pass(till, now_micros, cost);
        if let Err(uncharged) = all_pass([(place, passage)].into_iter()) {
            // Of several this happens only while a level changes, or while the nodes become more.
            let charged = limits[..place].iter().enumerate();
            charged.for_each(|(place, charged)| charged.take_back(till, now_micros, cost, beyond.has(place)));
            return Err(uncharged);
        }
        if passage.is_beyond {
            beyond.add(place);
        }
    }
    if !beyond.is_empty() {
        let passed = limits.iter().enumerate().filter(|(place, _)| beyond.has(*place));
        passed.for_each(|(_, limit)| limit.count_beyond(now_micros, cost));
    }
    Ok(beyond)
}

/// `Err` unless all pass. A refusal is certain, whatever the others still have to ask for.
fn all_pass(passages: impl Iterator<Item = (usize, Passage)>) -> Result<(), Uncharged> {
    let (mut over, mut wants) = (Places::NONE, Wants::default());
    for (place, passage) in passages {
        match (passage.fit, passage.is_beyond) {
            (Fit::Fits, _) => {}
            (Fit::Over, _) => over.add(place),
            (Fit::Wants, false) => wants.within.add(place),
            (Fit::Wants, true) => wants.beyond.add(place),
        }
    }
    match (over.is_empty(), wants == Wants::default()) {
        (false, _) => Err(Uncharged::Over(over)),
        (true, false) => Err(Uncharged::Wants(wants)),
        (true, true) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        keys::{
            model::{LimitUnit, Over, OverAction, Refill, Window},
            server::gate::{leases::Leases, limit::Policy, seats::Seat},
        },
        platform::clock::steady_millis,
    };
    use proptest::prelude::*;
    use std::{
        collections::HashMap,
        sync::{
            Arc, LazyLock, Mutex,
            atomic::{AtomicUsize, Ordering},
        },
    };
    use uuid::Uuid;

    fn limit(max: u64, seconds: u32) -> Limit {
        of(max, Window::Seconds(seconds), Over::REFUSE)
    }
    fn of(max: u64, window: Window, over: Over) -> Limit {
        let policy = Policy { name: "t".into(), max, window, unit: LimitUnit::Units, over };
        let throttle = policy.throttle().map(|policy| Box::new(Limit { policy: policy.into(), counter: Arc::default(), throttle: None }));
        Limit { policy: policy.into(), counter: Arc::default(), throttle }
    }
    fn throttle(per_second: u32) -> Over {
        Over::of(OverAction::Throttle { per_second })
    }
    const SECOND: i64 = 1_000_000;

    /// A node that is alone.
    static ALONE: LazyLock<Leases> = LazyLock::new(Leases::alone);
    fn till(together: &Mutex<()>) -> Till<'_> {
        Till { leases: &ALONE, holder: Uuid::nil(), together, seat: Seat::default() }
    }

    /// Takes or refuses a place that lasts 30 seconds.
    fn call(limits: &[Limit], together: &Mutex<()>, at: i64, tag: u64) -> Result<Seat, Uncharged> {
        let seat = Seat::new(at, 30, tag);
        charge_all(limits, &Till { seat, ..till(together) }, at, 1).map(|_| seat)
    }

    #[test]
    fn calls_at_the_same_time_are_never_more_than_the_limit() {
        let (limits, together) = ([of(3, Window::Concurrent(30), Over::REFUSE)], Mutex::new(()));
        let (now, most, passed) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8u64 {
                let (limits, together, now, most, passed) = (&limits, &together, &now, &most, &passed);
                scope.spawn(move || {
                    for n in 0..2_000 {
                        if let Ok(seat) = call(limits, together, SECOND, (thread << 32) | n) {
                            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                            passed.fetch_add(1, Ordering::SeqCst);
                            now.fetch_sub(1, Ordering::SeqCst);
                            assert!(limits[0].free_seat(seat, SECOND) && !limits[0].free_seat(seat, SECOND));
                        }
                    }
                });
            }
        });
        assert!(most.load(Ordering::SeqCst) <= 3 && passed.load(Ordering::SeqCst) > 0);
        assert_eq!(limits[0].state(SECOND).used, 0);
    }

    #[test]
    fn a_call_that_finds_no_place_is_charged_to_nothing_else_and_the_other_way_round() {
        let (limits, together) = ([of(2, Window::Concurrent(30), Over::REFUSE), limit(3, 3600)], Mutex::new(()));
        let used = || limits.each_ref().map(|limit| limit.state(SECOND).used);
        let first = call(&limits, &together, SECOND, 1).expect("both have room");
        assert!(call(&limits, &together, SECOND, 2).is_ok());
        assert_eq!((call(&limits, &together, SECOND, 3), used()), (Err(Uncharged::Over(Places::only(0))), [2, 2]));
        assert!(limits[0].free_seat(first, SECOND));
        assert!(call(&limits, &together, SECOND, 4).is_ok());
        assert!(limits[0].free_seat(Seat::new(SECOND, 30, 2), SECOND));
        assert_eq!((call(&limits, &together, SECOND, 5), used()), (Err(Uncharged::Over(Places::only(1))), [1, 3]), "no place is taken");
        let state = limits[0].state(2 * SECOND);
        assert_eq!((state.remaining, state.reset_after), (1, 29));
        assert_eq!(limits[0].state(31 * SECOND).used, 0, "it ended by itself");
        assert_eq!(charge_all(&limits, &Till { seat: Seat::new(SECOND, 30, 6), ..till(&together) }, SECOND, 0), Ok(Places::NONE), "asking costs nothing");
        assert_eq!(used()[0], 1, "nor takes it a place: there is still the one of before, at this time");
    }

    /// How many of 4,000 calls by 8 threads in one second pass, and how many of them beyond the first limit.
    fn hammer(limits: &[Limit], at: i64) -> (usize, usize) {
        let (passed, beyond, together) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(()));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        if let Ok(places) = charge_all(limits, &till(&together), at, 1) {
                            passed.fetch_add(1, Ordering::Relaxed);
                            beyond.fetch_add(usize::from(places.has(0)), Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        (passed.into_inner(), beyond.into_inner())
    }

    #[test]
    fn exactly_the_limit_passes_under_concurrency() {
        for limits in [vec![limit(1000, 3600)], vec![limit(1000, 3600), limit(5000, 60)]] {
            assert_eq!(hammer(&limits, 10 * SECOND), (1000, 0));
        }
    }

    #[test]
    fn exactly_so_many_calls_pass_whatever_they_cost() {
        let by_units = limit(3_000, 3600);
        let by_calls = Limit { policy: Policy { max: 700, unit: LimitUnit::Calls, ..Policy::clone(&by_units.policy) }.into(), ..limit(0, 3600) };
        let (limits, together, passed) = ([by_units, by_calls], Mutex::new(()), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    (0..500).filter(|_| charge_all(&limits, &till(&together), SECOND, 3).is_ok()).for_each(|_| _ = passed.fetch_add(1, Ordering::Relaxed))
                });
            }
        });
        let used = || limits.each_ref().map(|limit| limit.state(SECOND).used);
        assert_eq!((passed.into_inner(), used()), (700, [2_100, 700]));
        assert_eq!((charge_all(&limits, &till(&together), SECOND, 3), used()), (Err(Uncharged::Over(Places::only(1))), [2_100, 700]));
        assert_eq!((charge_all(&limits, &till(&together), SECOND, 0), used()), (Ok(Places::NONE), [2_100, 700]), "asking takes nothing");
    }

    #[test]
    fn exactly_so_many_a_second_pass_beyond_a_throttle() {
        for others in [vec![], vec![limit(5000, 60)]] {
            let limits = [vec![of(1000, Window::HOUR, throttle(7))], others].concat();
            assert_eq!(hammer(&limits, 10 * SECOND), (1007, 7));
            assert_eq!(hammer(&limits, 11 * SECOND), (7, 7), "the next second");
            assert_eq!(limits[0].state(11 * SECOND).used, 1014);
            assert_eq!(hammer(&limits, 3_600 * SECOND), (1007, 7), "the next window");
        }
    }

    #[test]
    fn all_pass_beyond_a_mark_until_it_ends() {
        let end = time::OffsetDateTime::from_unix_timestamp(12).ok();
        let limits = [of(10, Window::HOUR, Over { until: end, ..Over::MARK })];
        assert_eq!(hammer(&limits, 11 * SECOND), (4000, 3990));
        assert_eq!(hammer(&limits, 12 * SECOND), (0, 0));
        assert_eq!(hammer(&limits, 3_600 * SECOND), (10, 0));
    }

    /// Prepaid credits of which this node holds all there are.
    fn credits(max: u64, over: Over) -> Limit {
        let limit = of(max, Window::Credits(Refill::PREPAID), over);
        let mut held = limit.counter.lease();
        let lease = held.get_or_insert_default();
        lease.of_credits(0);
        lease.turn(0, max);
        let request = lease.request(0, false, 1);
        lease.take(&request, max, 0, steady_millis() + 3_600_000); // so late that nobody asks again in this test
        drop(held);
        limit
    }

    #[test]
    fn what_passes_beyond_credits_takes_nothing_of_what_is_left() {
        for others in [vec![], vec![limit(5000, 60)]] {
            let limits = [vec![credits(10, Over::MARK)], others.clone()].concat();
            assert_eq!(hammer(&limits, SECOND), (4000, 3990));
            let state = limits[0].state(SECOND);
            assert_eq!((state.used, state.remaining), (4000, 0));
            let limits = [vec![credits(10, throttle(7))], others].concat();
            assert_eq!((hammer(&limits, SECOND), hammer(&limits, 2 * SECOND)), ((17, 7), (7, 7)));
            assert_eq!(limits[0].opens_after(&limits[0].state(2 * SECOND), 2 * SECOND, 1), 1, "though nothing comes back");
        }
        let (limits, together) = ([credits(10, Over::MARK)], Mutex::new(()));
        let passed = |cost| charge_all(&limits, &till(&together), SECOND, cost).map(|places| (places.has(0), limits[0].state(SECOND).remaining));
        assert_eq!([passed(8), passed(3), passed(2), passed(1)], [Ok((false, 2)), Ok((true, 2)), Ok((false, 0)), Ok((true, 0))]);
    }

    #[test]
    fn a_call_that_one_limit_refuses_passes_beyond_no_other() {
        let (marked, slowed) = (of(0, Window::DAY, Over::MARK), of(0, Window::HOUR, throttle(1)));
        let limits = [marked, slowed, limit(1, 60)];
        let together = Mutex::new(());
        let charge = |at| charge_all(&limits, &till(&together), at, 1);
        let passed = charge(0).expect("each lets it pass");
        assert_eq!([0, 1, 2].map(|place| passed.has(place)), [true, true, false]);
        let Err(Uncharged::Over(refusing)) = charge(0) else { panic!("the second is used up, and the last") };
        assert_eq!([0, 1, 2].map(|place| refusing.has(place)), [false, true, true]);
        assert!(charge(SECOND).is_err(), "the last refuses");
        assert_eq!(limits[0].state(SECOND).used, 1);
        assert_eq!(limits[1].throttle.as_ref().map(|t| t.state(SECOND).used), Some(0), "and the second was not charged");
    }

    #[test]
    fn a_refused_call_charges_no_other_limit_and_every_refusing_one_is_named() {
        let limits = [limit(10, 3600), limit(2, 3600), limit(2, 86_400)];
        let together = Mutex::new(());
        assert!(charge_all(&limits, &till(&together), 0, 1).is_ok());
        assert!(charge_all(&limits, &till(&together), 0, 1).is_ok());
        let Err(Uncharged::Over(violated)) = charge_all(&limits, &till(&together), 0, 1) else { panic!("it is used up") };
        assert_eq!([0, 1, 2, 40].map(|place| violated.has(place)), [false, true, true, false]);
        assert_eq!(limits[0].state(0).used, 2);
    }

    #[test]
    fn what_must_be_leased_is_asked_of_the_limit_or_of_its_throttle() {
        let (limits, leases, together) = ([of(5, Window::HOUR, throttle(2))], Leases::default(), Mutex::new(()));
        let till = Till { leases: &leases, holder: Uuid::nil(), together: &together, seat: Seat::default() };
        let Err(Uncharged::Wants(wants)) = charge_all(&limits, &till, 0, 3) else { panic!("nothing is leased") };
        assert_eq!(wants.of(&limits, 3).map(|(limit, need)| (limit.policy.max, need)).collect::<Vec<_>>(), [(5, 3)]);
        let Err(Uncharged::Wants(wants)) = charge_all(&limits, &till, 0, 6) else { panic!("it can never fit, so its throttle is asked") };
        assert_eq!(wants.of(&limits, 6).map(|(limit, need)| (limit.policy.max, need)).collect::<Vec<_>>(), [(2, 1)]);
    }

    #[test]
    fn where_nobody_answers_what_only_marks_lets_pass_and_charges_nothing() {
        let end = time::OffsetDateTime::from_unix_timestamp(12).ok();
        let marked = [of(5, Window::HOUR, Over { until: end, ..Over::MARK }), of(5, Window::Credits(Refill::PREPAID), Over::MARK)];
        let together_marked = of(2, Window::Concurrent(30), Over::MARK);
        let (leases, together) = (Leases::default(), Mutex::new(()));
        let till = Till { leases: &leases, holder: Uuid::nil(), together: &together, seat: Seat::new(0, 30, 1) };
        let charge = |limits: &[Limit], at: i64| charge_all(limits, &till, at, 3).map(|places| [0, 1].map(|place| places.has(place)));
        assert!(matches!(charge(&marked, 0), Err(Uncharged::Wants(_))), "first the table is asked");
        leases.is_unanswered();
        assert_eq!((charge(&marked, 0), charge(&[together_marked], 0)), (Ok([true, true]), Ok([true, false])));
        assert_eq!(marked.each_ref().map(|limit| (limit.state(0).used, limit.state(0).remaining)), [(3, 5); 2], "it is told, and takes nothing");
        let refusing = [marked[0].clone(), limit(5, 3600)];
        let Err(Uncharged::Wants(wants)) = charge(&refusing, 0) else { panic!("of the second nothing is known") };
        assert_eq!(wants.of(&refusing, 3).count(), 1, "and it alone is asked for");
        assert_eq!(refusing[0].state(0).used, 3);
        assert!(matches!(charge(&marked, 12 * SECOND), Err(Uncharged::Wants(_))), "by then it refuses");
        leases.is_answered();
        assert!(matches!(charge(&marked, 0), Err(Uncharged::Wants(_))));
    }

    /// A day has 86,400 seconds, and every few of them another month begins in these tests: 2026-01-30 and on.
    const JANUARY: i64 = 1_769_731_200 * SECOND;

    fn policies() -> impl Strategy<Value = Vec<(u64, Window, Over)>> {
        let rolling = (1u32..50).prop_map(|minutes| Window::Rolling(minutes * 60));
        let window = prop_oneof![(1u32..100).prop_map(Window::Seconds), Just(Window::HOUR), Just(Window::DAY), Just(Window::Month), rolling];
        let over = prop_oneof![2 => Just(Over::REFUSE), 1 => (1u32..4).prop_map(throttle), 1 => Just(Over::MARK)];
        proptest::collection::vec((0u64..20, window, over), 1..4)
    }

    proptest! {
        /// Against the obvious model: a map from window, or sixtieth of a rolling one, to what was used, for several limits that two keys
        /// share.
        #[test]
        fn it_equals_the_model(policies in policies(), steps in proptest::collection::vec((0i64..200_000, 0u32..4, any::<bool>()), 1..200)) {
            let limits: Vec<Limit> = policies.iter().map(|(max, window, over)| of(*max, *window, *over)).collect();
            let same_counters = limits.clone();
            let together = Mutex::new(());
            let mut now = JANUARY;
            let mut model = HashMap::<(usize, i64), u64>::new();
            let mut slowed = HashMap::<(usize, i64), u64>::new();
            for (ahead, cost, by_the_other) in steps {
                // Now and then several in a second.
                now += if ahead % 3 == 0 { 0 } else { ahead * SECOND / 7 };
                let second = now / SECOND;
                let at = time::OffsetDateTime::from_unix_timestamp(second).expect("a time");
                let slot = |place: usize| (place, match policies[place].1 {
                    Window::Seconds(seconds) => second / i64::from(seconds),
                    Window::Rolling(seconds) => second / i64::from(seconds / 60),
                    Window::Month | Window::Local(..) => i64::from(at.year()) * 12 + i64::from(u8::from(at.month())),
                    Window::Credits(_) | Window::Concurrent(_) => unreachable!("they have no windows"),
                });
                let used = |model: &HashMap<(usize, i64), u64>, place: usize| {
                    let newest = slot(place).1;
                    let oldest = if policies[place].1.is_rolling() { newest - 60 } else { newest };
                    (oldest..=newest).filter_map(|number| model.get(&(place, number))).sum::<u64>()
                };
                let is_beyond = |place: &usize| cost > 0 && used(&model, *place) + u64::from(cost) > policies[*place].0;
                let beyond: Vec<usize> = (0..policies.len()).filter(is_beyond).collect();
                let refuses = |place: &usize| match policies[*place].2.action {
                    OverAction::Refuse => true,
                    OverAction::Mark => false,
                    OverAction::Throttle { per_second } => slowed.get(&(*place, second)).copied().unwrap_or(0) >= u64::from(per_second),
                };
                let refusing: Vec<usize> = beyond.iter().copied().filter(refuses).collect();
                let places = |places: Places| (0..32).filter(|place| places.has(*place)).collect::<Vec<_>>();
                match charge_all(if by_the_other { &same_counters } else { &limits }, &till(&together), now, cost) {
                    Ok(passed) => {
                        prop_assert!(refusing.is_empty());
                        prop_assert_eq!(places(passed), beyond.clone());
                    }
                    Err(Uncharged::Wants(_)) => prop_assert!(false, "alone, there is nobody to ask"),
                    Err(Uncharged::Over(violated)) => prop_assert_eq!(places(violated), refusing.clone()),
                }
                for (place, limit) in limits.iter().enumerate() {
                    if refusing.is_empty() { *model.entry(slot(place)).or_default() += u64::from(cost); }
                    let used = used(&model, place);
                    prop_assert_eq!(limit.state(now).used, used);
                    prop_assert_eq!(limit.state(now).remaining, policies[place].0.saturating_sub(used));
                }
                if refusing.is_empty() {
                    beyond.iter().for_each(|place| *slowed.entry((*place, second)).or_default() += 1);
                }
            }
        }
    }
}
