//! Writing what the gate counted: every two seconds one batch, in one transaction, exactly once. Where very many keys are in use a batch costs
//! Postgres a second; then fewer are written, so that the counts of the gate leave it most of its time (`rhythm`).
//!
//! A batch has an id. When the database is slow or gone, the same batch is tried again under the same id, with growing pauses, while
//! the meter goes on counting; a batch that was written although its answer was lost is known by its id and not written twice. What a
//! process leaves in its spool when it ends by force is written by the next start, under its id again, however much later that is: an id
//! is forgotten only once no file holds its batch (`retention`). So counts are neither dropped nor doubled.

use super::{
    backlog,
    calendar::instant,
    rhythm::{LONGEST_PAUSE, longest_pause, patience, rest_after},
    store::{
        latency::{self, LatencyColumns},
        parts::{self, PartColumns},
        passed::{self, PassedColumns},
        secrets::{self, SecretColumns},
        writing::{self, AttemptColumns, CountColumns, SampleColumns, UnitColumns, UseColumns},
    },
};
use crate::{
    keys::server::{
        gate::Gate,
        jobs::EndReplaced,
        meter::{Batch, LeftOver, Refusal, SecretUse, Spool, WithSecret, addresses::told, left_over},
    },
    platform::{Ctx, aside::aside, jobs::enqueue_each},
    values::{Counts, Outcome},
};
use jiff::Timestamp;
use std::{collections::BTreeMap, time::Duration};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const EVERY: Duration = Duration::from_secs(2);
/// How long an orderly end waits for the database.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// Rows in one statement.
pub(super) const CHUNK: usize = 5_000;
/// Quarters of an hour.
const QUARTERS_OF_A_DAY: i64 = 96;
/// Routes and details are cut here: an index entry must fit a page, and callers name the routes.
const TEXT: usize = 200;

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

fn some(batch: Batch) -> Option<Batch> {
    (!batch.is_empty()).then_some(batch)
}

async fn run(ctx: Ctx, every: Duration, take: impl Fn() -> Batch, stop: CancellationToken) {
    let mut pending = None;
    let mut closed = Vec::new();
    let mut pause = every;
    while stop.run_until_cancelled(sleep(pause)).await.is_some() {
        pending = pending.or_else(|| some(take()));
        let Some(batch) = &pending else { continue };
        let began = Instant::now();
        // A try is not interrupted by the end: its answer is wanted.
        match attempt(&ctx, batch, &mut closed).await {
            Ok(()) => {
                pending = None;
                pause = rest_after(began.elapsed(), every);
            }
            Err((error, longest)) => {
                pause = (pause * 2).min(longest);
                tracing::warn!(batch = %batch.id, pause_seconds = pause.as_secs(), "usage is kept and will be written again: {error}");
            }
        }
    }
    if timeout(LAST_WORDS, finish(&ctx, pending, &take, &mut closed)).await.is_err() {
        tracing::error!("the database did not take the last usage in {} seconds; it waits in the data folder for the next start", LAST_WORDS.as_secs());
    }
}

