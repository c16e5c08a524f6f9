//! One limit, alone: windows, what passes beyond, and rolling ones.

use super::*;
use std::sync::{LazyLock, atomic::AtomicU64};

fn limit(max: u64, seconds: u32) -> Limit {
    let policy = Policy { name: "t".into(), max, window: Window::Seconds(seconds), unit: LimitUnit::Units, over: Over::REFUSE };
    Limit { policy: policy.into(), counter: Arc::default(), throttle: None }
}
const SECOND: i64 = 1_000_000;

/// A node that is alone.
static ALONE: LazyLock<Leases> = LazyLock::new(Leases::alone);
fn till(together: &Mutex<()>) -> Till<'_> {
    Till { leases: &ALONE, holder: Uuid::nil(), together, seat: Seat::default() }
}

#[test]
fn a_window_ends_where_it_said() {
    let l = limit(1, 3600);
    let (at, lock) = (3_599 * SECOND, Mutex::new(()));
    assert_eq!(l.charge(&till(&lock), at, 1), Fit::Fits);
    assert_eq!(l.charge(&till(&lock), at, 1), Fit::Over);
    assert_eq!(l.state(at).reset_after, 1);
    assert_eq!(l.charge(&till(&lock), at + SECOND, 1), Fit::Fits);
    assert_eq!(l.state(3_600 * SECOND).reset_after, 3_600);
}

#[test]
fn a_clock_that_goes_back_gives_nothing_twice() {
    let (l, lock) = (limit(1, 60), Mutex::new(()));
    assert_eq!(l.charge(&till(&lock), 120 * SECOND, 1), Fit::Fits);
    assert_eq!(l.charge(&till(&lock), 30 * SECOND, 1), Fit::Over);
}

#[test]
fn zones_have_slots_of_their_own() {
    let l = limit(1, 86_400);
    let policy = Policy { window: Window::fixed(86_400, "Europe/Stockholm"), ..Policy::clone(&l.policy) };
    assert_eq!(&*l.slot(Uuid::nil()).name, "t");
    assert_eq!(&*Limit { policy: policy.into(), ..l }.slot(Uuid::nil()).name, "t@Europe/Stockholm");
}

#[test]
fn what_passed_beyond_is_told_and_leaves_no_room() {
    let (l, lock) = (limit(10, 3600), Mutex::new(()));
    assert_eq!(l.charge(&till(&lock), 0, 8), Fit::Fits);
    l.count_beyond(0, 4);
    assert_eq!((l.state(0).used, l.state(0).remaining), (12, 0));
    assert_eq!([1, 0].map(|cost| l.charge(&till(&lock), 0, cost)), [Fit::Over, Fit::Fits], "asking costs nothing");

    let mut told = Vec::new();
    l.counter.hand_over(10, |number, used| told.push((number, used)));
    assert_eq!(told, [(0, 12)], "all of it counts as given out");
    l.count_beyond(0, 3);
    assert_eq!((l.state(0).used, l.state(0).remaining), (15, 0));
}

fn rolling(max: u64, seconds: u32) -> Limit {
    let l = limit(max, seconds);
    let policy = Policy { window: Window::Rolling(seconds), ..Policy::clone(&l.policy) };
    Limit { policy: policy.into(), ..l }
}

#[test]
fn a_rolling_window_gives_back_what_is_older_than_itself() {
    let (l, lock) = (rolling(10, 60), Mutex::new(()));
    assert_eq!(l.charge(&till(&lock), 100 * SECOND, 6), Fit::Fits);
    assert_eq!(l.charge(&till(&lock), 130 * SECOND, 5), Fit::Over);
    assert_eq!(l.charge(&till(&lock), 130 * SECOND, 4), Fit::Fits);
    let state = l.state(140 * SECOND);
    assert_eq!((state.used, state.remaining, state.reset_after, state.length), (10, 0, 21, 60), "from the second 161 on");
    assert_eq!([1, 6, 7, 11].map(|cost| l.opens_after(&state, 140 * SECOND, cost)), [21, 21, 51, 0], "eleven never fit");
    assert_eq!(l.charge(&till(&lock), 160 * SECOND, 1), Fit::Over);
    assert_eq!(l.charge(&till(&lock), 161 * SECOND, 6), Fit::Fits);
    assert_eq!(l.charge(&till(&lock), 161 * SECOND, 1), Fit::Over);
    assert_eq!(l.charge(&till(&lock), 30 * SECOND, 1), Fit::Over, "a clock that goes back gives nothing twice");
}

