//! Writing what the gate counted: every two seconds one batch, in one transaction, exactly once. Where thousands of keys are in use a batch is work for
//! a part of a second; then fewer are written, so that the counts of the gate leave Postgres most of its time (`rhythm`).
//!
//! A batch has an id. When the database is slow or gone, the same batch is tried again under the same id, with growing pauses, while
//! the meter goes on counting; a batch that was written although its answer was lost is known by its id and not written twice. What a
//! process leaves in its spool when it ends by force is written by the next start, under its id again, however much later that is: an id
//! is forgotten only once no file holds its batch (`retention`). So counts are neither dropped nor doubled.

use super::{
    backlog,
    later::Later,
    rhythm::{LONGEST_PAUSE, longest_pause, patience, rest_after, retry_after, rows_of},
    rows::{Activity, CHUNK, Chunks, Rows},
    store::{
        latency, parts, passed, secrets,
        writing::{self, UnitColumns},
    },
};
use crate::{
    keys::server::{
        gate::Gate,
        jobs::EndReplaced,
        meter::{Batch, LeftOver, Spool, left_over},
    },
    platform::{Ctx, aside::aside, breath::Breath, jobs::enqueue_each},
};
use sqlx::PgConnection;
use std::time::Duration;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const EVERY: Duration = Duration::from_secs(2);
/// How long an orderly end waits for the database.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// The thread that writes. One of its own, as sorting what 20,000 keys counted takes a tenth of a second, for which no call is to wait.
pub struct Flusher {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Flusher {
    /// Starts writing what `take` gives (the gate's meter).
    pub fn start(ctx: Ctx, take: impl Fn() -> Batch + Send + Sync + 'static) -> Self {
        Self::start_every(ctx, EVERY, take)
    }

    /// With another rhythm; tests are impatient.
    pub fn start_every(ctx: Ctx, every: Duration, take: impl Fn() -> Batch + Send + Sync + 'static) -> Self {
        let stop = CancellationToken::new();
        let task = aside(run(ctx, every, take, stop.clone()));
        Self { stop, task }
    }

    /// Writes what is left and ends. Call it when nothing counts any more.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!("the flusher ended badly, what it had not written waits in the data folder for the next start: {error}");
        }
    }
}

/// What is known from one batch to the next.
#[derive(Default)]
struct Written {
    /// Earlier batches that no file holds any more, of which Postgres was not told.
    closed: Vec<Uuid>,
    /// When the keys of the last batch were last used: most of the next one's were in the same minute, and nothing is to be written of them.
    activity: Activity,
    later: Later,
}

impl Written {
    /// What `take` gives, with what was kept for later and is due; none if that is nothing.
    fn next(&mut self, take: &impl Fn() -> Batch, is_last: bool) -> Option<Batch> {
        let mut batch = take();
        self.later.exchange(&mut batch, is_last);
        (!batch.is_empty() || !batch.permissions.is_empty()).then_some(batch)
    }
}

async fn run(ctx: Ctx, every: Duration, take: impl Fn() -> Batch, stop: CancellationToken) {
    let mut pending = None;
    let mut written = Written::default();
    let (mut pause, mut failed) = (every, None);
    while stop.run_until_cancelled(sleep(pause)).await.is_some() {
        pending = pending.or_else(|| written.next(&take, false));
        let Some(batch) = &pending else {
            pause = every;
            continue;
        };
        let (began, mut breath) = (Instant::now(), if failed.is_some() { Breath::default() } else { Breath::steady() });
        // A try is not interrupted by the end: its answer is wanted.
        match attempt(&ctx, batch, &mut written, &mut breath).await {
            Ok(()) => {
                pause = rest_after(rows_of(batch), began.elapsed(), breath.taken(), every);
                (pending, failed) = (None, None);
            }
            Err((error, longest)) => {
                pause = retry_after(failed, every, longest);
                failed = Some(pause);
                tracing::warn!(batch = %batch.id, pause_seconds = pause.as_secs(), "usage is kept and will be written again: {error}");
            }
        }
    }
    if timeout(LAST_WORDS, finish(&ctx, pending, &take, &mut written)).await.is_err() {
        tracing::error!("the database did not take the last usage in {} seconds; it waits in the data folder for the next start", LAST_WORDS.as_secs());
    }
}

/// The batch on its way, then what was counted since.
async fn finish(ctx: &Ctx, pending: Option<Batch>, take: &impl Fn() -> Batch, written: &mut Written) {
    let mut pending = pending.or_else(|| written.next(take, true));
    while let Some(batch) = &pending {
        match attempt(ctx, batch, written, &mut Breath::default()).await {
            Ok(()) => pending = written.next(take, true),
            Err((error, _)) => {
                tracing::warn!(batch = %batch.id, "the last usage is tried again: {error}");
                sleep(Duration::from_millis(500)).await;
            }
        }
    }
    if let Err(error) = close(ctx, &written.closed).await {
        tracing::debug!("the ids of the last batches are kept for longer: {error}");
    }
}

/// These batches are in Postgres and no file holds them.
async fn close(ctx: &Ctx, ids: &[Uuid]) -> sqlx::Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut conn = ctx.db.acquire().await?;
    writing::close_batches(&mut conn, ids).await
}

