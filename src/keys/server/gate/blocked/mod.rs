//! What is blocked, as this node knows it: addresses, keys and workspaces, each until a time. A block refuses, or slows (`slow`).
//!
//! The set is replaced whole when a block changes (`store`), and read without a lock. While no block is in force, a question costs one
//! atomic load; else one look per length of prefix that any block has (`targets`), however many blocks there are. A block ends by the
//! clock of the question. Loopback, the trusted proxies and the networks that operators name are never held here, whatever the table
//! says.

mod slow;
mod store;
mod targets;

pub use slow::{Passes, Slowed};
pub use store::load_blocks;

use self::{
    slow::{Slow, Whose},
    targets::Targets,
};
use super::facts::KeyFacts;
use crate::values::{BlockPolicy, KeyId, WorkspaceId};
use arc_swap::ArcSwap;
use ipnet::IpNet;
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use time::OffsetDateTime;

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    Network(IpNet),
    Key(KeyId),
    Workspace(WorkspaceId),
}

/// When a block ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Until(i64);

impl Until {
    /// When somebody lifts it.
    pub const LIFTED: Self = Self(i64::MAX);

    /// Microseconds since 1970.
    pub const fn micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Whole seconds from now until then, rounded up; none where nobody knows.
    pub fn seconds_from(self, now_micros: i64) -> Option<u64> {
        (self != Self::LIFTED).then(|| u64::try_from(self.0.saturating_sub(now_micros)).unwrap_or(0).div_ceil(1_000_000).max(1))
    }

    /// "until 2026-11-20 12:10:00 UTC".
    pub fn words(self) -> String {
        match OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000) {
            Ok(at) if self != Self::LIFTED => format!("until {} {:02}:{:02}:{:02} UTC", at.date(), at.hour(), at.minute(), at.second()),
            _ => "until an operator lifts the block".to_owned(),
        }
    }
}

/// What refuses the calls of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyBlock {
    pub until: Until,
    /// It is its workspace that is blocked.
    pub is_workspace: bool,
}

impl KeyBlock {
    /// "Calls of this key"
    pub const fn whose(self) -> &'static str {
        if self.is_workspace { Whose::Workspace.calls() } else { Whose::Key.calls() }
    }

    pub const fn policy(self) -> BlockPolicy {
        if self.is_workspace { BlockPolicy::BlockWorkspace } else { BlockPolicy::BlockKey }
    }
}

/// The blocks of this node.
pub struct Blocked {
    /// The last end of any block: after it nothing need be looked at.
    last_end: AtomicI64,
    set: ArcSwap<Set>,
    /// Loopback and the trusted proxies.
    always_exempt: Box<[IpNet]>,
}

/// Everything that is blocked at one revision.
#[derive(Debug, Default)]
pub struct Set {
    refused: Targets<Until>,
    slowed: Targets<Slow>,
    exempt: Vec<IpNet>,
    last_end: Option<Until>,
}

impl Set {
    /// An empty set, with the networks that it never holds.
    pub fn new(exempt: Vec<IpNet>) -> Self {
        Self { exempt, ..Self::default() }
    }

    /// Refuses a target, or lets only so many of its calls pass in a second. Of several blocks that refuse one target the last end counts;
    /// of several that slow it the slowest that has not ended.
    pub fn add(&mut self, target: Target, per_second: Option<u32>, until: Until) {
        match per_second {
            None => self.refused.put(target, until, |known, until| *known = until.max(*known)),
            Some(per_second) => self.slowed.put(target, Slow::new(per_second, until), Slow::join),
        }
        self.last_end = self.last_end.max(Some(until));
    }
}

impl Blocked {
    pub fn new(trusted_proxies: &[IpNet]) -> Self {
        let loopback = [IpNet::new_assert([127, 0, 0, 0].into(), 8), IpNet::new_assert(std::net::Ipv6Addr::LOCALHOST.into(), 128)];
        let always_exempt = loopback.into_iter().chain(trusted_proxies.iter().copied()).collect();
        Self { last_end: AtomicI64::new(0), set: ArcSwap::default(), always_exempt }
    }

