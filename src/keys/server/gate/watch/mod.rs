//! Watching for abuse: three things are counted beside the answers, in memory, on each node for itself, by the minutes of the clock. Of
//! calls each node allows its even share, rounded up, so that all together allow what the rule does and hardly more; of networks the whole
//! number, since every node sees those of a key whose calls reach them all.
//!
//! The path of an answer only counts; where a number passes what its rule allows, a suspicion is put aside, once a window, for whoever
//! acts on it (`next`; the feature `blocks`). Rules that are off cost one atomic load. Memory is bounded whatever is sent (`places`):
//! about 1.3 MB, and 3 MB more while networks are counted.

mod places;

use super::{Gate, blocked::Target, record::Record};
use crate::{
    platform::networks::is_private,
    values::{AbuseRule, KeyId, Outcome},
};
use ipnet::IpNet;
pub use places::Places;
use places::Weight;
use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::sync::Notify;

/// Rows of eight addresses, and of eight keys.
const ROWS: usize = 2_048;
/// Rows of eight keys whose networks are counted.
const SPREAD_ROWS: usize = 512;
/// Suspicions that wait. One that finds no room is put aside again at the next call that is one too many.
const WAITING: usize = 1_024;

/// More than a rule allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suspicion {
    pub rule: AbuseRule,
    pub target: Target,
    /// Among how many nodes the number was divided.
    pub nodes: u32,
}

/// How often something was counted in its window, and whether that was told.
#[derive(Debug, Default)]
pub struct Count {
    calls: u32,
    is_told: bool,
}

impl Weight for Count {
    fn weight(&self) -> usize {
        usize::try_from(self.calls).unwrap_or(usize::MAX)
    }
}

/// What the rules allow, by `AbuseRule::ALL`; 0: the rule is off.
#[derive(Debug, Default)]
pub struct Limits([(u32, u32); 3]);

impl Limits {
    /// At most so many in so many minutes.
    pub fn set(&mut self, rule: AbuseRule, most: u32, minutes: u32) {
        self.0[rule as usize] = (most, minutes.max(1));
    }
}

/// One rule as it is in force.
#[derive(Default)]
struct Rule {
    most: AtomicU32,
    minutes: AtomicU32,
}

pub struct Watch {
    rules: [Rule; 3],
    unknown: Places<Count>,
    refusals: Places<Count>,
    networks: Places<Vec<u64>>,
    waiting: Mutex<VecDeque<Suspicion>>,
    wake: Notify,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            rules: Default::default(),
            unknown: Places::new(ROWS),
            refusals: Places::new(ROWS),
            networks: Places::new(SPREAD_ROWS),
            waiting: Mutex::default(),
            wake: Notify::new(),
        }
    }
}

impl Watch {
    /// Takes the rules as they are now.
    pub fn obey(&self, limits: &Limits) {
        for (rule, (most, minutes)) in self.rules.iter().zip(limits.0) {
            rule.minutes.store(minutes, Ordering::Relaxed);
            rule.most.store(most, Ordering::Relaxed);
        }
    }

    /// Waits for a suspicion.
    pub async fn next(&self) -> Suspicion {
        loop {
            if let Some(suspicion) = self.take() {
                return suspicion;
            }
            self.wake.notified().await;
        }
    }

