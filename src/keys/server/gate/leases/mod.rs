//! Limits that are exact on several nodes: what a node may charge while it is not alone.
//!
//! # The protocol
//!
//! A counter's window is one row of `limit_leases`: `granted` is the sum of what was ever given out of it, less what was given back.
//!
//! 1. **Alone.** A node that no other can be answering beside (`Nodes::is_alone`) says so in its row (`counts_alone`), under a lock that
//!    a joining node takes too, and then counts by itself: one atomic word a counter, no database.
//! 2. **Beside others.** A node charges only what it holds. It asks for a block: what calls wait for, or what its present pace uses in
//!    two seconds if that is more, but of what is left no more than a quarter of its even share. One statement asks for every counter
//!    that wants (`asking`), before a block is used up where the pace is known. A call that finds too little waits for that statement,
//!    half a second at most, and is decided again: it was charged nothing.
//! 3. **Used up.** When the table said that nobody has so much left, calls are refused from memory; once a second one of them lets it
//!    be asked again, since somebody may have given back. Of credits that one waits for the answer: some may have been added long ago.
//! 4. **Joining.** A newcomer does not answer before every live node has seen it and none of them counts alone. A node that did turns
//!    every counter's word into `LEASED` (a charge under way fails its compare-and-swap and goes by lease), writes what it counted of
//!    the present windows as `granted`, and only then takes `counts_alone` back (`handing`).
//! 5. **Alone again.** A window that has a row is taken over with the next question of its counter (see below); newer ones are counted by the
//!    word from the start.
//! 6. **Leaving.** A node that stops gives back what it holds. So does one whose block lay idle for five seconds, and one whose limit was
//!    changed: nothing is charged under a new limit that was granted under the old one.
//!
//! # Why no more than the limit passes
//!
//! Let `held(n)` be what node n may charge of a window in all, `used(n)` what it charged. By the mutex of the counter `used(n) <=
//! held(n)`. `held(n)` grows only by an answer of the table, which added as much to `granted` in the same transaction under the row's
//! lock, and only up to the limit; it shrinks before `granted` does, and what is given back is never sent twice. A row begins with what
//! was counted before it (4, and `resume` from usage after a restart), never below. So the sum of `used` is at most the sum of `held`,
//! at most `granted`, at most the limit. A lost answer, a lost return and a node that is killed leave `granted` above the sum of
//! `held`: too little passes until the window ends, by **at most what was held and not used**. Clocks need not agree: the window's number
//! is part of the row. (Only what a lone node counted in a window that it has left, while the newcomer's clock is still in it, is known
//! from usage alone.)
//!
//! Windows of less than a minute are leased in the same way; every window's first call on a node waits for one statement. So are the
//! seconds of a throttle. What passes beyond a limit is charged to none, so nothing of it is leased. Where
//! nothing can be learnt, since the database is away and the lease is used up, the answer is 503 with Retry-After: a refusal for the
//! limit would be a guess. A limit that only marks lets the call pass, as it would in any case, and it is marked: nothing is charged then.
//!
//! # Rolling windows
//!
//! Their parts (`gate::rolling`) stand in one row (`rolling`), so that one lock guards the sum of the 61 that count. A node leases of the
//! present part, and gives back what it did not use of it when the next one begins: with the next question, or once it lay idle. The table
//! says which part it gave of, the newest that any node has asked for; a node whose clock is behind goes on in that one, so the numbers
//! of parts never go back. The same sum as above then holds for any 61 parts that follow each other, by the clocks of the nodes: where
//! these differ by d, of a limit of N no more than N pass in any window that is shorter by d. A lost answer is lost for a window's length.
//!
//! # Taken over
//!
//! A node that is alone again does not lease what is left of a window, which it would take with it if it were killed: it takes the window
//! over. It gives up what it holds, writes that back, and reads what then counts as given out; of a rolling window, of each of the 61 parts.
//! From that the counter goes on by itself, and asks nobody any more. Nothing passes twice: a node is alone only when every other one has
//! given back or must have stopped answering (`go_alone`), so what the row says was given out is no less than what anybody charged, and
//! nobody charges to it any more. What a dead node held and did not use counts as used until the window ends, or is that old. That the node is still alone, and was all the time since it asked (`sharings`), is looked at under the lock of the
//! counter: who joins finds either the row, or a counter that is handed over (4); the row, which stayed, rises to it. Where a clock that is
//! ahead has left a row of a newer window, the present one goes on by lease. While what keys used before is added to new counters
//! (`resume`), none is taken over.
//!
//! # Credits
//!
//! They go by lease always, also on a node that is alone: their bucket must outlive every process, however it ends. What was leased may be
//! used until the next refill, whose first call waits for one statement; then it goes back as a part of a rolling window does (`credits`; the arithmetic and the bound:
//! `gate::credits`). A node takes blocks of its pace and gives back what lay idle for five seconds, so a killed one takes no more with it
//! than calls of two seconds and a quarter of what was left; where nothing comes back by itself, it is lost.
//! Where the database does not answer, a node that is alone goes on from what it knows to be left, and tells it afterwards (`trust`).
//!
//! # Where it ends
//!
//! A node that counts alone and is cut off from the database goes on, as a single server must when its database is away. One that
//! starts meanwhile and reaches the database can't tell it from one that crashed: it waits three seconds for it to come back and to tell,
//! or for a start on its data folder, which tells and then forgets it (`boot::server`), and begins with what usage says was used. What the
//! other passes while it is cut off (`TOLLGATE_DATABASE_OUTAGE` at most) comes on top; so does what a killed one counted last and its
//! data folder tells later than that. Nodes of a version before leases count for themselves while they are replaced.
//!
//! A node that the others left takes a window over with its next call. If the database goes away before that call, in a window in which
//! they were there, it is answered 503 until the database is back, although nobody else counts it.

