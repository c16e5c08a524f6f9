//! How often salted hashes are tried: two at once and a short queue behind them, no secret twice within a minute, and no more than so
//! many wrong ones from one address and of one start. So whoever knows how secrets begin can't keep the machine busy.

use crate::{keys::server::gate::Places, platform::crypto::sha256};
use std::{
    collections::{HashSet, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

const AT_ONCE: usize = 2;
/// Calls that wait for their turn, and how long.
const QUEUE: usize = 16;
const PATIENCE: Duration = Duration::from_secs(2);
/// Wrong secrets in a minute of the clock: from one address (IPv6: one /64), and that begin the same.
const BY_ADDRESS: u32 = 10;
const BY_START: u32 = 60;
/// Wrong secrets that are remembered.
const KNOWN: usize = 4_096;

/// The bounds of this node. A part of the gate.
pub struct Tries {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    wrong: Mutex<Wrong>,
    by_address: Places<u32>,
    by_start: Places<u32>,
}

impl Default for Tries {
    fn default() -> Self {
        Self {
            running: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::new(Semaphore::new(AT_ONCE + QUEUE)),
            wrong: Mutex::default(),
            by_address: Places::new(128),
            by_start: Places::new(128),
        }
    }
}

/// Wrong secrets by their SHA-256, the oldest first.
#[derive(Default)]
struct Wrong {
    /// Of the table, and the minute, that they are wrong in.
    of: (u64, u32),
    known: HashSet<[u8; 32]>,
    order: VecDeque<[u8; 32]>,
}

/// A turn to try; ends when it is dropped.
pub struct Turn {
    _waits: OwnedSemaphorePermit,
    _runs: OwnedSemaphorePermit,
}

/// What a try is counted for.
#[derive(Debug, Clone, Copy)]
pub struct Of {
    /// The SHA-256 of the secret.
    pub digest: [u8; 32],
    address: Option<u128>,
    start: u128,
    /// Of the clock.
    minute: u32,
    /// What the table knew of salted secrets.
    generation: u64,
}

impl Of {
    /// `begins`: the known start that makes the secret worth a try.
    pub fn new(secret: &str, begins: &str, address: Option<IpAddr>, now_micros: i64, generation: u64) -> Self {
        let digest = sha256(secret);
        let minute = u32::try_from(now_micros.div_euclid(60_000_000)).unwrap_or(0);
        let begins = sha256(begins);
        let (half, _) = begins.split_at(16);
        let start = half.iter().fold(0, |bits: u128, byte| bits << 8 | u128::from(*byte));
        Self { digest, address: address.map(prefix), start, minute, generation }
    }
}

/// An address as it is counted: IPv4 whole, IPv6 by its /64.
fn prefix(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits() >> 64 << 64,
    }
}

impl Tries {
    /// True if it was tried a moment ago and is wrong.
    pub fn is_wrong(&self, of: &Of) -> bool {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.of == (of.generation, of.minute) && wrong.known.contains(&of.digest)
    }

    /// A turn to try; none where too many wrong ones came, or too many wait.
    pub async fn turn(&self, of: &Of) -> Option<Turn> {
        let has_tried = |places: &Places<u32>, key: u128, most: u32| places.change(key, of.minute, |n| *n >= most);
        if of.address.is_some_and(|address| has_tried(&self.by_address, address, BY_ADDRESS)) || has_tried(&self.by_start, of.start, BY_START) {
            return None;
        }
        let waits = Arc::clone(&self.waiting).try_acquire_owned().ok()?;
        let runs = timeout(PATIENCE, Arc::clone(&self.running).acquire_owned()).await.ok()?.ok()?;
        Some(Turn { _waits: waits, _runs: runs })
    }

    /// It was tried and is none.
    pub fn note_wrong(&self, of: &Of) {
        for (places, key) in of.address.map(|address| (&self.by_address, address)).into_iter().chain([(&self.by_start, of.start)]) {
            places.change(key, of.minute, |n| *n = n.saturating_add(1));
        }
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.of != (of.generation, of.minute) {
            *wrong = Wrong { of: (of.generation, of.minute), ..Wrong::default() };
        }
        if wrong.known.insert(of.digest) {
            wrong.order.push_back(of.digest);
        }
        if wrong.order.len() > KNOWN
            && let Some(oldest) = wrong.order.pop_front()
        {
            wrong.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn of(secret: &str, address: &str, minute: i64, generation: u64) -> Of {
        Of::new(secret, secret.get(..8).unwrap_or(secret), address.parse().ok(), minute * MINUTE, generation)
    }

    #[tokio::test]
    async fn a_wrong_secret_is_remembered_until_more_is_known() {
        let (tries, wrong) = (Tries::default(), of("sk_live_wrong", "203.0.113.7", 1, 1));
        assert!(!tries.is_wrong(&wrong));
        tries.note_wrong(&wrong);
        assert!(tries.is_wrong(&wrong) && !tries.is_wrong(&of("sk_live_other", "203.0.113.7", 1, 1)));
        assert!(!tries.is_wrong(&of("sk_live_wrong", "203.0.113.7", 1, 2)), "a list was imported meanwhile");
        for n in 0..=KNOWN {
            tries.note_wrong(&of(&format!("sk_live_{n}"), "203.0.113.7", 1, 1));
        }
        assert!(!tries.is_wrong(&wrong), "its memory is bounded");
    }

    #[tokio::test]
    async fn who_guesses_waits_for_the_next_minute_alone() {
        let tries = Tries::default();
        for n in 0..BY_ADDRESS {
            let guess = of(&format!("sk_live_{n}"), "2001:db8:1:2::7", 1, 1);
            assert!(tries.turn(&guess).await.is_some());
            tries.note_wrong(&guess);
        }
        assert!(tries.turn(&of("sk_live_x", "2001:db8:1:2::8", 1, 1)).await.is_none(), "the same /64");
        assert!(tries.turn(&of("sk_live_x", "2001:db8:1:3::8", 1, 1)).await.is_some(), "another one");
        assert!(tries.turn(&of("sk_live_x", "2001:db8:1:2::8", 2, 1)).await.is_some(), "a minute later");
        for n in 0..BY_START {
            tries.note_wrong(&of(&format!("sk_live_{n}"), &format!("203.0.113.{n}"), 1, 1));
        }
        assert!(tries.turn(&of("sk_live_x", "198.51.100.1", 1, 1)).await.is_none(), "many who guess the same start");
        assert!(tries.turn(&of("sk_test_x", "198.51.100.1", 1, 1)).await.is_some());
    }

    #[tokio::test]
    async fn two_run_at_once_and_few_wait() {
        let tries = Tries::default();
        let one = of("sk_live_x", "203.0.113.7", 1, 1);
        let running = (tries.turn(&one).await, tries.turn(&one).await);
        assert!(running.0.is_some() && running.1.is_some());
        let waiting: Vec<_> = futures_util::future::join_all((0..20).map(|_| tries.turn(&one))).await;
        assert!(waiting.iter().all(Option::is_none), "nobody waits longer than two seconds");
        drop(running);
        assert!(tries.turn(&one).await.is_some());
    }
}
