//! Watching for abuse: three things are counted beside the answers, in memory, on each node for itself, by the minutes of the clock.
//!
//! The path of an answer only counts; where a number passes what its rule allows, a suspicion is put aside, once a window, for whoever
//! acts on it (`next`; the feature `blocks`). Rules that are off cost one atomic load. Memory is bounded whatever is sent (`places`):
//! about 1.3 MB, and 3 MB more while networks are counted.

mod places;

use super::{Gate, blocked::Target, record::Record};
use crate::values::{AbuseRule, KeyId, Outcome};
use ipnet::IpNet;
pub use places::Places;
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
/// Suspicions that wait. More are dropped: what goes on is suspected again in the next window.
const WAITING: usize = 1_024;

/// More than a rule allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suspicion {
    pub rule: AbuseRule,
    pub target: Target,
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
    unknown: Places<u32>,
    refusals: Places<u32>,
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

    fn suspect(&self, rule: AbuseRule, target: Target) {
        let mut waiting = self.waiting();
        if waiting.len() < WAITING {
            waiting.push_back(Suspicion { rule, target });
            drop(waiting);
            self.wake.notify_one();
        }
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

    /// True when a count passes what is allowed: once a window.
    fn counts(&self, rule: AbuseRule, places: &Places<u32>, key: u128, now_micros: i64) -> bool {
        self.window(rule, now_micros).is_some_and(|(most, window)| {
            let count = places.change(key, window, |n| {
                *n = n.saturating_add(1);
                *n
            });
            count == most.saturating_add(1)
        })
    }

    /// True when a key is used from one network more than is allowed: once a window.
    fn spreads(&self, key: KeyId, address: IpAddr, now_micros: i64) -> bool {
        self.window(AbuseRule::Spread, now_micros).is_some_and(|(most, window)| {
            let most = usize::try_from(most.min(AbuseRule::Spread.highest())).unwrap_or(0);
            let network = self.networks.hash(bits(network(address, 24, 48)));
            self.networks.change(key.uuid().as_u128(), window, |seen| {
                if seen.len() > most || seen.contains(&network) {
                    return false;
                }
                seen.push(network);
                seen.len() > most
            })
        })
    }
}

impl Gate {
    /// What it suspects.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// True for addresses that no block holds: loopback, the trusted proxies, and what operators name.
    pub fn is_exempt(&self, address: IpAddr) -> bool {
        self.blocked.is_exempt(address)
    }

    /// Counts a secret that no key has, or that is none.
    pub(super) fn watch_unknown(&self, address: Option<IpAddr>, now_micros: i64) {
        let Some(address) = address.map(|a| a.to_canonical()) else { return };
        let network = network(address, 32, 64);
        if self.watch.counts(AbuseRule::UnknownKeys, &self.watch.unknown, bits(network), now_micros) && !self.blocked.is_exempt(address) && !is_private(address)
        {
            self.watch.suspect(AbuseRule::UnknownKeys, Target::Network(network));
        }
    }

    /// Counts a call of a known key. What a block refuses is not counted again, nor what anybody could send who once had a secret of it.
    pub(super) fn watch_call(&self, record: &Record, address: Option<IpAddr>, outcome: Outcome, now_micros: i64) {
        let key = record.facts.key;
        let is_refused = matches!(outcome, Outcome::Forbidden | Outcome::WrongApi | Outcome::RateLimited | Outcome::QuotaExceeded);
        if is_refused && self.watch.counts(AbuseRule::Refusals, &self.watch.refusals, key.uuid().as_u128(), now_micros) {
            self.watch.suspect(AbuseRule::Refusals, Target::Key(key));
        }
        if outcome == Outcome::Valid
            && let Some(address) = address
            && self.watch.spreads(key, address.to_canonical(), now_micros)
        {
            self.watch.suspect(AbuseRule::Spread, Target::Key(key));
        }
    }
}

/// Addresses that are not one caller's: behind one of them may be a proxy that nobody named, and with it everybody (RFC 1918, 6598,
/// 3927, 4193, 4291). Operators may block them, a rule does not.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || v4.is_loopback() || (v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_loopback() || v6.is_unspecified(),
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

    #[test]
    fn a_rule_fires_once_a_window_beyond_what_it_allows() {
        let watch = watch(AbuseRule::Refusals, 3, 1);
        let fired = |now| (0..10).map(|_| watch.counts(AbuseRule::Refusals, &watch.refusals, 7, now)).collect::<Vec<_>>();
        let once = [false, false, false, true, false, false, false, false, false, false];
        assert_eq!(fired(MINUTE), once);
        assert!(!fired(2 * MINUTE - 1).contains(&true), "the same minute");
        assert_eq!(fired(2 * MINUTE), once, "a new one");
        assert!(!watch.counts(AbuseRule::UnknownKeys, &watch.unknown, 7, MINUTE), "a rule that is off");
    }

    #[test]
    fn concurrent_counts_fire_once() {
        let watch = watch(AbuseRule::UnknownKeys, 500, 1);
        let fired: usize = std::thread::scope(|scope| {
            let count = || (0..1_000).filter(|_| watch.counts(AbuseRule::UnknownKeys, &watch.unknown, 7, MINUTE)).count();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(count)).collect();
            threads.into_iter().map(|thread| thread.join().expect("it ends")).sum()
        });
        assert_eq!(fired, 1);
    }

    #[test]
    fn networks_are_counted_once_each() {
        let watch = watch(AbuseRule::Spread, 2, 10);
        let key = KeyId::new(Uuid::from_u128(7));
        let uses = |address: &str, now| watch.spreads(key, address.parse().expect("an address"), now);
        assert!(!uses("192.0.2.1", MINUTE) && !uses("192.0.2.200", MINUTE) && !uses("2001:db8:1:1::1", MINUTE), "two networks");
        assert!(!uses("2001:db8:1:2::1", 9 * MINUTE), "the same /48");
        assert!(uses("198.51.100.1", 9 * MINUTE), "the third");
        assert!(!uses("203.0.113.1", 9 * MINUTE), "told already");
        assert!(!uses("203.0.113.1", 10 * MINUTE), "a new window");
    }

    #[test]
    fn suspicions_that_nobody_takes_do_not_pile_up() {
        let watch = Watch::default();
        for n in 0..WAITING as u128 * 2 {
            watch.suspect(AbuseRule::Refusals, Target::Key(KeyId::new(Uuid::from_u128(n))));
        }
        assert_eq!(watch.waiting().len(), WAITING);
    }
}
