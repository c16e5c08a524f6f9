//! Places beside other nodes: which of them are looked at once a second, and what is asked of the table.

use super::{
    store,
    taken::{Look, Request},
};
use crate::{
    keys::server::gate::{
        leases::{Ask, Lease, Leases, Slot, lock},
        limit::Counter,
    },
    platform::clock::steady_millis,
};
use sqlx::PgPool;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError},
};
use uuid::Uuid;

/// Places that nodes had which have ended: by holder and name how many, and until which millisecond of this node.
#[derive(Debug, Default)]
pub struct Elsewhere(HashMap<Uuid, Vec<(Box<str>, u32, u64)>>);

impl Elsewhere {
    pub fn add(&mut self, holder: Uuid, name: &str, places: u32, until: u64) {
        self.0.entry(holder).or_default().push((name.into(), places, until));
    }

    fn count(&self, holder: Uuid, name: &str) -> u32 {
        if self.0.is_empty() {
            return 0;
        }
        let now = steady_millis();
        let taken = self.0.get(&holder).into_iter().flatten().filter(|(of, _, until)| &**of == name && *until > now);
        taken.map(|(_, places, _)| *places).fold(0, u32::saturating_add)
    }
}

impl Leases {
    /// How many places nodes have which have ended.
    pub(super) fn elsewhere(&self, holder: Uuid, name: &str) -> u32 {
        self.elsewhere.read().unwrap_or_else(PoisonError::into_inner).count(holder, name)
    }

    /// Looks at this limit from now on.
    pub(super) fn watch(&self, slot: Slot, counter: &Arc<Counter>) {
        lock(&self.seats).insert(Arc::as_ptr(counter).addr(), (slot, Arc::clone(counter)));
    }

    /// Called once a second: tells what lasts long, renews what is lent, gives back what lies idle.
    pub fn look_at_seats(&self, now_micros: i64) {
        let (is_alone, steady, mut asks) = (self.is_alone(), steady_millis(), Vec::new());
        lock(&self.seats).retain(|_, (slot, counter)| {
            if Arc::strong_count(counter) == 1 {
                return false; // the limit has ended, and its places are forgotten with it
            }
            let mut held = counter.lease();
            let Some(seats) = held.as_deref_mut().map(Lease::seats) else { return false };
            let look = seats.look(is_alone, now_micros, steady);
            seats.is_watched = !matches!(look, Look::Forget | Look::GiveUp);
            match look {
                Look::Nothing | Look::Forget => {}
                Look::Tell | Look::GiveUp => asks.push(Ask::of_seats(slot, counter, seats.terms(), false)),
                Look::Renew => asks.push(Ask::of_seats(slot, counter, seats.terms(), true)),
            }
            seats.is_watched
        });
        if !asks.is_empty() {
            self.push(asks);
        }
    }

    /// What is taken, which others are to count until it ends.
    pub fn seats_taken(&self, now_micros: i64) -> Vec<Ask> {
        let watched = lock(&self.seats);
        let told = watched.values().filter(|(_, counter)| Arc::strong_count(counter) > 1).filter_map(|(slot, counter)| {
            let mut held = counter.lease();
            let seats = held.as_deref_mut()?.seats();
            seats.tells(now_micros).then(|| Ask::of_seats(slot, counter, seats.terms(), false))
        });
        told.collect()
    }

    /// Asks the table for those among these that are places, and gives them what was lent.
    pub async fn settle_seats(&self, db: &PgPool, now_micros: i64, asks: &[Ask]) -> sqlx::Result<()> {
        let (mut named, mut asked) = (HashSet::new(), Vec::<(&Ask, Request)>::new());
        for ask in asks {
            let Some(terms) = ask.seats.filter(|_| named.insert((ask.slot.holder, &*ask.slot.name))) else { continue };
            let need = u32::try_from(ask.need).unwrap_or(u32::MAX);
            let mut counter = ask.counter.lease();
            let seats = counter.get_or_insert_default().seats();
            let request = seats.request(ask.refills.then_some(terms), (need, ask.refills), self.turn(), now_micros, steady_millis());
            drop(counter);
            asked.push((ask, request));
        }
        // Transactions of a bounded number of locks. A limit stands in one of them, so it is decided under its own lock as before; what a
        // transaction lent is had before the next one is asked.
        for few in asked.chunks(store::LOCKS) {
            let answers = store::ask(db, self.me(), few, self.share()).await?;
            let now = steady_millis();
            for (place, given, left) in answers {
                let Some((ask, request)) = few.get(place) else { continue };
                let is_new = ask.counter.lease().as_deref_mut().map(Lease::seats).is_some_and(|seats| {
                    seats.answered(request, given, left, now);
                    given > 0 && !std::mem::replace(&mut seats.is_watched, true)
                });
                if is_new {
                    self.watch(ask.slot.clone(), &ask.counter); // nobody may take what was lent
                }
            }
        }
        Ok(())
    }
}
