//! From counting alone to counting by lease, and back.

use super::{Leases, Newest, Ordering, PoisonError, Slot, asking::Ask, store};
use crate::keys::{
    model::Window,
    server::gate::{limit::Limit, seats::Elsewhere, sync::within, table::Table, window},
};
use sqlx::PgPool;
use std::{collections::HashSet, sync::Arc, time::Duration};

/// What this node counted alone, and what it gives back: not in the table yet. Until it is, no other node may begin.
#[derive(Debug, Default)]
pub struct Counted {
    /// A window, or a part of a rolling one, and what was used of it.
    used: Vec<(Slot, u32, u64)>,
    back: Vec<Ask>,
}

/// Windows written before the node beats again.
const PIECE: usize = 2_000;
/// And for so long it waits for that.
const ANSWER: Duration = Duration::from_secs(2);
/// Clocks of nodes may differ by so many seconds: a window that ended less long ago is handed over too.
const MARGIN: i64 = 300;

impl Counted {
    pub fn is_empty(&self) -> bool {
        self.used.is_empty() && self.back.is_empty()
    }

    /// Writes a piece of it. What could not be written is tried again: what was used may be told more than once, so may places that are
    /// taken, and what is given back is then lost until its window ends.
    pub async fn write(&mut self, leases: &Leases, db: &PgPool, now_micros: i64) -> sqlx::Result<()> {
        let rest = self.used.len().saturating_sub(PIECE);
        let piece: Vec<store::Used<'_>> = self.used[rest..].iter().map(|(slot, number, used)| (slot, *number, *used)).collect();
        within(ANSWER, store::raise(db, &piece)).await?;
        self.used.truncate(rest);
        let rest = self.back.len().saturating_sub(PIECE);
        let piece = self.back.split_off(rest);
        let settled = leases.settle(db, now_micros, &piece, false).await;
        if settled.is_err() {
            self.back.extend(piece.into_iter().filter(|ask| ask.seats.is_some())); // others must not take these places
        }
        settled
    }

    /// How many counters give something back, or tell of places.
    #[cfg(test)]
    pub fn telling(&self) -> usize {
        self.back.len()
    }

    pub fn add(&mut self, more: Self) {
        self.used.extend(more.used);
        self.back.extend(more.back);
    }
}

impl Leases {
    /// Counts alone what is newer than these windows, and the places of those that have ended.
    pub fn begin_alone(&self, newest: Newest, elsewhere: Elsewhere) {
        *self.elsewhere.write().unwrap_or_else(PoisonError::into_inner) = elsewhere;
        self.trust.begin_alone();
        *self.alone.write().unwrap_or_else(PoisonError::into_inner) = Some(newest);
    }

    /// Counts by lease from here on; what was counted alone is to be written. A counter that began to count alone while this was called
    /// did so under its lock, before it is looked at here; later ones see that the node is not alone.
    pub fn begin_sharing(&self, table: &Table, now_micros: i64) -> Counted {
        *self.alone.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.sharings.fetch_add(1, Ordering::AcqRel);
        self.trust.end_alone();
        let mut shared = self.rest(now_micros);
        let present = now_micros.div_euclid(1_000_000) - MARGIN;
        // Places that many keys share are told once.
        let mut told: HashSet<usize> = shared.back.iter().map(|ask| Arc::as_ptr(&ask.counter).addr()).collect();
        table.each_counted(|record, counted| {
            for limit in counted.limits.iter().flat_map(Limit::counted) {
                if limit.policy.seats().is_some() {
                    let counter = Arc::as_ptr(&limit.counter).addr();
                    if !told.contains(&counter)
                        && let Some(ask) = limit.tell_seats(record.holder(), now_micros)
                    {
                        told.insert(counter);
                        shared.back.push(ask);
                    }
                    continue;
                }
                limit.counter.hand_over(limit.max(), |number, used| {
                    if window::end(limit.policy.window, number) > present {
                        shared.used.push((limit.slot(record.holder()), number, used));
                    }
                });
            }
        });
        shared
    }

    /// At the end of a node that is alone: what it counted of present windows of less than a minute, which usage does not know. They have
    /// a row then, so the next start goes on from there.
    pub fn end_short(&self, table: &Table, now_micros: i64) -> Counted {
        let (mut short, present) = (Counted::default(), now_micros.div_euclid(1_000_000));
        table.each_counted(|record, counted| {
            for limit in counted.limits.iter().filter(|limit| matches!(limit.policy.window, Window::Seconds(..60))) {
                limit.counter.hand_over(limit.max(), |number, used| {
                    if window::end(limit.policy.window, number) > present {
                        short.used.push((limit.slot(record.holder()), number, used));
                    }
                });
            }
        });
        short
    }

    /// Gives up what is held and not used: to be given back. Places that are taken are told.
    pub fn rest(&self, now_micros: i64) -> Counted {
        let mut back = self.surrender();
        back.extend(self.seats_taken(now_micros));
        Counted { used: Vec::new(), back }
    }
}
