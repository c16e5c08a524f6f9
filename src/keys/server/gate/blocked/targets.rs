//! What is kept by target: what is kept of a network is found by every address in it.

use super::Target;
use crate::{
    keys::server::gate::facts::KeyFacts,
    platform::maps::FastMap,
    values::{KeyId, WorkspaceId},
};
use ipnet::IpNet;
use std::{collections::hash_map::Entry, net::IpAddr};

/// A length of prefix and the first bits; IPv4 as the mapped part of IPv6.
type Prefix = (u8, u128);

#[derive(Debug)]
pub struct Targets<T> {
    networks: FastMap<Prefix, T>,
    /// The lengths that `networks` has: an address costs one look for each.
    lengths: Vec<u8>,
    keys: FastMap<KeyId, T>,
    workspaces: FastMap<WorkspaceId, T>,
}

impl<T> Default for Targets<T> {
    fn default() -> Self {
        Self { networks: FastMap::default(), lengths: Vec::new(), keys: FastMap::default(), workspaces: FastMap::default() }
    }
}

impl<T> Targets<T> {
    /// Keeps a value, joined with the one that is there.
    pub fn put(&mut self, target: Target, value: T, join: impl FnOnce(&mut T, T)) {
        match target {
            Target::Network(network) => {
                let prefix = prefix(network);
                if !self.lengths.contains(&prefix.0) {
                    self.lengths.push(prefix.0);
                }
                put(self.networks.entry(prefix), value, join);
            }
            Target::Key(key) => put(self.keys.entry(key), value, join),
            Target::Workspace(workspace) => put(self.workspaces.entry(workspace), value, join),
        }
    }

    /// Of every network that holds the address.
    pub fn of_address(&self, address: IpAddr) -> impl Iterator<Item = &T> {
        let bits = bits(address);
        let shortest = if address.is_ipv4() { 96 } else { 0 }; // IPv4 lies within ::/64 as it is written here, but no block of IPv6 holds it
        let lengths = self.lengths.iter().filter(move |length| **length >= shortest);
        lengths.filter_map(move |length| self.networks.get(&(*length, first(bits, *length))))
    }

    pub fn of_key(&self, facts: &KeyFacts) -> Option<&T> {
        self.keys.get(&facts.key)
    }

    pub fn of_workspace(&self, facts: &KeyFacts) -> Option<&T> {
        self.workspaces.get(&facts.home.workspace)
    }

    /// Shows each value beside the one that another has of the same target.
    pub fn beside(&mut self, other: &Self, mut show: impl FnMut(&mut T, &T)) {
        let networks = self.networks.iter_mut().filter_map(|(at, value)| Some((value, other.networks.get(at)?)));
        let keys = self.keys.iter_mut().filter_map(|(at, value)| Some((value, other.keys.get(at)?)));
        let workspaces = self.workspaces.iter_mut().filter_map(|(at, value)| Some((value, other.workspaces.get(at)?)));
        networks.chain(keys).chain(workspaces).for_each(|(value, theirs)| show(value, theirs));
    }
}

fn put<K, T>(entry: Entry<'_, K, T>, value: T, join: impl FnOnce(&mut T, T)) {
    match entry {
        Entry::Occupied(mut known) => join(known.get_mut(), value),
        Entry::Vacant(free) => _ = free.insert(value),
    }
}

/// An address as 128 bits; IPv4 as the mapped part of IPv6.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The first bits, the others zero.
fn first(bits: u128, length: u8) -> u128 {
    bits & u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)
}

fn prefix(network: IpNet) -> Prefix {
    let length = network.prefix_len() + if matches!(network, IpNet::V4(_)) { 96 } else { 0 };
    (length, first(bits(network.addr()), length))
}
