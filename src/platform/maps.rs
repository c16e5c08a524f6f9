//! Maps for the path of every verification: foldhash instead of std's SipHash, which took a thirtieth of a verification's instructions.
//! Seeded at random for each map. It is no cryptographic hash, so it serves maps that are small, short-lived or made by operators; what
//! strangers fill for good (the key table) keeps SipHash (`Unforeseen`).

use std::collections::HashMap;

pub type FastMap<K, V> = HashMap<K, V, FastHash>;

/// How they hash.
pub type FastHash = foldhash::quality::RandomState;

/// An emptied map that is filled anew, as it is: no call waits while it grows, and its pages are not asked of the system again. One that held
/// much less than it has room for gives that back: the peak is over.
pub fn roomy<K, V>(emptied: FastMap<K, V>, held: usize) -> FastMap<K, V> {
    if is_room_for(emptied.capacity(), held) { emptied } else { FastMap::default() }
}

/// Whether so much room is that of what held so many, not of a peak.
pub const fn is_room_for(room: usize, held: usize) -> bool {
    room <= held.saturating_mul(4)
}

/// SipHash with a key of its own, drawn by the system: where a place is chosen, nobody outside can aim at it. A test need not seed it, for
/// no answer hangs on it.
#[allow(clippy::disallowed_types, reason = "the one place that names it")]
pub type Unforeseen = std::hash::RandomState;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_of_a_peak_goes_back() {
        let filled = |n: usize| {
            let mut map: FastMap<usize, ()> = (0..n).map(|n| (n, ())).collect();
            map.clear();
            map
        };
        assert!(roomy(filled(1_000), 1_000).capacity() >= 1_000);
        assert_eq!(roomy(filled(1_000), 100).capacity(), 0);
    }
}