mod asking;
mod credits;
mod handing;
mod held;
mod owed;
mod request;
mod rolling;
mod shown;
mod store;
mod store_credits;
mod store_rolling;
mod trust;

pub use asking::{Ask, PATIENCE, lend};
pub use handing::Counted;
pub use held::{Fit, Lease};
pub use owed::{LeftDebtsError, write_left_debts};
pub use store::{forget_old, go_alone};
pub use store_rolling::raise_parts;

use super::{
    limit::{Counter, Limit},
    seats::Elsewhere,
};
use crate::{
    error::AppError,
    keys::model::{LimitKind, Window},
    values::{NodeId, NotNow},
};
use asking::{Done, Queue};
use axum::response::{IntoResponse, Response};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::{Notify, watch};
use trust::Trust;
use uuid::Uuid;

/// What a limit's counter is called on every node.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slot {
    /// A key, or a workspace.
    pub holder: Uuid,
    pub name: Arc<str>,
    pub window: Window,
}

/// For each length of a window the newest one that has a row; days and months of every zone together.
pub type Newest = HashMap<Window, u32>;

/// Counters by their address: each is asked for once in a round.
type ByCounter<T> = HashMap<usize, T>;

/// The leases of this node.
#[derive(Debug)]
pub struct Leases {
    /// Some: this node is alone, and counts windows newer than these by itself.
    alone: RwLock<Option<Newest>>,
    /// How often it began to count by lease.
    sharings: AtomicU64,
    /// How many nodes may be answering, this one included, in the low 32 bits; above them which of these it is.
    nodes: AtomicU64,
    queue: Mutex<Queue>,
    wake: Notify,
    done: watch::Sender<Done>,
    /// Counters that may hold something unused.
    holding: Mutex<ByCounter<(Slot, Arc<Counter>)>>,
    /// Limits of calls at the same time of which places may be taken or lent.
    pub(super) seats: Mutex<ByCounter<(Slot, Arc<Counter>)>>,
    /// Places that nodes have which have ended.
    pub(super) elsewhere: RwLock<Elsewhere>,
    /// Credits that pass while the database does not answer.
    trust: Trust,
    /// Requests for places so far.
    turns: AtomicU64,
    /// The id of this node.
    me: OnceLock<NodeId>,
}

/// Which of the nodes that may be answering this one is, in the order of their ids: all see the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rank {
    pub nodes: u32,
    /// From 0 on.
    pub place: u32,
}

/// A decision that must wait until more is leased of these counters. Nothing was charged.
#[derive(Debug)]
pub struct Wanted(Vec<Ask>);

/// What is left of a limit could not be learnt in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unleased;

