//! The table under concurrency: one counter of a limit whatever comes first, one record of a key however it is put.

use super::*;
use crate::{
    keys::{
        model::{Level, LimitUnit, Over},
        server::{
            gate::{
                charging::charge_all,
                facts::{End, Home, Rights, SecretFacts, Secrets, Seen},
                leases::Leases,
                limit::{Policy, Till},
                seats::Seat,
                shared::Groups,
                waits::Waits,
            },
            meter::Hint,
        },
    },
    values::{AccountId, SecretId, WorkspaceId},
};
use std::sync::Barrier;

/// Limits of an hour, by name.
fn hourly(limits: &[(&str, u64)]) -> Arc<Allowance> {
    let policy =
        |(name, max): &(&str, u64)| Arc::new(Policy { name: (*name).into(), max: *max, window: Window::HOUR, unit: LimitUnit::Units, over: Over::REFUSE });
    Arc::new(Allowance::new(Arc::default(), None, Level::Key, limits.iter().map(policy).collect()))
}

fn hash(n: u128) -> [u8; 32] {
    let mut hash = [7; 32];
    hash[..16].copy_from_slice(&n.to_be_bytes());
    hash
}

fn secret(n: u128) -> SecretFacts {
    SecretFacts {
        id: SecretId::new(Uuid::from_u128(n)),
        hash: hash(n),
        ends: End::NEVER,
        origin: Origin::Own,
        seen: Seen::default(),
        waits: Waits::stored(false),
    }
}

fn facts(n: u128, allowance: &Arc<Allowance>) -> KeyFacts {
    let nobody = Uuid::nil();
    let (owner, workspace, api) = (AccountId::new(nobody), WorkspaceId::new(nobody), ApiId::new(nobody));
    KeyFacts {
        key: KeyId::new(Uuid::from_u128(n)),
        home: Arc::new(Home { owner, workspace, api, api_slug: "demo".into(), banned_until: None }),
        rights: Arc::new(Rights { permissions: Box::default(), addresses: Box::default(), origins: Box::default(), routes: None }),
        allowance: Arc::clone(allowance),
        expires: End::NEVER,
        secrets: Secrets::One(secret(n)),
        rare: None,
        standing: Standing::Active,
        awaits_first_use: false,
        hint: Hint::default(),
    }
}

/// Puts a key; how many limits are said to begin although it was there.
fn put(table: &Table, facts: KeyFacts) -> usize {
    let mut begun = 0;
    table.put(facts.key, |replaced| Record::new(facts, &Groups::default(), replaced, |_, _| begun += 1));
    begun
}

/// One call, as the gate decides it.
fn passes(table: &Table, leases: &Leases, n: u128) -> bool {
    let record = table.by_secret(hash(n)).expect("it is known");
    let counted = record.counted().unwrap_or_else(|| table.begin(&record));
    let till = Till { leases, holder: record.holder(), together: &counted.together, seat: Seat::new(7_200_000_000, 30, 1) };
    charge_all(&counted.limits, &till, 7_200_000_000, 1).is_ok()
}

const THREADS: usize = 20;

/// All begin at once and call a key so often, while `meanwhile` is done; how many calls passed.
fn called_at_once(table: &Table, n: u128, calls: usize, meanwhile: impl FnOnce()) -> usize {
    let (leases, passed, begin) = (Leases::alone(), AtomicUsize::new(0), Barrier::new(THREADS + 1));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                begin.wait();
                for _ in 0..calls {
                    passed.fetch_add(usize::from(passes(table, &leases, n)), Ordering::Relaxed);
                }
            });
        }
        begin.wait();
        meanwhile();
    });
    passed.into_inner()
}

#[test]
fn first_calls_at_once_count_by_one_counter() {
    let (table, allowance) = (Table::default(), hourly(&[("hour", 7)]));
    for n in 0..100 {
        put(&table, facts(n, &allowance));
        assert_eq!(called_at_once(&table, n, 1, || ()), 7, "of {THREADS} threads, in round {n}");
    }
}

#[test]
fn first_calls_of_a_key_that_changes_count_by_one_counter() {
    let (table, one, two) = (Table::default(), hourly(&[("hour", 57)]), hourly(&[("hour", 57), ("more", 1_000_000)]));
    for n in 0..100 {
        put(&table, facts(n, &one));
        let change = || {
            for _ in 0..5 {
                put(&table, facts(n, &two));
                put(&table, facts(n, &one));
            }
        };
        assert_eq!(called_at_once(&table, n, 5, change), 57, "whichever record a call holds, in round {n}");
    }
}

