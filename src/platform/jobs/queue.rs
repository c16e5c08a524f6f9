//! The SQL of the `jobs` table, from enqueuing to the end. A claim is named by runner and attempt, so that a runner that lost its
//! lease can't end the job under the next one's hands.
//!
//! A job names the master key of whoever enqueued it. Only a runner that has this key claims it, so that the link of a mail is the one
//! whose hash was stored; one of a key that was dropped is anybody's.

use super::Job;
use crate::{
    platform::{Ctx, crypto::MasterKeyId},
    values::JobId,
};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use std::pin::Pin;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// How long a claim holds without renewal.
pub(super) const LEASE: Duration = Duration::seconds(60);

/// A job that this runner may run until its lease ends.
#[derive(Debug, Clone)]
pub(super) struct Claimed {
    pub id: JobId,
    pub kind: String,
    pub payload: Value,
    /// This try included.
    pub attempts: i32,
    pub max_attempts: i32,
    pub runner: String,
    /// Under which links are made again; None: enqueued before jobs named one.
    pub master_key: Option<MasterKeyId>,
}

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// With what the job said.
    Done {
        said: Option<String>,
    },
    Again {
        at: OffsetDateTime,
        error: String,
    },
    Dead {
        error: String,
    },
}

/// Enqueues in the caller's transaction: the job exists when it commits, and runs as soon as possible.
pub fn enqueue<'a, J: Job>(ctx: &'a Ctx, conn: &'a mut PgConnection, job: &J) -> Enqueuing<'a> {
    enqueue_at(ctx, conn, job, ctx.clock.now())
}

/// The same, to run at `at` or soon after.
pub fn enqueue_at<'a, J: Job>(ctx: &'a Ctx, conn: &'a mut PgConnection, job: &J, at: OffsetDateTime) -> Enqueuing<'a> {
    Box::pin(insert(ctx, conn, J::KIND, J::MAX_ATTEMPTS, serde_json::to_value(job), at))
}

/// Many jobs of one kind in one statement, to run as soon as possible.
pub fn enqueue_each<'a, J: Job>(ctx: &'a Ctx, conn: &'a mut PgConnection, jobs: &[J]) -> Enqueuing<'a, ()> {
    let payloads = jobs.iter().map(serde_json::to_string).collect::<serde_json::Result<Vec<String>>>();
    Box::pin(insert_each(ctx, conn, J::KIND, J::MAX_ATTEMPTS, payloads))
}

/// Of one type for all jobs, so that it is compiled once.
type Enqueuing<'a, T = JobId> = Pin<Box<dyn Future<Output = sqlx::Result<T>> + Send + 'a>>;

async fn insert(ctx: &Ctx, conn: &mut PgConnection, kind: &str, most: u32, payload: serde_json::Result<Value>, at: OffsetDateTime) -> sqlx::Result<JobId> {
    let id: JobId = ctx.new_id();
    let payload = payload.map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    sqlx::query!(
        "insert into jobs (id, kind, payload, max_attempts, run_at, created_at, master_key) values ($1, $2, $3, $4, $5, $6, $7)",
        id.uuid(),
        kind,
        payload,
        i32::try_from(most).unwrap_or(i32::MAX),
        at,
        ctx.clock.now(),
        ctx.vault.link_key_id().to_string(),
    )
    .execute(conn)
    .await?;
    Ok(id)
}

