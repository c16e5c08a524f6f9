//! Keys that hold an allowance which is over (`levels`). Calls renew those that they ask for (`Table::by_secret`); here all others have their turn, so
//! that what was over is forgotten, and what begins to be counted goes on from what every key used before (`resume`).

use super::{Gate, levels::Change};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::Mutex;

/// So many are renewed without a pause: less than a millisecond.
const AT_ONCE: usize = 256;

/// How far it is with what changed.
#[derive(Debug, Default)]
pub struct Renewal {
    is_due: AtomicBool,
    /// Held by whoever goes through all keys.
    turn: Mutex<()>,
    /// How many changes there were by which something begins to be counted.
    begins: AtomicU64,
    /// After so many of them what was used before has been added.
    resumed: AtomicU64,
}

impl Renewal {
    /// To be told of each change of the levels.
    pub fn note(&self, change: Change) {
        if change.begins {
            self.begins.fetch_add(1, Ordering::AcqRel);
        }
        if change.ends {
            self.is_due.store(true, Ordering::Release);
        }
    }

    pub fn is_due(&self) -> bool {
        self.is_due.load(Ordering::Acquire)
    }

    pub fn begins(&self) -> u64 {
        self.begins.load(Ordering::Acquire)
    }

    pub fn has_resumed(&self, begins: u64) {
        self.resumed.fetch_max(begins, Ordering::AcqRel);
    }

    /// True if everything that began has been added to.
    pub fn is_resumed(&self) -> bool {
        self.resumed.load(Ordering::Acquire) >= self.begins()
    }
}

/// Every key goes on with the allowance that holds. Who comes while another is at it waits until that one is done.
pub async fn renew(gate: &Gate) {
    let _turn = gate.renewal.turn.lock().await;
    if !gate.renewal.is_due.swap(false, Ordering::AcqRel) {
        return;
    }
    for shard in 0..gate.table.shards() {
        let keys = gate.table.outdated(shard);
        for some in keys.chunks(AT_ONCE) {
            some.iter().for_each(|key| _ = gate.table.by_id(*key));
            tokio::task::yield_now().await; // calls are answered between
        }
    }
}