    /// The oldest suspicion that nobody has taken.
    pub fn take(&self) -> Option<Suspicion> {
        self.waiting().pop_front()
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Suspicion>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// False if there is no room.
    fn suspect(&self, suspicion: Suspicion) -> bool {
        let mut waiting = self.waiting();
        let has_room = waiting.len() < WAITING;
        if has_room {
            waiting.push_back(suspicion);
            drop(waiting);
            self.wake.notify_one();
        }
        has_room
    }

    /// What the rule allows, and the number of its present window; none if it is off.
    fn window(&self, rule: AbuseRule, now_micros: i64) -> Option<(u32, u32)> {
        let settings = &self.rules[rule as usize];
        let most = settings.most.load(Ordering::Relaxed);
        if most == 0 {
            return None;
        }
        let length = i64::from(settings.minutes.load(Ordering::Relaxed).max(1)) * 60_000_000;
        Some((most, u32::try_from(now_micros.div_euclid(length)).unwrap_or(0)))
    }

    /// Tells when a count passes this node's share of what is allowed: once a window, or as soon as there is room.
    fn counts(&self, places: &Places<Count>, key: u128, now_micros: i64, suspicion: Suspicion) {
        let Some((most, window)) = self.window(suspicion.rule, now_micros) else { return };
        let share = most.div_ceil(suspicion.nodes.max(1));
        let passes = places.change(key, window, |count| {
            count.calls = count.calls.saturating_add(1);
            count.calls > share && !std::mem::replace(&mut count.is_told, true)
        });
        if passes && !self.suspect(suspicion) {
            places.change(key, window, |count| count.is_told = false);
        }
    }

    /// Tells when a key is used from one network more than is allowed: once a window, or as soon as there is room.
    fn spreads(&self, key: KeyId, address: IpAddr, now_micros: i64) {
        let Some((most, window)) = self.window(AbuseRule::Spread, now_micros) else { return };
        let most = usize::try_from(most.min(AbuseRule::Spread.highest())).unwrap_or(0);
        let network = self.networks.hash(bits(network(address, 24, 48)));
        let passes = self.networks.change(key.uuid().as_u128(), window, |seen| {
            if seen.len() > most || seen.contains(&network) {
                return false;
            }
            seen.push(network);
            seen.len() > most
        });
        if passes && !self.suspect(Suspicion { rule: AbuseRule::Spread, target: Target::Key(key), nodes: 1 }) {
            self.networks.change(key.uuid().as_u128(), window, |seen| _ = seen.pop());
        }
    }
}

impl Gate {
    /// What it suspects.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// How many nodes divide what is divided, this one included.
    pub fn nodes(&self) -> u32 {
        self.leases.nodes()
    }

    /// True for addresses that no block holds: loopback, the trusted proxies, and what operators name.
    pub fn is_exempt(&self, address: IpAddr) -> bool {
        self.blocked.is_exempt(address)
    }

    /// Counts a secret that no key has, or that is none. From a private address it is not counted: operators may block one, a rule does not.
    pub(super) fn watch_unknown(&self, address: Option<IpAddr>, now_micros: i64) {
        let Some(address) = address.map(|a| a.to_canonical()) else { return };
        if self.blocked.is_exempt(address) || is_private(address) {
            return;
        }
        let network = network(address, 32, 64);
        let suspicion = Suspicion { rule: AbuseRule::UnknownKeys, target: Target::Network(network), nodes: self.leases.nodes() };
        self.watch.counts(&self.watch.unknown, bits(network), now_micros, suspicion);
    }

