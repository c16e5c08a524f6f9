//! Asking the table: whatever wants more, or gives something back, goes into one statement. While that is under way the next one
//! gathers, so calls never wait for more than two of them.

use super::{
    ByCounter, Lease, Leases, Slot, Unleased, Wanted, lock,
    store::{self, Whole},
};
use crate::{
    keys::server::gate::{Gate, limit::Counter, seats::Terms, sync::within, window},
    platform::clock::steady_millis,
};
use sqlx::PgPool;
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, timeout_at};
use tokio_util::sync::CancellationToken;

/// A call waits for a lease no longer.
pub const PATIENCE: Duration = Duration::from_millis(500);
/// The table answers within this time, or is away.
pub(super) const ANSWER: Duration = Duration::from_secs(2);
/// So many counters in one statement.
const CHUNK: usize = 1_000;
/// How often it is looked for leases that lie idle.
const LOOK: Duration = Duration::from_secs(1);

/// One counter that wants something of the table, or gives back.
#[derive(Debug, Clone)]
pub struct Ask {
    pub slot: Slot,
    pub counter: Arc<Counter>,
    pub max: u64,
    /// What calls wait for, in the unit of the limit.
    pub need: u64,
    /// False if it only tells.
    pub refills: bool,
    /// It is about places of a limit of calls at the same time.
    pub seats: Option<Terms>,
}

impl Ask {
    /// One that only tells the table what it must know: what comes back, what was used before.
    pub fn telling(slot: &Slot, counter: &Arc<Counter>) -> Self {
        Self { slot: slot.clone(), counter: Arc::clone(counter), max: 0, need: 0, refills: false, seats: None }
    }

    /// One about places: `refills` if this node goes on taking some.
    pub fn of_seats(slot: &Slot, counter: &Arc<Counter>, terms: Terms, refills: bool) -> Self {
        Self { refills, seats: Some(terms), ..Self::telling(slot, counter) }
    }
}

/// What is to be asked next, and the number of that round.
#[derive(Debug, Default)]
pub struct Queue {
    round: u64,
    asks: ByCounter<Ask>,
}

/// The last round that was asked, and whether it was answered.
#[derive(Debug, Default)]
pub struct Done {
    round: u64,
    is_told: bool,
}

impl Leases {
    /// Puts these into the next round, and answers its number.
    pub fn push(&self, asks: impl IntoIterator<Item = Ask>) -> u64 {
        let mut queue = lock(&self.queue);
        for ask in asks {
            let known = queue.asks.entry(address(&ask.counter)).or_insert_with(|| Ask { need: 0, ..ask.clone() });
            known.need += ask.need;
            if ask.refills {
                (known.refills, known.max, known.seats) = (true, ask.max, ask.seats);
            }
        }
        let round = queue.round + 1;
        drop(queue);
        self.wake.notify_one();
        round
    }

    /// Waits until the table was asked for these.
    pub async fn wait(&self, wanted: Wanted, deadline: Instant) -> Result<(), Unleased> {
        let mut done = self.done.subscribe();
        let round = self.push(wanted.0);
        match timeout_at(deadline, done.wait_for(|done| done.round >= round)).await {
            Ok(Ok(done)) if done.is_told => Ok(()),
            _ => Err(Unleased),
        }
    }

    /// Asks the table, and gives every counter what it was given. A counter whose name was asked for by another in the same statement
    /// is left out: it asks again. With `takes_over` windows that ask for more are counted alone from here on, if this node still is.
    pub async fn settle(&self, db: &PgPool, now_micros: i64, asks: &[Ask], takes_over: bool) -> sqlx::Result<()> {
        let sharings = self.sharings();
        let may_take_over = || self.is_alone() && self.sharings() == sharings;
        if let Err(error) = self.settle_debts(db).await {
            asks.iter().for_each(|ask| with_lease(ask, Lease::missed));
            return Err(error);
        }
        for (n, chunk) in asks.chunks(CHUNK).enumerate() {
            let rows = self.requests(now_micros, chunk, takes_over && may_take_over());
            let asked = async {
                self.settle_seats(db, now_micros, chunk).await?;
                store::ask(db, &rows, self.share()).await
            };
            let answers = match within(ANSWER, asked).await {
                Ok(answers) => answers,
                Err(error) => {
                    asks[n * CHUNK..].iter().for_each(|ask| with_lease(ask, Lease::missed)); // the later chunks are not asked either
                    return Err(error);
                }
            };
            let (now, mut answered) = (steady_millis(), HashSet::new());
            for answer in answers {
                let Some(row) = rows.get(answer.place) else { continue };
                answered.insert(answer.place);
                let is_taken_over = match answer.whole {
                    Some(Whole::Window(granted)) => row.ask.counter.take_over(may_take_over, row.request.window, granted),
                    Some(Whole::Ring(ring)) => row.ask.counter.take_over_ring(may_take_over, *ring),
                    None => false,
                };
                if is_taken_over {
                    continue;
                }
                with_lease(row.ask, |lease| match answer.part {
                    Some(part) => lease.take_part(row.request.clone(), part, answer.given, answer.left, now),
                    None => lease.take(&row.request, answer.given, answer.left, now),
                });
                if answer.given > 0 {
                    lock(&self.holding).insert(address(&row.ask.counter), (row.ask.slot.clone(), Arc::clone(&row.ask.counter)));
                }
            }
            rows.iter().enumerate().filter(|(place, _)| !answered.contains(place)).for_each(|(_, row)| with_lease(row.ask, Lease::lost));
        }
        Ok(())
    }