/// Fails with why, and with how long to wait at most.
async fn attempt(ctx: &Ctx, batch: &Batch, written: &mut Written, breath: &mut Breath) -> Result<(), (String, Duration)> {
    backlog::leaves(ctx, rows_of(batch));
    let mut rows = Rows::of(ctx, batch);
    let tried = match timeout(patience(batch), write(ctx, batch.id, batch, &mut rows, written, breath)).await {
        Ok(Ok(is_new)) => {
            if is_new {
                written.closed.clear();
            }
            written.activity = rows.activity;
            if let Some(gate) = ctx.part::<Gate>() {
                gate.keep_recent(batch);
            }
            if batch.spooled.forget() {
                written.closed.push(batch.id);
            }
            Ok(())
        }
        Ok(Err(error)) => Err((error.to_string(), longest_pause(&error))),
        Err(_) => Err(("no answer in time".to_owned(), LONGEST_PAUSE)),
    };
    backlog::ends(ctx, tried.is_ok());
    tried
}

/// Chunk by chunk, with a breath after each.
macro_rules! write_chunks {
    ($tx:ident, $breath:ident, $($chunks:expr => $insert:path),+ $(,)?) => {
        $(for chunk in &mut $chunks {
            $insert(&mut $tx, &chunk).await?;
            $breath.take().await;
        })+
    };
}

/// Writes a batch in one transaction; false if it was written before.
pub async fn write_batch(ctx: &Ctx, id: Uuid, batch: &Batch) -> sqlx::Result<bool> {
    write(ctx, id, batch, &mut Rows::of(ctx, batch), &Written::default(), &mut Breath::default()).await
}

/// The same; in its transaction also that no file holds the batches any more that are `written` and closed.
async fn write(ctx: &Ctx, id: Uuid, batch: &Batch, rows: &mut Rows<'_>, written: &Written, breath: &mut Breath) -> sqlx::Result<bool> {
    let news = rows.activity.iter().filter(|used| written.activity.binary_search(used).is_err());
    let (keys, last_used): (Vec<_>, Vec<_>) = news.copied().unzip();
    let firsts = batch.uses.iter().filter(|u| !u.ends.is_empty());
    let replaced: Vec<EndReplaced> = firsts.map(|first| EndReplaced { key: first.key, by: first.secret, ends: first.ends.clone() }).collect();
    let mut tx = ctx.db.begin().await?;
    writing::hold_rollups(&mut tx).await?;
    if !writing::insert_batch(&mut tx, id, ctx.clock.now()).await? {
        return Ok(false);
    }
    if !written.closed.is_empty() {
        writing::close_batches(&mut tx, &written.closed).await?;
    }
    write_chunks!(tx, breath, rows.minutes => writing::insert_minutes, rows.quarters => writing::insert_quarters);
    for (keys, last_used) in keys.chunks(CHUNK).zip(last_used.chunks(CHUNK)) {
        writing::update_activity(&mut tx, keys, last_used).await?;
        breath.take().await;
    }
    write_chunks!(
        tx, breath,
        rows.attempts => writing::insert_attempts,
        rows.samples => writing::insert_samples,
        rows.passed => passed::insert_passed,
        rows.uses => writing::update_uses,
        rows.latency_quarters => latency::insert_quarters,
        rows.latency_days => latency::insert_days,
        rows.addresses => parts::insert_addresses,
        rows.permissions => parts::insert_permissions,
        rows.secrets => secrets::insert_calls,
    );
    enqueue_each(ctx, &mut tx, &replaced).await?;
    write_units(&mut tx, &mut rows.units, breath).await?;
    tx.commit().await?;
    Ok(true)
}

/// What keys use together of limits that they share. Most workspaces have none, and nothing is written of them.
async fn write_units(conn: &mut PgConnection, chunks: &mut Chunks<'_, UnitColumns>, breath: &mut Breath) -> sqlx::Result<()> {
    let (mut asked, mut sharing) = (Vec::new(), Vec::new());
    for mut chunk in chunks {
        let mut workspaces = chunk.workspace.clone();
        workspaces.dedup(); // they come in order
        if workspaces != asked {
            sharing = writing::list_sharing(conn, &workspaces).await?;
            asked = workspaces;
            breath.take().await;
        }
        chunk.retain(|workspace| sharing.contains(workspace));
        if !chunk.key.is_empty() {
            writing::insert_shared_hours(conn, &chunk).await?;
            breath.take().await;
        }
    }
    Ok(())
}

/// Writes what processes left in the data folder that ended before they could. Before the key table is loaded, so that the limits of
/// the present windows know of it; those of less than a minute by what this process's `spool` takes over. Answers what is left, to be closed
/// (`close_left_over`) when these processes are forgotten as nodes: if this one ends before, the next start does that.
pub async fn write_left_over(ctx: &Ctx, spool: &Spool) -> Result<Vec<LeftOver>, LeftOverError> {
    let all = left_over(&ctx.config.server.data_dir)?;
    for left in &all {
        for batch in &left.batches {
            let is_new = write_batch(ctx, batch.id, batch).await?;
            tracing::info!(batch = %batch.id, counts = batch.counts.len(), is_new, "usage that an earlier process could not write");
        }
        // A full disk keeps no server from starting.
        if let Err(error) = spool.adopt(left, ctx.clock.now_micros()) {
            tracing::warn!("limits of less than a minute may begin anew: {error}");
        }
    }
    Ok(all)
}

/// Their folders go.
pub async fn close_left_over(ctx: &Ctx, all: Vec<LeftOver>) -> Result<(), LeftOverError> {
    for left in all {
        close(ctx, &left.done()?).await?;
    }
    Ok(())
}

/// What an earlier process left can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LeftOverError {
    #[error("the spool in the data folder can't be read: {0}")]
    Spool(#[from] std::io::Error),
    #[error("usage of an earlier process can't be written: {0}")]
    Database(#[from] sqlx::Error),
}