#[test]
fn calls_while_what_many_keys_share_changes_count_by_one_counter() {
    for n in 0..100 {
        let (table, first) = (Table::default(), hourly(&[("hour", 57)]));
        put(&table, facts(n, &first));
        let change = || {
            let mut present = Arc::clone(&first);
            for limits in [&[("hour", 57), ("more", 1_000_000)][..], &[("hour", 57)]].into_iter().cycle().take(6) {
                let next = hourly(limits);
                present.end(Arc::clone(&next));
                present = next;
            }
        };
        assert_eq!(called_at_once(&table, n, 5, change), 57, "whichever record a call finds, in round {n}");
    }
}

#[test]
fn every_key_goes_on_with_what_it_counted_whether_it_is_called_or_has_its_turn() {
    let (table, first, next) = (Table::default(), hourly(&[("hour", 9)]), hourly(&[("hour", 3), ("more", 5)]));
    for n in 1..=1_000 {
        put(&table, facts(n, &first));
    }
    let leases = Leases::alone();
    assert!(passes(&table, &leases, 1) && passes(&table, &leases, 2));
    let held = Arc::downgrade(&first);
    first.end(Arc::clone(&next));
    drop(first);
    let outdated = || (0..table.shards()).map(|shard| table.outdated(shard).len()).sum::<usize>();
    assert_eq!((outdated(), table.begun().keys().len()), (1_000, 0), "nothing was looked at");

    assert_eq!([(); 3].map(|()| passes(&table, &leases, 1)), [true, true, false], "one was used of three");
    assert_eq!((outdated(), table.begun().keys().len()), (999, 1), "what it used before is added to the limit that is new");
    for key in (0..table.shards()).flat_map(|shard| table.outdated(shard)) {
        assert!(table.by_id(key).is_some());
    }
    assert_eq!((outdated(), table.begun().keys().len()), (0, 1_000));
    assert!(held.upgrade().is_none(), "what is over is forgotten");
    let record = table.by_secret(hash(2)).expect("it is known");
    assert_eq!(record.limit_states(7_200_000_000).iter().map(|state| (state.limit, state.used)).collect::<Vec<_>>(), [(3, 1), (5, 0)]);
    table.put_under(KeyId::new(Uuid::from_u128(2)), hourly(&[("hour", 4)]));
    let record = table.by_secret(hash(2)).expect("it is known");
    assert_eq!(record.limit_states(7_200_000_000).iter().map(|state| (state.limit, state.used)).collect::<Vec<_>>(), [(4, 1)]);
}

#[test]
fn a_key_that_was_not_called_counts_nothing_and_shows_all_of_its_limits() {
    let (table, allowance) = (Table::default(), hourly(&[("hour", 9)]));
    assert_eq!(put(&table, facts(1, &allowance)), 0);
    let record = table.by_id(KeyId::new(Uuid::from_u128(1))).expect("it is known");
    let states = record.limit_states(7_200_000_000);
    assert_eq!((states[0].limit, states[0].used, states[0].remaining), (9, 0, 9));
    assert!(record.counted().is_none());
    table.each_counted(|record, _| panic!("{record:?} was not called"));

    assert!(passes(&table, &Leases::alone(), 1));
    assert_eq!(record.limit_states(7_200_000_000)[0].used, 1);
    let mut counted = 0;
    table.each_counted(|_, _| counted += 1);
    assert_eq!(counted, 1);
}

#[test]
fn keys_of_a_workspace_count_by_the_same_and_keep_it_once() {
    let (table, groups, leases) = (Table::default(), Groups::default(), Leases::alone());
    let together = Arc::new(Allowance::new(Arc::default(), None, Level::Workspace, Arc::clone(&hourly(&[("hour", 3)]).limits)));
    for n in 1..=2 {
        let facts = facts(n, &together);
        table.put(facts.key, |replaced| Record::new(facts, &groups, replaced, |_, _| ()));
    }
    let [one, two] = [1, 2].map(|n| table.by_id(KeyId::new(Uuid::from_u128(n))).expect("it is known"));
    assert!(std::ptr::eq(one.counted().expect("from the start"), two.counted().expect("from the start")));
    assert_eq!([1, 2, 1, 2].map(|n| passes(&table, &leases, n)), [true, true, true, false]);
}