    /// What these counters ask of the table now. One that counts alone by now asks for nothing.
    fn requests<'a>(&self, now_micros: i64, asks: &'a [Ask], takes_over: bool) -> Vec<store::Row<'a>> {
        let (now, mut named) = (steady_millis(), HashSet::new());
        let mut rows = Vec::with_capacity(asks.len());
        for ask in asks.iter().filter(|ask| ask.seats.is_none()) {
            let number = window::number(ask.slot.window, now_micros);
            with_lease(ask, |lease| {
                if !ask.counter.is_leased() {
                    return;
                }
                if ask.slot.window.is_credits() && self.owes_of(&ask.slot) {
                    return lease.missed(); // the answer would not know of it; the next round tells that first
                }
                if ask.refills {
                    lease.turn(number, ask.max);
                }
                if !named.insert((&ask.slot, lease.window())) {
                    return lease.missed();
                }
                let takes_over = takes_over && ask.refills && self.may_take_over(ask.slot.window, lease.window());
                if takes_over {
                    // Nothing may be charged to the lease any more while the table is asked what was given out.
                    lease.surrender();
                    rows.push(store::Row { ask, request: lease.request(0, false, now), takes_over });
                    return;
                }
                rows.push(store::Row { ask, request: lease.request(ask.need, ask.refills, now), takes_over });
            });
        }
        rows
    }

    /// Gives back what lay idle: called once a second. A node that is alone keeps all but credits.
    fn return_idle(&self) {
        let (is_alone, mut back) = (self.is_alone(), Vec::new());
        lock(&self.holding).retain(|_, (slot, counter)| {
            if is_alone && !slot.window.is_credits() {
                return true;
            }
            let mut held = counter.lease();
            let Some(lease) = held.as_deref_mut() else { return false };
            let gives_back = lease.is_idle() && lease.surrender();
            if gives_back {
                back.push(Ask::telling(slot, counter));
            }
            lease.holds()
        });
        if !back.is_empty() {
            self.push(back);
        }
    }

    /// Gives up everything that is held and not used; the asks that tell the table.
    pub fn surrender(&self) -> Vec<Ask> {
        let held = std::mem::take(&mut *lock(&self.holding));
        let gives_back = |counter: &Counter| counter.lease().as_deref_mut().is_some_and(Lease::surrender);
        held.into_values().filter(|(_, counter)| gives_back(counter)).map(|(slot, counter)| Ask::telling(&slot, &counter)).collect()
    }

    fn next(&self) -> (u64, Vec<Ask>) {
        let mut queue = lock(&self.queue);
        queue.round += 1;
        (queue.round, std::mem::take(&mut queue.asks).into_values().collect())
    }
}

fn with_lease(ask: &Ask, act: impl FnOnce(&mut Lease)) {
    if let Some(lease) = ask.counter.lease().as_deref_mut() {
        act(lease);
    }
}

fn address(counter: &Arc<Counter>) -> usize {
    Arc::as_ptr(counter).addr()
}

/// The task that asks, until `stop`.
pub async fn lend(gate: Arc<Gate>, db: PgPool, stop: CancellationToken) {
    let leases = gate.leases();
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_away = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = leases.wake.notified() => {}
            _ = looks.tick() => {
                leases.return_idle();
                leases.look_at_seats(gate.clock.now_micros());
            }
        }
        let (round, asks) = leases.next();
        if asks.is_empty() && !leases.is_behind() {
            continue;
        }
        // While what keys used before is added to new counters, none is taken over: it is added to the one or to the table, not to both.
        let nobody_resumes = gate.resuming.try_lock();
        let takes_over = nobody_resumes.is_ok() && gate.begun().is_empty();
        let asked = leases.settle(&db, gate.clock.now_micros(), &asks, takes_over).await;
        drop(nobody_resumes);
        match &asked {
            Ok(()) => {
                leases.is_answered();
                is_away = false;
            }
            Err(error) => {
                leases.is_unanswered();
                if !is_away {
                    tracing::warn!("no limits can be leased, what is held goes on: {error}");
                }
                is_away = true;
            }
        }
        leases.done.send_replace(Done { round, is_told: asked.is_ok() });
    }
}
