//! Maps for the path of every verification: foldhash instead of std's SipHash, which took a thirtieth of a verification's instructions.
//! Seeded at random for each map. It is no cryptographic hash, so it serves maps that are small, short-lived or made by operators; what
//! strangers fill for good (the key table) keeps SipHash.

use std::collections::HashMap;

pub type FastMap<K, V> = HashMap<K, V, foldhash::quality::RandomState>;