async fn insert_each(ctx: &Ctx, conn: &mut PgConnection, kind: &str, most: u32, payloads: serde_json::Result<Vec<String>>) -> sqlx::Result<()> {
    let payloads = payloads.map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    if payloads.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = payloads.iter().map(|_| ctx.new_id()).collect();
    sqlx::query!(
        "insert into jobs (id, kind, payload, max_attempts, run_at, created_at, master_key)
         select id, $3::text, payload::jsonb, $4::integer, $5::timestamptz, $5::timestamptz, $6::text from unnest($1::uuid[], $2::text[]) as new (id, payload)",
        &ids,
        &payloads,
        kind,
        i32::try_from(most).unwrap_or(i32::MAX),
        ctx.clock.now(),
        ctx.vault.link_key_id().to_string(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes up to `limit` jobs that are due or whose lease ran out, the oldest first; the try counts from here.
pub(super) async fn claim(ctx: &Ctx, kinds: &[String], runner: &str, limit: usize) -> sqlx::Result<Vec<Claimed>> {
    let now = ctx.clock.now();
    let mut rows = sqlx::query!(
        "with due as (
           select id from jobs
           where state in ('waiting', 'running') and run_at <= $1 and (state = 'waiting' or leased_until <= $1) and kind = any($2)
             and (master_key is null or master_key = any($6) or master_key in (select k.id from master_keys k where k.dropped_at is not null))
           order by run_at, id limit $3 for update skip locked
         )
         update jobs set state = 'running', attempts = attempts + 1, leased_until = $4, leased_by = $5
         from due where jobs.id = due.id
         returning jobs.id, kind, payload, attempts, max_attempts, run_at, master_key",
        now,
        kinds,
        i64::try_from(limit).unwrap_or(i64::MAX),
        now + LEASE,
        runner,
        &ctx.vault.key_ids(),
    )
    .fetch_all(&ctx.db)
    .await?;
    rows.sort_by_key(|row| (row.run_at, row.id));
    let claimed = rows.into_iter().map(|r| Claimed {
        id: JobId::new(r.id),
        kind: r.kind,
        payload: r.payload,
        attempts: r.attempts,
        max_attempts: r.max_attempts,
        runner: runner.to_owned(),
        master_key: r.master_key.and_then(|id| id.parse().ok()),
    });
    Ok(claimed.collect())
}

/// Moves the end of the lease; false if the job is no longer this claim's.
pub(super) async fn renew(db: &PgPool, job: &Claimed, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update jobs set leased_until = $4 where id = $1 and leased_by = $2 and attempts = $3 and state = 'running'",
        job.id.uuid(),
        job.runner,
        job.attempts,
        now + LEASE,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes how the try ended; false if the job is no longer this claim's.
pub(super) async fn settle(db: &PgPool, job: &Claimed, ending: &Ending, now: OffsetDateTime) -> sqlx::Result<bool> {
    let (state, run_at, error, said, finished_at) = match ending {
        Ending::Done { said } => ("done", None, None, said.as_ref(), Some(now)),
        Ending::Again { at, error } => ("waiting", Some(*at), Some(error), None, None),
        Ending::Dead { error } => ("failed", None, Some(error), None, Some(now)),
    };
    let done = sqlx::query!(
        "update jobs set state = $4, run_at = coalesce($5, run_at), last_error = $6, finished_at = $7, result = $8, leased_until = null, leased_by = null
         where id = $1 and leased_by = $2 and attempts = $3 and state = 'running'",
        job.id.uuid(),
        job.runner,
        job.attempts,
        state,
        run_at,
        error,
        finished_at,
        said,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives back what a stopping runner could not finish, so that nobody waits for its leases.
pub(super) async fn release(db: &PgPool, runner: &str) -> sqlx::Result<u64> {
    let done = sqlx::query!("update jobs set state = 'waiting', leased_until = null, leased_by = null where leased_by = $1 and state = 'running'", runner)
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}

/// When the next job of these kinds is due or gives up its lease, among those that `claim` takes. Asked after every job, so it must not read
/// all that wait: named twice, `ours` would be written down as a whole first.
pub(super) async fn next_due(ctx: &Ctx, kinds: &[String]) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!(
        "with ours as not materialized (
           select state, run_at, leased_until from jobs
           where state in ('waiting', 'running') and kind = any($1)
             and (master_key is null or master_key = any($2) or master_key in (select k.id from master_keys k where k.dropped_at is not null))
         )
         select least((select run_at from ours where state = 'waiting' order by run_at limit 1), (select min(leased_until) from ours where state = 'running'))",
        kinds,
        &ctx.vault.key_ids(),
    )
    .fetch_one(&ctx.db)
    .await
}