#[test]
fn a_rolling_window_is_handed_over_part_by_part() {
    let (l, lock) = (rolling(10, 60), Mutex::new(()));
    for at in [100, 130, 130] {
        assert_eq!(l.charge(&till(&lock), at * SECOND, 2), Fit::Fits);
    }
    l.count_beyond(130 * SECOND, 1);
    l.give_back(130 * SECOND, 1);
    assert!(l.resume_parts(&ALONE, 130 * SECOND, &[(60, 5), (110, 1), (131, 1)]), "the first is too old, the last counts as of now");
    let mut told = Vec::new();
    l.counter.hand_over(10, |part, used| told.push((part, used)));
    assert_eq!(told, [(100, 2), (110, 1), (130, 5)]);
    assert_eq!((l.state(130 * SECOND).limit, l.counted_alone(130 * SECOND)), (10, None));
}

#[test]
fn a_rolling_window_is_taken_over_once_and_while_that_may_be() {
    let (l, lock, shared) = (rolling(10, 60), Mutex::new(()), Leases::default());
    let till = Till { leases: &shared, holder: Uuid::nil(), together: &lock, seat: Seat::default() };
    let charge = |at: i64, cost| l.charge(&till, at * SECOND, cost);
    assert_eq!(charge(100, 1), Fit::Wants);
    let ring = Ring::of(100, [(30, 9), (90, 4), (100, 3)]);
    assert!(!l.counter.take_over_ring(|| false, ring.clone()));
    assert_eq!((l.counted_alone(100 * SECOND), charge(100, 1)), (None, Fit::Wants));
    assert!(l.counter.take_over_ring(|| true, ring.clone()));
    assert_eq!([4, 3, 1].map(|cost| charge(100, cost)), [Fit::Over, Fit::Fits, Fit::Over]);
    assert!(!l.counter.take_over_ring(|| true, ring), "it counts alone already");
    assert_eq!([charge(150, 1), charge(151, 4), charge(151, 1)], [Fit::Over, Fit::Fits, Fit::Over], "each part counts for sixty more");
}

#[test]
fn a_window_is_taken_over_with_what_was_given_out_of_it() {
    let (l, lock, shared) = (limit(10, 60), Mutex::new(()), Leases::default());
    let till = Till { leases: &shared, holder: Uuid::nil(), together: &lock, seat: Seat::default() };
    let charge = |at: i64, cost| l.charge(&till, at * SECOND, cost);
    assert_eq!(charge(120, 1), Fit::Wants);
    assert!(!l.counter.take_over(|| false, 2, 7) && !l.counter.take_over(|| true, 1, 7), "not alone any more; another window");
    assert_eq!((l.counted_alone(120 * SECOND), charge(120, 1)), (None, Fit::Wants));
    l.count_beyond(120 * SECOND, 1);
    assert!(l.counter.take_over(|| true, 2, 7));
    assert_eq!([3, 2, 1].map(|cost| charge(121, cost)), [Fit::Over, Fit::Fits, Fit::Over], "7 were given out, and 1 passed beyond");
    assert!(!l.counter.take_over(|| true, 2, 7), "it counts alone already");
    assert_eq!(charge(180, 10), Fit::Fits, "the next minute is its own");
}

#[test]
fn what_passed_beyond_is_counted_once_however_often_nodes_come_and_go() {
    let l = limit(10, 3_600);
    assert!(l.resume(&ALONE, 0, 15));
    for _ in 0..3 {
        let mut told = Vec::new();
        l.counter.hand_over(10, |number, used| told.push((number, used)));
        assert_eq!(told, [(0, 15)]);
        assert!(l.counter.take_over(|| true, 0, 15));
        assert_eq!(l.state(0).used, 15);
    }
}

#[test]
fn of_a_rolling_limit_exactly_that_passes_under_any_concurrency() {
    let (l, passed) = (rolling(300, 3_600), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let lock = Mutex::new(());
                for _ in 0..500 {
                    let fits = l.charge(&till(&lock), 7_200 * SECOND, 1) == Fit::Fits;
                    passed.fetch_add(u64::from(fits), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(passed.load(Ordering::Relaxed), 300);
}