    /// Counts a call of a known key. What a block refuses is not counted again, nor what anybody could send who once had a secret of it.
    pub(super) fn watch_call(&self, record: &Record, address: Option<IpAddr>, outcome: Outcome, now_micros: i64) {
        let key = record.facts.key;
        let is_refused = matches!(outcome, Outcome::Forbidden | Outcome::WrongApi | Outcome::RateLimited | Outcome::QuotaExceeded);
        if is_refused {
            let suspicion = Suspicion { rule: AbuseRule::Refusals, target: Target::Key(key), nodes: self.leases.nodes() };
            self.watch.counts(&self.watch.refusals, key.uuid().as_u128(), now_micros, suspicion);
        }
        if outcome == Outcome::Valid
            && let Some(address) = address
        {
            self.watch.spreads(key, address.to_canonical(), now_micros);
        }
    }
}

/// The network around an address: so many bits of IPv4, so many of IPv6.
fn network(address: IpAddr, v4: u8, v6: u8) -> IpNet {
    let length = if address.is_ipv4() { v4 } else { v6 };
    IpNet::new(address, length).map_or_else(|_| address.into(), |network| network.trunc())
}

fn bits(network: IpNet) -> u128 {
    match network.addr() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const MINUTE: i64 = 60_000_000;

    fn watch(rule: AbuseRule, most: u32, minutes: u32) -> Watch {
        let (watch, mut limits) = (Watch::default(), Limits::default());
        limits.set(rule, most, minutes);
        watch.obey(&limits);
        watch
    }

    /// How often a target is told of while it is counted so many times.
    fn told(watch: &Watch, target: u128, times: usize, nodes: u32, now: i64) -> usize {
        let suspicion = Suspicion { rule: AbuseRule::Refusals, target: Target::Key(KeyId::new(Uuid::from_u128(target))), nodes };
        (0..times).for_each(|_| watch.counts(&watch.refusals, target, now, suspicion));
        std::iter::from_fn(|| watch.take()).filter(|taken| *taken == suspicion).count()
    }

    #[test]
    fn a_rule_fires_once_a_window_beyond_what_it_allows() {
        let watch = watch(AbuseRule::Refusals, 3, 1);
        assert_eq!((told(&watch, 7, 3, 1, MINUTE), told(&watch, 7, 1, 1, MINUTE), told(&watch, 7, 6, 1, MINUTE)), (0, 1, 0));
        assert_eq!(told(&watch, 7, 10, 1, 2 * MINUTE - 1), 0, "the same minute");
        assert_eq!(told(&watch, 7, 10, 1, 2 * MINUTE), 1, "a new one");
        let off = Watch::default();
        assert_eq!(told(&off, 7, 10, 1, MINUTE), 0, "a rule that is off");
    }

    #[test]
    fn nodes_divide_what_is_allowed() {
        let watch = watch(AbuseRule::Refusals, 10, 1);
        for (target, nodes, share) in [(1, 1, 10), (2, 2, 5), (3, 3, 4), (4, 10, 1), (5, 20, 1), (6, 0, 10)] {
            assert_eq!((told(&watch, target, share, nodes, MINUTE), told(&watch, target, 1, nodes, MINUTE)), (0, 1), "on {nodes}");
        }
        assert_eq!((told(&watch, 7, 8, 1, MINUTE), told(&watch, 7, 1, 2, MINUTE)), (0, 1), "a node that joins is no way around it");
    }

    #[test]
    fn concurrent_counts_fire_once() {
        let watch = watch(AbuseRule::UnknownKeys, 500, 1);
        let suspicion = Suspicion { rule: AbuseRule::UnknownKeys, target: Target::Key(KeyId::new(Uuid::from_u128(7))), nodes: 1 };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..1_000).for_each(|_| watch.counts(&watch.unknown, 7, MINUTE, suspicion)));
            }
        });
        assert_eq!((watch.take(), watch.take()), (Some(suspicion), None));
    }

    #[test]
    fn networks_are_counted_once_each() {
        let watch = watch(AbuseRule::Spread, 2, 10);
        let key = KeyId::new(Uuid::from_u128(7));
        let uses = |address: &str, now| {
            watch.spreads(key, address.parse().expect("an address"), now);
            watch.take().is_some()
        };
        assert!(!uses("192.0.2.1", MINUTE) && !uses("192.0.2.200", MINUTE) && !uses("2001:db8:1:1::1", MINUTE), "two networks");
        assert!(!uses("2001:db8:1:2::1", 9 * MINUTE), "the same /48");
        assert!(uses("198.51.100.1", 9 * MINUTE), "the third");
        assert!(!uses("203.0.113.1", 9 * MINUTE), "told already");
        assert!(!uses("203.0.113.1", 10 * MINUTE), "a new window");
    }

    #[test]
    fn suspicions_that_nobody_takes_do_not_pile_up_and_none_is_lost() {
        let watch = watch(AbuseRule::Refusals, 1, 1);
        let key = |n: u128| KeyId::new(Uuid::from_u128(n));
        for n in 0..WAITING as u128 {
            watch.suspect(Suspicion { rule: AbuseRule::Spread, target: Target::Key(key(n)), nodes: 1 });
        }
        let late = Suspicion { rule: AbuseRule::Refusals, target: Target::Key(key(7)), nodes: 1 };
        let again = || watch.counts(&watch.refusals, 7, MINUTE, late);
        (0..5).for_each(|_| again());
        assert_eq!(watch.waiting().len(), WAITING);
        assert_eq!(std::iter::from_fn(|| watch.take()).filter(|taken| *taken == late).count(), 0);
        (0..5).for_each(|_| again());
        assert_eq!((watch.take(), watch.take()), (Some(late), None), "there is room now");
    }
}