/// Beside others, until it is known otherwise.
impl Default for Leases {
    fn default() -> Self {
        Self {
            alone: RwLock::default(),
            sharings: AtomicU64::default(),
            nodes: AtomicU64::new(1),
            queue: Mutex::default(),
            wake: Notify::new(),
            done: watch::Sender::default(),
            holding: Mutex::default(),
            seats: Mutex::default(),
            elsewhere: RwLock::default(),
            trust: Trust::default(),
            turns: AtomicU64::new(1),
            me: OnceLock::new(),
        }
    }
}

impl Leases {
    /// Those of a node that is alone on an empty table.
    #[cfg(test)]
    pub fn alone() -> Self {
        Self { alone: RwLock::new(Some(Newest::new())), ..Self::default() }
    }

    /// Says which node this is.
    pub fn is_of(&self, node: NodeId) {
        _ = self.me.set(node); // a node has one id
    }

    /// The id of this node.
    pub fn me(&self) -> NodeId {
        self.me.get().copied().unwrap_or(NodeId::new(Uuid::nil()))
    }

    /// The number of the next request for places.
    pub(super) fn turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::Relaxed)
    }

    /// True if this node counts newer windows by itself. Asked under the lock of a counter: see `begin_sharing`.
    pub fn may_count_alone(&self, window: Window, number: u32) -> bool {
        if window.is_credits() {
            return false;
        }
        let alone = self.alone.read().unwrap_or_else(PoisonError::into_inner);
        alone.as_ref().is_some_and(|newest| newest.get(&window.in_utc()).is_none_or(|newest| number > *newest))
    }

    /// True if this node may go on with this window by itself, as far as it is the newest one that was shared.
    fn may_take_over(&self, window: Window, number: u32) -> bool {
        let alone = self.alone.read().unwrap_or_else(PoisonError::into_inner);
        let is_newest = |newest: &Newest| newest.get(&window.in_utc()).is_none_or(|newest| number >= *newest);
        match window.kind() {
            LimitKind::Rolling => alone.is_some(), // its parts are counted by the newest in the row
            LimitKind::Fixed => alone.as_ref().is_some_and(is_newest),
            LimitKind::Credits | LimitKind::Concurrent => false,
        }
    }

    /// True if it counts alone.
    pub fn is_alone(&self) -> bool {
        self.alone.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Another number tells that other nodes may have been there meanwhile.
    fn sharings(&self) -> u64 {
        self.sharings.load(Ordering::Acquire)
    }

    /// How many nodes there are, as of now, and how many of them come before this one.
    pub fn set_nodes(&self, nodes: u32, place: u32) {
        self.nodes.store((u64::from(place) << 32) | u64::from(nodes.max(1)), Ordering::Relaxed);
    }

    /// How many nodes may be answering, this one included.
    pub fn nodes(&self) -> u32 {
        self.rank().nodes
    }

    /// Which of them this one is.
    #[allow(clippy::cast_possible_truncation, reason = "the halves of the word are what is wanted")]
    pub fn rank(&self) -> Rank {
        let word = self.nodes.load(Ordering::Relaxed);
        Rank { nodes: word as u32, place: (word >> 32) as u32 }
    }

    /// A block is at most one of so many parts of what is left. 1: all of it, as there is nobody else.
    pub fn share(&self) -> u64 {
        match self.nodes() {
            0 | 1 => 1,
            nodes => 4 * u64::from(nodes),
        }
    }

    /// Asks for more in the background.
    pub fn refill(&self, slot: Slot, limit: &Limit) {
        self.push([Ask { slot, counter: Arc::clone(&limit.counter), max: limit.max(), need: 0, refills: true, seats: None }]);
    }
}

impl Wanted {
    /// That so much must be leased of each of these.
    pub fn of<'a>(limits: impl Iterator<Item = (&'a Limit, u32)>, holder: Uuid) -> Self {
        let ask = |(limit, need): (&Limit, u32)| Ask {
            slot: limit.slot(holder),
            counter: Arc::clone(&limit.counter),
            max: limit.max(),
            // A call takes one place, whatever it costs.
            need: limit.policy.seats().map_or(limit.takes(need), |_| need.min(1)).into(),
            refills: true,
            seats: limit.policy.seats(),
        };
        Self(limits.map(ask).collect())
    }
}

impl From<Unleased> for AppError {
    fn from(_: Unleased) -> Self {
        Self::not_now(NotNow::LimitsUnknown, 1)
    }
}

impl IntoResponse for Unleased {
    fn into_response(self) -> Response {
        AppError::from(self).into_response()
    }
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
