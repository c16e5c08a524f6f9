//! How the key table is loaded and kept current.
//!
//! A commit that changes a key notifies every node (a trigger of 0004), which then reads that key anew. NOTIFY is lost while a
//! connection is away, so a poll stands behind it: every second it reads the keys whose last changing transaction is not older than
//! the oldest transaction that was still running at the poll before (`pg_snapshot_xmin`). A plain revision number would miss a
//! transaction that took its number early and committed late; this can't.

use super::{
    Gate,
    store::{Which, load_apis, oldest_running, read_keys, resume_windows},
};
use crate::{platform::Ctx, values::KeyId};
use sqlx::{PgPool, postgres::PgListener};
use std::{
    collections::HashSet,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The channel of the triggers; the payload is a key's id or `apis`.
const CHANNEL: &str = "keys_changed";
/// How stale a node may be when a notification was lost.
const POLL: Duration = Duration::from_secs(1);
/// Keys read in one statement after a burst of notifications.
const BURST: usize = 1_000;

/// The task that keeps a gate current.
pub struct Sync {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Sync {
    /// Loads the whole table, then keeps it current until `stop`.
    pub async fn start(gate: Arc<Gate>, ctx: &Ctx) -> sqlx::Result<Self> {
        let low = load(&gate, ctx).await?;
        let stop = CancellationToken::new();
        let task = tokio::spawn(follow(gate, ctx.db.clone(), low, stop.clone()));
        Ok(Self { stop, task })
    }

    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!("the key table's follower ended badly: {error}");
        }
    }
}

/// Reads every key and API, and what was used of the present windows. Returns the transaction below which nothing is unread.
async fn load(gate: &Gate, ctx: &Ctx) -> sqlx::Result<i64> {
    let low = oldest_running(&ctx.db).await?;
    load_apis(gate, &ctx.db).await?;
    read_keys(gate, &ctx.db, Which::All).await?;
    resume_windows(gate, ctx).await?;
    gate.is_loaded.store(true, Ordering::Release);
    tracing::info!(keys = gate.len(), "key table loaded");
    Ok(low)
}

async fn follow(gate: Arc<Gate>, db: PgPool, mut low: i64, stop: CancellationToken) {
    let mut listener = None;
    let mut is_away = false;
    loop {
        if listener.is_none() {
            listener = listen(&db).await.ok();
        }
        let heard = tokio::select! {
            () = stop.cancelled() => return,
            heard = hear(&mut listener) => heard,
            () = tokio::time::sleep(POLL) => Heard::Nothing,
        };
        let done = match heard {
            Heard::Keys(keys) => refresh(&gate, &db, &keys).await,
            Heard::Apis => load_apis(&gate, &db).await,
            Heard::Lost => reload(&gate, &db).await,
            Heard::Nothing => poll(&gate, &db, &mut low).await,
        };
        match done {
            Ok(()) if is_away => {
                tracing::info!("the database is back; the key table is current");
                is_away = false;
            }
            Ok(()) => {}
            Err(error) => {
                if !is_away {
                    tracing::warn!("the key table can't be brought up to date, going on with what is known: {error}");
                }
                is_away = true;
                tokio::select! { () = stop.cancelled() => return, () = tokio::time::sleep(POLL) => {} }
            }
        }
    }
}

enum Heard {
    Keys(Vec<KeyId>),
    Apis,
    /// The connection was away: anything may have been missed, removals too.
    Lost,
    Nothing,
}

async fn listen(db: &PgPool) -> sqlx::Result<PgListener> {
    let mut listener = PgListener::connect_with(db).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Waits for a notification and takes those that came with it.
async fn hear(listener: &mut Option<PgListener>) -> Heard {
    let Some(current) = listener else { return std::future::pending().await };
    let first = match current.try_recv().await {
        Ok(Some(first)) => first,
        Ok(None) | Err(_) => {
            *listener = None;
            return Heard::Lost;
        }
    };
    if first.payload() == "apis" {
        return Heard::Apis;
    }
    let mut keys: HashSet<KeyId> = first.payload().parse().map(KeyId::new).into_iter().collect();
    while let Some(next) = current.next_buffered() {
        match next.payload().parse() {
            Ok(id) => _ = keys.insert(KeyId::new(id)),
            Err(_) => return Heard::Lost,
        }
        if keys.len() >= BURST {
            break;
        }
    }
    Heard::Keys(keys.into_iter().collect())
}

async fn poll(gate: &Gate, db: &PgPool, low: &mut i64) -> sqlx::Result<()> {
    let next = oldest_running(db).await?;
    read_keys(gate, db, Which::ChangedSince(*low)).await?;
    *low = next;
    Ok(())
}

async fn reload(gate: &Gate, db: &PgPool) -> sqlx::Result<()> {
    load_apis(gate, db).await?;
    let seen = read_keys(gate, db, Which::All).await?;
    for gone in gate.table.ids_known().into_iter().filter(|id| !seen.contains(id)) {
        gate.table.remove(gone);
    }
    Ok(())
}

/// Reads these keys anew; those that are gone are forgotten.
pub async fn refresh(gate: &Gate, db: &PgPool, keys: &[KeyId]) -> sqlx::Result<()> {
    let seen = read_keys(gate, db, Which::These(keys)).await?;
    for gone in keys.iter().filter(|id| !seen.contains(id)) {
        gate.table.remove(*gone);
    }
    Ok(())
}