/// The batch on its way, then what was counted since.
async fn finish(ctx: &Ctx, pending: Option<Batch>, take: &impl Fn() -> Batch, closed: &mut Vec<Uuid>) {
    let mut pending = pending.or_else(|| some(take()));
    while let Some(batch) = &pending {
        match attempt(ctx, batch, closed).await {
            Ok(()) => pending = some(take()),
            Err((error, _)) => {
                tracing::warn!(batch = %batch.id, "the last usage is tried again: {error}");
                sleep(Duration::from_millis(500)).await;
            }
        }
    }
    if let Err(error) = close(ctx, closed).await {
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

/// `closed`: earlier batches that no file holds any more, of which Postgres was not told; this one joins them. Fails with why, and with how long to
/// wait at most.
async fn attempt(ctx: &Ctx, batch: &Batch, closed: &mut Vec<Uuid>) -> Result<(), (String, Duration)> {
    backlog::leaves(ctx, batch.counts.len() + batch.unknown.len());
    let tried = match timeout(patience(batch), write(ctx, batch.id, batch, closed)).await {
        Ok(Ok(is_new)) => {
            if is_new {
                closed.clear();
            }
            if let Some(gate) = ctx.part::<Gate>() {
                gate.keep_recent(batch);
            }
            if batch.spooled.forget() {
                closed.push(batch.id);
            }
            Ok(())
        }
        Ok(Err(error)) => Err((error.to_string(), longest_pause(&error))),
        Err(_) => Err(("no answer in time".to_owned(), LONGEST_PAUSE)),
    };
    backlog::ends(ctx, tried.is_ok());
    tried
}

/// Writes a batch in one transaction; false if it was written before.
pub async fn write_batch(ctx: &Ctx, id: Uuid, batch: &Batch) -> sqlx::Result<bool> {
    write(ctx, id, batch, &[]).await
}

/// The same; in its transaction also that no file holds the `closed` ones any more.
async fn write(ctx: &Ctx, id: Uuid, batch: &Batch, closed: &[Uuid]) -> sqlx::Result<bool> {
    // Sorted before the transaction begins: while it is open nothing else is waited for.
    let (minutes, quarters, activity) = counts(batch);
    let (keys, last_used): (Vec<_>, Vec<_>) = activity.into_iter().unzip();
    let (attempts, samples, passed, uses, units) = (attempts(batch), samples(ctx, batch), passed_of(ctx, batch), uses(batch), units(batch));
    let (of_quarters, of_days) = (latencies(batch, 1), latencies(batch, QUARTERS_OF_A_DAY));
    let (addresses, permissions, secrets) = (addresses_of(batch), permissions_of(batch), secrets_of(batch));
    let firsts = batch.uses.iter().filter(|u| !u.ends.is_empty());
    let replaced: Vec<EndReplaced> = firsts.map(|first| EndReplaced { key: first.key, by: first.secret, ends: first.ends.clone() }).collect();
    let mut tx = ctx.db.begin().await?;
    if !writing::insert_batch(&mut tx, id, ctx.clock.now()).await? {
        return Ok(false);
    }
    if !closed.is_empty() {
        writing::close_batches(&mut tx, closed).await?;
    }
    // Chunks bound the size of one statement, not the number of round trips per row.
    for chunk in &minutes {
        writing::insert_minutes(&mut tx, chunk).await?;
    }
    for chunk in &quarters {
        writing::insert_quarters(&mut tx, chunk).await?;
    }
    for (keys, last_used) in keys.chunks(CHUNK).zip(last_used.chunks(CHUNK)) {
        writing::update_activity(&mut tx, keys, last_used).await?;
    }
    for chunk in &attempts {
        writing::insert_attempts(&mut tx, chunk).await?;
    }
    for chunk in &samples {
        writing::insert_samples(&mut tx, chunk).await?;
    }
    for chunk in &passed {
        passed::insert_passed(&mut tx, chunk).await?;
    }
    for chunk in &uses {
        writing::update_uses(&mut tx, chunk).await?;
    }
    for chunk in &of_quarters {
        latency::insert_quarters(&mut tx, chunk).await?;
    }
    for chunk in &of_days {
        latency::insert_days(&mut tx, chunk).await?;
    }
    for chunk in &addresses {
        parts::insert_addresses(&mut tx, chunk).await?;
    }
    for chunk in &permissions {
        parts::insert_permissions(&mut tx, chunk).await?;
    }
    for chunk in &secrets {
        secrets::insert_calls(&mut tx, chunk).await?;
    }
    enqueue_each(ctx, &mut tx, &replaced).await?;
    for chunk in &units {
        writing::insert_shared_hours(&mut tx, chunk).await?;
    }
    tx.commit().await?;
    Ok(true)
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

type Activity = BTreeMap<Uuid, time::OffsetDateTime>;

/// Rows by key, minute, route and outcome, sorted and summed: workspace, API, count, cost.
type Counted = BTreeMap<(Uuid, i64, String, &'static str), (Uuid, Uuid, i64, i64)>;

/// Rows as columns for `unnest`, in chunks.
fn chunked<R, C: Default>(rows: impl ExactSizeIterator<Item = R>, push: impl Fn(&mut C, R)) -> Vec<C> {
    let mut chunks = Vec::with_capacity(rows.len() / CHUNK + 1);
    for (n, row) in rows.enumerate() {
        if n % CHUNK == 0 {
            chunks.push(C::default());
        }
        if let Some(columns) = chunks.last_mut() {
            push(columns, row);
        }
    }
    chunks
}

fn columns(rows: Counted) -> Vec<CountColumns> {
    chunked(rows.into_iter(), |columns: &mut CountColumns, ((key, minute, route, outcome), (workspace, api, count, cost))| {
        columns.key.push(key);
        columns.at.push(minute_start(minute));
        columns.route.push(route);
        columns.outcome.push(outcome.to_owned());
        columns.workspace.push(workspace);
        columns.api.push(api);
        columns.count.push(count);
        columns.cost.push(cost);
    })
}

/// Minutes and quarters, and when each key was last used: any outcome is a use, and so is asking about other keys, which is not counted.
fn counts(batch: &Batch) -> (Vec<CountColumns>, Vec<CountColumns>, Activity) {
    let (mut minutes, mut quarters, mut activity) = (Counted::new(), Counted::new(), Activity::new());
    for tally in batch.counts.iter().filter(|t| t.count > 0) {
        let key = tally.key.uuid();
        let (count, cost) = (i64::try_from(tally.count).unwrap_or(i64::MAX), i64::try_from(tally.cost).unwrap_or(i64::MAX));
        for (rows, minute) in [(&mut minutes, tally.minute), (&mut quarters, tally.minute.div_euclid(15) * 15)] {
            let row = rows.entry((key, minute, text(&tally.route), tally.outcome.as_str())).or_insert((tally.workspace.uuid(), tally.api.uuid(), 0, 0));
            row.2 = row.2.saturating_add(count);
            row.3 = row.3.saturating_add(cost);
        }
        let used = minute_start(tally.minute);
        activity.entry(key).and_modify(|last| *last = used.max(*last)).or_insert(used);
    }
    for seen in &batch.uses {
        let used = minute_start(seen.at_micros.div_euclid(60_000_000));
        activity.entry(seen.key.uuid()).and_modify(|last| *last = used.max(*last)).or_insert(used);
    }
    (columns(minutes), columns(quarters), activity)
}

/// What passed, by workspace, hour and key, sorted and summed.
fn units(batch: &Batch) -> Vec<UnitColumns> {
    let mut rows = BTreeMap::<(Uuid, i64, Uuid), i64>::new();
    for tally in batch.counts.iter().filter(|tally| tally.outcome == Outcome::Valid && tally.cost > 0) {
        let units = rows.entry((tally.workspace.uuid(), tally.minute.div_euclid(60) * 60, tally.key.uuid())).or_default();
        *units = units.saturating_add(i64::try_from(tally.cost).unwrap_or(i64::MAX));
    }
    chunked(rows.into_iter(), |columns: &mut UnitColumns, ((workspace, hour, key), units)| {
        columns.key.push(key);
        columns.workspace.push(workspace);
        columns.hour.push(minute_start(hour));
        columns.units.push(units);
    })
}

fn attempts(batch: &Batch) -> Vec<AttemptColumns> {
    let mut rows = BTreeMap::<(i64, &'static str, String), i64>::new();
    for attempt in batch.unknown.iter().filter(|a| a.count > 0) {
        let row = rows.entry((attempt.minute, attempt.reason.as_str(), text(&attempt.address))).or_default();
        *row = row.saturating_add(i64::try_from(attempt.count).unwrap_or(i64::MAX));
    }
    let rows: Vec<_> = rows.into_iter().collect();
    let one = |chunk: &[((i64, &'static str, String), i64)]| {
        let mut columns = AttemptColumns::default();
        for ((minute, reason, address), count) in chunk {
            columns.minute.push(minute_start(*minute));
            columns.reason.push((*reason).to_owned());
            columns.address.push(address.clone());
            columns.count.push(*count);
        }
        columns
    };
    rows.chunks(CHUNK).map(one).collect()
}

fn samples(ctx: &Ctx, batch: &Batch) -> Vec<SampleColumns> {
    let one = |chunk: &[Refusal]| {
        let mut columns = SampleColumns::default();
        for refusal in chunk {
            columns.id.push(ctx.new_id());
            columns.at.push(instant(Timestamp::from_microsecond(refusal.at_micros).unwrap_or_default()));
            columns.key.push(refusal.key.map(Into::into));
            columns.workspace.push(refusal.workspace.map(Into::into));
            columns.api.push(refusal.api.map(Into::into));
            columns.code.push(refusal.code.as_str().to_owned());
            columns.ground.push(refusal.ground.as_str().to_owned());
            columns.limit_name.push(text(&refusal.limit));
            columns.permission.push(text(&refusal.permission));
            columns.route.push(text(&refusal.route));
            columns.address.push(text(&refusal.address));
            columns.request_id.push(text(&refusal.request_id));
            columns.detail.push(text(&refusal.detail));
        }
        columns
    };
    batch.samples.chunks(CHUNK).map(one).collect()
}

fn passed_of(ctx: &Ctx, batch: &Batch) -> Vec<PassedColumns> {
    chunked(batch.passed.iter(), |columns: &mut PassedColumns, call| {
        columns.id.push(ctx.new_id());
        columns.at.push(instant(Timestamp::from_microsecond(call.at_micros).unwrap_or_default()));
        columns.key.push(call.key.uuid());
        columns.workspace.push(call.workspace.uuid());
        columns.api.push(call.api.uuid());
        columns.route.push(text(&call.route));
        columns.address.push(text(&call.address));
        columns.request_id.push(text(&call.request_id));
        columns.cost.push(i64::try_from(call.cost).unwrap_or(i64::MAX));
        columns.one_in.push(i32::try_from(call.one_in.get()).unwrap_or(i32::MAX));
        // Names of limits come from the database: Postgres takes them again.
        columns.limits.push(serde_json::to_string(&call.limits).unwrap_or_else(|_| "[]".to_owned()));
    })
}

/// Who used each secret last.
fn uses(batch: &Batch) -> Vec<UseColumns> {
    let mut uses: Vec<&SecretUse> = batch.uses.iter().collect();
    uses.sort_by_key(|u| u.secret);
    let one = |chunk: &[&SecretUse]| {
        let mut columns = UseColumns::default();
        for used in chunk {
            columns.secret.push(used.secret.uuid());
            columns.at.push(instant(Timestamp::from_microsecond(used.at_micros).unwrap_or_default()));
            columns.address.push(text(&used.address));
            columns.route.push(text(&used.route));
        }
        columns
    };
    uses.chunks(CHUNK).map(one).collect()
}

/// How long calls took, sorted and summed over so many quarters of an hour.
fn latencies(batch: &Batch, quarters: i64) -> Vec<LatencyColumns> {
    let mut rows = BTreeMap::<(Uuid, i64, String, i16), (Uuid, Uuid, i64)>::new();
    for one in batch.latencies.iter().filter(|l| l.count > 0) {
        let quarter = one.quarter.div_euclid(quarters) * quarters;
        let row = rows.entry((one.key.uuid(), quarter, text(&one.route), one.bucket)).or_insert((one.workspace.uuid(), one.api.uuid(), 0));
        row.2 = row.2.saturating_add(i64::try_from(one.count).unwrap_or(i64::MAX));
    }
    chunked(rows.into_iter(), |columns: &mut LatencyColumns, ((key, quarter, route, bucket), (workspace, api, count))| {
        columns.key.push(key);
        columns.at.push(minute_start(quarter.saturating_mul(15)));
        columns.route.push(route);
        columns.bucket.push(bucket);
        columns.workspace.push(workspace);
        columns.api.push(api);
        columns.count.push(count);
    })
}

/// Rows by key, quarter of an hour, part and outcome, sorted and summed: workspace, API, count.
type Parted = BTreeMap<(Uuid, i64, String, &'static str), (Uuid, Uuid, i64)>;

/// From where calls came.
fn addresses_of(batch: &Batch) -> Vec<PartColumns> {
    let mut rows = Parted::new();
    for one in batch.addresses.iter().filter(|a| a.count > 0) {
        let row = rows.entry((one.key.uuid(), one.quarter, told(one.address), one.outcome.as_str())).or_insert((one.workspace.uuid(), one.api.uuid(), 0));
        row.2 = row.2.saturating_add(i64::try_from(one.count).unwrap_or(i64::MAX));
    }
    part_columns(rows)
}

/// Which permissions calls needed.
fn permissions_of(batch: &Batch) -> Vec<PartColumns> {
    let mut rows = Parted::new();
    for one in batch.permissions.iter().filter(|p| p.count > 0) {
        let slot = (one.key.uuid(), one.minute.div_euclid(15), text(&one.permission), one.outcome.as_str());
        let row = rows.entry(slot).or_insert((one.workspace.uuid(), one.api.uuid(), 0));
        row.2 = row.2.saturating_add(i64::try_from(one.count).unwrap_or(i64::MAX));
    }
    part_columns(rows)
}

/// With which secrets calls came, sorted and summed by quarter of an hour, address and route; both are empty of those that had no room.
fn secrets_of(batch: &Batch) -> Vec<SecretColumns> {
    // A route that nobody told has a name too.
    let named = |route: String| if route.is_empty() { "-".to_owned() } else { route };
    let who = |one: &WithSecret| match &one.who {
        Some(who) => (who.address.map(told).unwrap_or_default(), named(text(&who.route))),
        None => (String::new(), String::new()),
    };
    let mut rows = BTreeMap::<(Uuid, i64, String, String), (Counts, i64)>::new();
    for one in batch.secrets.iter().filter(|s| s.calls.total() > 0) {
        let (address, route) = who(one);
        let row = rows.entry((one.secret.uuid(), one.quarter, address, route)).or_default();
        row.0 += one.calls;
        row.1 = row.1.max(one.last_micros);
    }
    let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    chunked(rows.into_iter(), |columns: &mut SecretColumns, ((secret, quarter, address, route), (calls, last))| {
        columns.secret.push(secret);
        columns.at.push(minute_start(quarter.saturating_mul(15)));
        columns.address.push(address);
        columns.route.push(route);
        columns.passed.push(whole(calls.passed));
        columns.limited.push(whole(calls.limited));
        columns.refused.push(whole(calls.refused));
        columns.last.push(instant(Timestamp::from_microsecond(last).unwrap_or_default()));
    })
}

fn part_columns(rows: Parted) -> Vec<PartColumns> {
    chunked(rows.into_iter(), |columns: &mut PartColumns, ((key, quarter, part, outcome), (workspace, api, count))| {
        columns.key.push(key);
        columns.at.push(minute_start(quarter.saturating_mul(15)));
        columns.part.push(part);
        columns.outcome.push(outcome.to_owned());
        columns.workspace.push(workspace);
        columns.api.push(api);
        columns.count.push(count);
    })
}

fn minute_start(minute: i64) -> time::OffsetDateTime {
    time::OffsetDateTime::from_unix_timestamp(minute.saturating_mul(60)).unwrap_or(time::OffsetDateTime::UNIX_EPOCH)
}

/// What Postgres takes as text: no NUL, and short. A batch must never fail for what a caller sent, or it would be tried for ever.
fn text(from: &str) -> String {
    from.chars().filter(|c| *c != '\0').take(TEXT).collect()
}