    /// Takes what was read. Those that ask meanwhile see the one or the other whole; what is slowed still goes on counting. One at a
    /// time: whoever reads holds the gate's lock.
    pub fn replace(&self, mut set: Set) {
        let last_end = set.last_end.map_or(0, |until| until.0);
        set.slowed.beside(&self.set.load().slowed, Slow::go_on);
        self.set.store(Arc::new(set));
        self.last_end.store(last_end, Ordering::Release);
    }

    /// Until when calls from this address are refused, if they are.
    pub fn address(&self, address: Option<IpAddr>, now_micros: i64) -> Option<Until> {
        if self.is_idle(now_micros) {
            return None;
        }
        let address = address?.to_canonical();
        let until = self.set.load().refused.of_address(address).copied().max().filter(|until| until.0 > now_micros)?;
        (!self.is_exempt(address)).then_some(until)
    }

    /// What refuses calls of this key, if they are refused: a block of itself, or of its workspace where that lasts longer.
    pub fn key(&self, facts: &KeyFacts, now_micros: i64) -> Option<KeyBlock> {
        if self.is_idle(now_micros) {
            return None;
        }
        let set = self.set.load();
        let (key, workspace) = (set.refused.of_key(facts).copied(), set.refused.of_workspace(facts).copied());
        let is_workspace = workspace > key;
        let until = key.max(workspace).filter(|until| until.0 > now_micros)?;
        Some(KeyBlock { until, is_workspace })
    }

    /// What slows calls from this address; usually nothing.
    pub fn slows_address(&self, address: Option<IpAddr>, now_micros: i64) -> Vec<Slowed> {
        let Some(address) = address.filter(|_| !self.is_idle(now_micros)).map(|a| a.to_canonical()) else { return Vec::new() };
        let set = self.set.load();
        let slowed: Vec<Slowed> = set.slowed.of_address(address).filter_map(|slow| Slowed::of(Whose::Address, slow, now_micros)).collect();
        if slowed.is_empty() || self.is_exempt(address) { Vec::new() } else { slowed }
    }

    /// What slows calls of this key, for itself or for its workspace; usually nothing.
    pub fn slows_key(&self, facts: &KeyFacts, now_micros: i64) -> Vec<Slowed> {
        if self.is_idle(now_micros) {
            return Vec::new();
        }
        let set = self.set.load();
        let both = [(Whose::Key, set.slowed.of_key(facts)), (Whose::Workspace, set.slowed.of_workspace(facts))];
        both.into_iter().filter_map(|(whose, slow)| Slowed::of(whose, slow?, now_micros)).collect()
    }

    /// True for addresses that no block holds.
    pub fn is_exempt(&self, address: IpAddr) -> bool {
        let holds = |network: &IpNet| network.contains(&address);
        self.always_exempt.iter().any(holds) || self.set.load().exempt.iter().any(holds)
    }

