//! Maps for the path of every verification: foldhash instead of std's SipHash, which took a thirtieth of a verification's instructions.
//! Seeded at random for each map. It is no cryptographic hash, so it serves maps that are small, short-lived or made by operators; what
//! strangers fill for good (the key table) keeps SipHash (`Unforeseen`).

use std::collections::HashMap;

pub type FastMap<K, V> = HashMap<K, V, foldhash::quality::RandomState>;

/// SipHash with a key of its own, drawn by the system: where a place is chosen, nobody outside can aim at it. A test need not seed it, for
/// no answer hangs on it.
#[allow(clippy::disallowed_types, reason = "the one place that names it")]
pub type Unforeseen = std::hash::RandomState;
