//! What an operator sees of the queue and may do to it. No permission is checked here: the operations of `admin` do that.

use crate::{
    platform::Ctx,
    values::{JobId, JobState},
};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

/// How many jobs are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub waiting: i64,
    pub running: i64,
    pub done: i64,
    pub failed: i64,
    /// How long the job that is due longest has waited: what health looks at.
    pub overdue_since: Option<OffsetDateTime>,
}

/// A job as a list shows it; the payload holds ids only.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRow {
    pub id: JobId,
    pub kind: String,
    pub state: JobState,
    pub payload: serde_json::Value,
    pub attempts: i32,
    pub max_attempts: i32,
    pub run_at: OffsetDateTime,
    pub last_error: Option<String>,
    /// What it said that it did, if it ended well.
    pub result: Option<String>,
    pub created_at: OffsetDateTime,
    pub finished_at: Option<OffsetDateTime>,
}

/// How many there are in each state; those that are done, of which there are many, only where somebody looks at them.
pub async fn counts(ctx: &Ctx, done_too: bool) -> sqlx::Result<Counts> {
    let row = sqlx::query!(
        r#"select (select count(*) from jobs where state = 'waiting') as "waiting!", (select count(*) from jobs where state = 'running') as "running!",
                  case when $2 then (select count(*) from jobs where state = 'done') else 0 end as "done!",
                  (select count(*) from jobs where state = 'failed') as "failed!",
                  (select min(run_at) from jobs where state = 'waiting' and run_at <= $1) as overdue_since"#,
        ctx.clock.now(),
        done_too,
    )
    .fetch_one(&ctx.db)
    .await?;
    Ok(Counts { waiting: row.waiting, running: row.running, done: row.done, failed: row.failed, overdue_since: row.overdue_since })
}

/// The jobs in this state, the newest first, `limit` of those that are older than `before`.
pub async fn list(db: &PgPool, state: JobState, before: Option<JobId>, limit: i64) -> sqlx::Result<Vec<JobRow>> {
    let rows = sqlx::query!(
        "select id, kind, payload, attempts, max_attempts, run_at, last_error, result, created_at, finished_at
         from jobs where state = $1 and ($2::uuid is null or id < $2) order by id desc limit $3",
        state.as_str(),
        before.map(JobId::uuid),
        limit,
    )
    .fetch_all(db)
    .await?;
    let rows = rows.into_iter().map(|r| JobRow {
        id: JobId::new(r.id),
        kind: r.kind,
        state,
        payload: r.payload,
        attempts: r.attempts,
        max_attempts: r.max_attempts,
        run_at: r.run_at,
        last_error: r.last_error,
        result: r.result,
        created_at: r.created_at,
        finished_at: r.finished_at,
    });
    Ok(rows.collect())
}

/// Gives a dead letter all its tries again; answers its kind, or none if it is not a dead letter (any more).
pub async fn retry(ctx: &Ctx, conn: &mut PgConnection, id: JobId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "with again as (
           update jobs set state = 'waiting', attempts = 0, run_at = $2, finished_at = null where id = $1 and state = 'failed' returning kind
         ), ring as (select kind, pg_notify('jobs', kind) from again)
         select kind from ring",
        id.uuid(),
        ctx.clock.now(),
    )
    .fetch_optional(conn)
    .await
}
