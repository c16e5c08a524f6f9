//! Sealing: what waits is linked into the chain, in the order in which it was written, by one process at a time.
//!
//! Events are not linked in their own transactions: each would hold the lock of the chain until it commits, so every change of the
//! product would wait for every other (measured with eight at once and 2 ms of other work in each: 330 a second instead of 2,500), and
//! two that lock other rows in another order would wait for each other for good. What is written there instead is the entry with its
//! voucher; from then on no edit goes unseen. Only who removes an event together with its waiting entry, before the second or two until
//! it is sealed are over, leaves no trace.

use super::{
    entry::{Entry, Kind, Link, key_id, key_ids},
    store::{self, Waiting},
};
use crate::{
    error::AppError,
    platform::{Ctx, key_ring},
};
use sqlx::PgConnection;
use std::{collections::HashMap, time::Duration};
use time::OffsetDateTime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// So many are linked in one transaction.
const BATCH: i64 = 500;
/// How often a process that works on jobs looks for what waits.
const EVERY: Duration = Duration::from_secs(2);

/// Links everything that waits; says how many links were made. Safe to call at once from everywhere.
pub async fn seal(ctx: &Ctx) -> Result<u64, AppError> {
    let (keys, mut sealed) = (key_ids(&ctx.vault), 0);
    // Without the lock, where there is nothing to do.
    while store::is_waiting(&ctx.db, &keys).await? {
        sealed += append(ctx, &keys).await?;
    }
    Ok(sealed)
}

async fn append(ctx: &Ctx, keys: &[String]) -> Result<u64, AppError> {
    let mut tx = ctx.db.begin().await?;
    store::lock_chain(&mut tx).await?;
    if let Some(key) = store::find_last_key(&mut *tx).await?
        && !keys.contains(&key)
        && !is_given_up(&mut tx, &key).await?
    {
        // A process with another key (a wrong data folder, say) would break the chain for who has the right one.
        return Err(AppError::conflict(format!("The audit log is sealed with the master key {key}, and {} is here. Nothing was sealed.", keys.join(", "))));
    }
    let waiting = store::list_waiting(&mut *tx, 0, Some(keys), BATCH).await?;
    let mut is_started = store::has_start(&mut *tx).await?;
    let adopted = if is_started { HashMap::new() } else { found(&mut tx, &waiting).await? };
    let (number, mac) = store::find_head(&mut *tx).await?.map_or((0, Vec::new()), |(head, _)| (head.number, head.mac));
    let mut chain = Chain { ctx, key: key_id(&ctx.vault), at: ctx.clock.now(), number, mac, links: Vec::new() };
    let (mut done, mut refused) = (Vec::new(), Vec::new());
    for waits in &waiting {
        match (waits.kind, &waits.entry) {
            // What was there before stands before the start; afterwards nobody brings anything in so.
            (Kind::Adopted, _) if !is_started => {
                if let Some(entry) = adopted.get(&waits.event) {
                    chain.append(entry.clone());
                }
            }
            (Kind::Event | Kind::Erased, Some(entry)) if is_vouched_for(ctx, waits, entry) => {
                if !is_started {
                    chain.append(Entry::start());
                    is_started = true;
                }
                chain.append(entry.clone());
            }
            _ => {
                refused.push(waits.number);
                continue;
            }
        }
        done.push(waits.number);
    }
    let is_all = (waiting.len() as u64) < BATCH.unsigned_abs();
    if !is_started && is_all && !waiting.is_empty() {
        chain.append(Entry::start());
    }
    store::insert_links(&mut tx, &chain.links, chain.at).await?;
    store::delete_waiting(&mut tx, &done).await?;
    store::refuse_waiting(&mut tx, &refused).await?;
    tx.commit().await?;
    if !refused.is_empty() {
        tracing::error!(entries = refused.len(), "entries of the audit log were not made by Tollgate and are refused: run `tollgate audit verify`");
    }
    Ok(chain.links.len() as u64)
}

/// Whether an operator gave this key up, lost or not (`tollgate master-key drop`): then the chain goes on under another one.
async fn is_given_up(conn: &mut PgConnection, key: &str) -> sqlx::Result<bool> {
    Ok(key_ring::list(conn).await?.iter().any(|known| known.id == key && known.dropped_at.is_some()))
}

/// The events from before the chain, as they are found.
async fn found(conn: &mut PgConnection, waiting: &[Waiting]) -> sqlx::Result<HashMap<Uuid, Entry>> {
    let ids: Vec<Uuid> = waiting.iter().filter(|waits| waits.kind == Kind::Adopted).map(|waits| waits.event).collect();
    let rows = store::list_rows(conn, &ids).await?;
    Ok(rows.iter().map(|row| (row.id, Entry::of(Kind::Adopted, row))).collect())
}

/// Whether it was written by who has the key.
pub(super) fn is_vouched_for(ctx: &Ctx, waits: &Waiting, entry: &Entry) -> bool {
    entry.voucher(&ctx.vault, &waits.key).is_some_and(|voucher| voucher[..] == waits.voucher[..])
}

/// The end of the chain, as it grows.
struct Chain<'a> {
    ctx: &'a Ctx,
    key: String,
    at: OffsetDateTime,
    number: i64,
    mac: Vec<u8>,
    links: Vec<Link>,
}

impl Chain<'_> {
    fn append(&mut self, entry: Entry) {
        let number = self.number + 1;
        let mut link = Link { number, at: self.at, entry, key: self.key.clone(), previous: std::mem::take(&mut self.mac), mac: Vec::new() };
        link.mac = link.mac_at(&self.ctx.vault, number).map(Vec::from).unwrap_or_default();
        self.mac.clone_from(&link.mac);
        self.number = number;
        self.links.push(link);
    }
}

/// The task that seals, in each process that works on jobs.
pub struct Sealer {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Sealer {
    pub fn start(ctx: Ctx) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(work(ctx, stop.clone()));
        Self { stop, task }
    }

    /// Seals what waits, and ends.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!("the sealing of the audit log ended badly: {error}");
        }
    }
}

async fn work(ctx: Ctx, stop: CancellationToken) {
    let mut is_in_trouble = false;
    loop {
        let is_last = stop.is_cancelled();
        match seal(&ctx).await {
            Ok(_) if is_in_trouble => {
                is_in_trouble = false;
                tracing::info!("the audit log is sealed again");
            }
            Ok(_) => {}
            Err(error) if !is_in_trouble => {
                is_in_trouble = true;
                tracing::warn!("the audit log can't be sealed now; what is written meanwhile waits: {error}");
            }
            Err(_) => {}
        }
        if is_last {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