    fn is_idle(&self, now_micros: i64) -> bool {
        now_micros >= self.last_end.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::server::gate::leases::Rank;

    fn blocked(networks: &[(&str, i64)]) -> Blocked {
        let mut set = Set::new(vec!["203.0.113.64/26".parse().expect("a network")]);
        for (network, until) in networks {
            set.add(Target::Network(network.parse().expect("a network")), None, Until::micros(*until));
        }
        let blocked = Blocked::new(&["10.0.0.0/8".parse().expect("a network")]);
        blocked.replace(set);
        blocked
    }

    fn until(blocked: &Blocked, address: &str, now: i64) -> Option<i64> {
        blocked.address(Some(address.parse().expect("an address")), now).map(|until| until.0)
    }

    #[test]
    fn an_address_is_found_by_its_prefixes_until_the_end() {
        let blocked = blocked(&[("203.0.113.0/24", 100), ("203.0.113.7/32", 50), ("2001:db8:1:2::/64", 70), ("198.51.100.9/32", i64::MAX)]);
        assert_eq!(until(&blocked, "203.0.113.7", 10), Some(100), "the longer of two");
        assert_eq!(until(&blocked, "::ffff:203.0.113.7", 10), Some(100), "mapped into IPv6 it is the same");
        assert_eq!((until(&blocked, "203.0.113.8", 99), until(&blocked, "203.0.113.8", 100)), (Some(100), None));
        assert_eq!(until(&blocked, "203.0.112.7", 10), None);
        assert_eq!((until(&blocked, "2001:db8:1:2:9::1", 10), until(&blocked, "2001:db8:1:3::1", 10)), (Some(70), None));
        assert_eq!(until(&blocked, "198.51.100.9", i64::MAX - 1), Some(i64::MAX));
        assert_eq!(blocked.address(None, 10), None, "who says no address is no address");
    }

    #[test]
    fn a_block_of_ipv6_holds_no_ipv4() {
        let blocked = blocked(&[("::/64", 100)]);
        assert_eq!((until(&blocked, "::5", 10), until(&blocked, "203.0.113.7", 10), until(&blocked, "::ffff:203.0.113.7", 10)), (Some(100), None, None));
    }

    #[test]
    fn some_networks_are_never_refused() {
        let blocked = blocked(&[("127.0.0.0/8", 100), ("::/16", 100), ("10.0.0.0/8", 100), ("203.0.113.0/24", 100)]);
        for address in ["127.0.0.1", "::1", "10.1.2.3", "203.0.113.65"] {
            assert_eq!(until(&blocked, address, 10), None, "{address}");
        }
        assert_eq!(until(&blocked, "203.0.113.1", 10), Some(100));
    }

    #[test]
    fn an_address_is_slowed_until_the_end_and_goes_on_counting() {
        let blocked = blocked(&[]);
        let read = |per_second| {
            let mut set = Set::default();
            for network in ["203.0.113.0/24", "10.0.0.0/8"] {
                set.add(Target::Network(network.parse().expect("a network")), Some(per_second), Until::micros(100));
            }
            blocked.replace(set);
        };
        let slowed = |address: &str, now| blocked.slows_address(Some(address.parse().expect("an address")), now);
        read(2);
        assert_eq!((slowed("203.0.113.7", 99).len(), slowed("203.0.113.7", 100).len(), slowed("203.0.112.7", 99).len()), (1, 0, 0));
        assert!(slowed("10.1.2.3", 99).is_empty(), "never a trusted proxy");
        assert_eq!(until(&blocked, "203.0.113.7", 10), None, "it is not refused");
        let alone = Rank { nodes: 1, place: 0 };
        Passes::take(&slowed("203.0.113.7", 10), alone, 10, false).map(Passes::keep).expect("the first of two");
        read(3);
        assert_eq!(slowed("203.0.113.8", 10)[0].state(alone, 10).remaining, 2, "one passed before the block was read again");
    }

    #[test]
    fn a_set_without_blocks_is_not_looked_at() {
        let none = blocked(&[]);
        assert!(none.is_idle(1));
        assert!(blocked(&[("203.0.113.0/24", 100)]).is_idle(100), "nor one whose blocks have all ended");
    }

    #[test]
    fn an_end_is_told_in_seconds_and_in_words() {
        assert_eq!(Until::micros(2_500_000).seconds_from(1_000_000), Some(2));
        assert_eq!(Until::LIFTED.seconds_from(1), None);
        assert_eq!(Until::micros(1_795_176_600_000_000).words(), "until 2026-11-20 12:10:00 UTC");
        assert_eq!(Until::LIFTED.words(), "until an operator lifts the block");
    }
}