#[test]
fn only_a_limit_that_is_new_for_a_known_key_begins() {
    let table = Table::default();
    assert_eq!(put(&table, facts(1, &hourly(&[("hour", 9)]))), 0, "a new key has used nothing");
    assert_eq!(put(&table, facts(1, &hourly(&[("hour", 8)]))), 0, "the same limit allows less");
    assert_eq!(put(&table, facts(1, &hourly(&[("hour", 8), ("more", 5)]))), 1, "another limit, before any call");
    assert!(passes(&table, &Leases::alone(), 1));
    assert_eq!(put(&table, facts(1, &hourly(&[("more", 5), ("most", 5)]))), 1);
    let record = table.by_id(KeyId::new(Uuid::from_u128(1))).expect("it is known");
    assert_eq!(record.limit_states(7_200_000_000).iter().map(|state| state.used).collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn places_stay_taken_when_they_may_last_for_another_time() {
    let (table, leases) = (Table::default(), Leases::alone());
    let lasting = |seconds| {
        let policy = Policy { name: "at once".into(), max: 1, window: Window::Concurrent(seconds), unit: LimitUnit::Units, over: Over::REFUSE };
        Arc::new(Allowance::new(Arc::default(), None, Level::Key, Arc::new([Arc::new(policy)])))
    };
    assert_eq!(put(&table, facts(1, &lasting(30))), 0);
    assert_eq!(put(&table, facts(1, &lasting(40))), 0, "the same places, before any call");
    assert_eq!([(); 2].map(|()| passes(&table, &leases, 1)), [true, false]);
    assert_eq!(put(&table, facts(1, &lasting(60))), 0, "the same places, after it");
    assert!(!passes(&table, &leases, 1), "it is still taken");
    let record = table.by_id(KeyId::new(Uuid::from_u128(1))).expect("it is known");
    assert_eq!(record.limit_states(7_200_000_000)[0].used, 1);
}

#[test]
fn what_is_added_at_a_start_is_found_by_all_its_secrets_at_the_end() {
    let (table, allowance) = (Table::default(), hourly(&[("hour", 9)]));
    for n in 1..=1_000 {
        table.add(Record::first(KeyFacts { secrets: Secrets::default(), ..facts(n, &allowance) }));
    }
    for n in (1..=1_000).chain(5_000..5_010) {
        table.amend(KeyId::new(Uuid::from_u128(n % 4_999)), |facts| facts.secrets = std::mem::take(&mut facts.secrets).and(secret(n)));
    }
    assert!(table.by_secret(hash(7)).is_none(), "not yet");
    let mut shown = 0;
    table.publish(|_| shown += 1);
    assert_eq!((shown, table.len()), (1_000, 1_000));
    for n in 1..=1_000 {
        assert_eq!(table.by_secret(hash(n)).expect("by its first").facts.key.uuid().as_u128(), n);
    }
    for n in 5_000..5_010 {
        assert_eq!(table.by_secret(hash(n)).expect("by its second").facts.key.uuid().as_u128(), n % 4_999);
    }
}

/// Its key may come, grow with others into another array, and go between: what is found is what stands there then.
#[test]
fn what_was_foreseen_is_found_as_it_is_when_it_is_asked() {
    let (table, allowance) = (Table::default(), hourly(&[("hour", 9)]));
    let places: Vec<u64> = (1..=5_000).map(|n| table.place(&hash(n))).collect();
    let found = |n: u128| table.by_secret_at(places[usize::try_from(n).unwrap() - 1], hash(n)).map(|record| record.facts.key.uuid().as_u128());
    let peeked = |n: u128| {
        let mut shown = None;
        table.expect(places[usize::try_from(n).unwrap() - 1]);
        table.peek(places[usize::try_from(n).unwrap() - 1], |record| shown = Some(record.facts.key.uuid().as_u128()));
        shown
    };
    for n in 1..=5_000 {
        assert_eq!((peeked(n), found(n)), (None, None), "not yet");
        put(&table, facts(n, &allowance));
        assert_eq!(peeked(n), Some(n));
    }
    assert!((1..=5_000).all(|n| found(n) == Some(n)));
    table.remove(KeyId::new(Uuid::from_u128(7)));
    assert_eq!(peeked(7), None, "it is gone");
    assert_eq!((found(7), found(8)), (None, Some(8)));
    assert!(table.by_secret_at(places[7], hash(9)).is_none(), "another secret has another place");
}

/// What `record` says that a key costs, and how few entries move at once: those of a shard, when it doubles.
#[test]
fn a_key_and_a_shard_are_as_small_as_the_docs_say() {
    use std::mem::size_of;
    assert_eq!((size_of::<Record>(), size_of::<Option<(u64, Arc<Record>)>>(), size_of::<Counted>()), (144, 16, 40));
    let (table, allowance) = (Table::default(), hourly(&[("hour", 9)]));
    let count = 64_000;
    for n in 0..count {
        table.add(Record::first(facts(n, &allowance)));
    }
    let largest = table.by_id.iter().map(|shard| read(shard).len()).max().expect("shards");
    assert!(largest < 300, "{largest} of {count} in one of {SHARDS} shards");
}

#[test]
fn places_that_keys_share_are_told_once_when_another_node_comes() {
    let (table, groups, leases) = (Table::default(), Groups::default(), Leases::alone());
    let policy = Arc::new(Policy { name: "together".into(), max: 5, window: Window::Concurrent(30), unit: LimitUnit::Units, over: Over::REFUSE });
    let allowance = Arc::new(Allowance::new(Arc::default(), None, Level::Workspace, Arc::new([policy])));
    for n in 1..=3 {
        let facts = facts(n, &allowance);
        table.put(facts.key, |replaced| Record::new(facts, &groups, replaced, |_, _| ()));
    }
    assert!(passes(&table, &leases, 1));
    assert_eq!(leases.begin_sharing(&table, 7_200_000_000).telling(), 1);
}

#[test]
fn a_record_made_anew_takes_no_other_keys_place() {
    let (table, before, after) = (Table::default(), hourly(&[("hour", 9)]), hourly(&[("hour", 8)]));
    let of = |n: u128| KeyId::new(Uuid::from_u128(n));
    put(&table, facts(1, &before));
    // The secret of a key that is gone, imported again: the new key is read before the old one is forgotten.
    put(&table, KeyFacts { secrets: Secrets::One(secret(1)), ..facts(2, &after) });
    before.end(Arc::clone(&after));
    assert_eq!(table.by_id(of(1)).expect("not forgotten yet").policies()[0].max, 8);
    assert_eq!(table.by_secret(hash(1)).expect("it is found").facts.key, of(2));
    table.remove(of(1));
    assert_eq!(table.by_secret(hash(1)).expect("it is found still").facts.key, of(2));
}

/// One call in each of these windows.
fn windows(windows: &[Window]) -> Arc<Allowance> {
    let policy = |window: &Window| Arc::new(Policy { name: window.to_string().into(), max: 1, window: *window, unit: LimitUnit::Units, over: Over::REFUSE });
    Arc::new(Allowance::new(Arc::default(), None, Level::Key, windows.iter().map(policy).collect()))
}

/// However a key came by it.
#[test]
fn a_window_of_less_than_a_minute_is_known() {
    let (long, short) = (windows(&[Window::Seconds(60), Window::Rolling(30)]), windows(&[Window::HOUR, Window::Seconds(59)]));
    let [put_so, put_under, added] = [(); 3].map(|()| Table::default());
    for table in [&put_so, &put_under] {
        put(table, facts(1, &long));
        assert!(!table.knows_short_windows());
    }
    put(&put_so, facts(1, &short));
    put_under.put_under(KeyId::new(Uuid::from_u128(1)), Arc::clone(&short));
    added.add(Record::first(facts(1, &short)));
    added.publish(|_| ());
    assert!([&put_so, &put_under, &added].iter().all(|table| table.knows_short_windows()));
}

#[test]
fn keys_are_found_by_the_windows_that_are_asked_for() {
    let table = Table::default();
    let rolling = Window::Rolling(60);
    put(&table, facts(1, &windows(&[rolling, Window::HOUR, rolling])));
    put(&table, facts(2, &windows(&[Window::HOUR])));
    put(&table, facts(3, &windows(&[Window::Rolling(120), rolling])));
    let mut found = table.keys_by(Window::is_rolling);
    found.values_mut().for_each(|keys| keys.sort_unstable());
    let keys = |keys: &[u128]| keys.iter().map(|n| Uuid::from_u128(*n)).collect::<Vec<_>>();
    assert_eq!(found, HashMap::from([(rolling, keys(&[1, 3])), (Window::Rolling(120), keys(&[3]))]));
}
