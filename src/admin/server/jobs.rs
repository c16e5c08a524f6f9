//! The job queue: what waits, what failed, and giving a dead letter its tries again.

use super::words::{ago, local, moment};
use crate::{
    accounts::{Caller, server::Visitor},
    activity::server::{Change, record},
    admin::model::{JobList, JobQuery, JobView},
    error::AppError,
    platform::{
        Ctx, LocalTime,
        jobs::admin::{self, JobRow},
    },
    values::{JobId, JobState, permission_names as may},
};
use serde_json::{Value, json};

/// Rows of a page.
const PAGE: i64 = 50;

/// What `/admin/jobs` shows.
pub async fn list_jobs(ctx: &Ctx, caller: &Caller, query: JobQuery) -> Result<JobList, AppError> {
    caller.require(&may::JOBS_MANAGE)?;
    let counts = admin::counts(ctx, true).await?;
    let state = match query.state.as_deref() {
        Some(word) => word.parse::<JobState>().map_err(|e| AppError::invalid("state", e))?,
        None if counts.failed > 0 => JobState::Failed,
        None => JobState::Waiting,
    };
    let cursor = |text: &str| text.parse::<JobId>().map_err(|_| AppError::invalid("older", "This list can't be continued here. Start at its beginning."));
    let before = query.older.as_deref().map(cursor).transpose()?;
    let mut rows = admin::list(&ctx.db, state, before, PAGE + 1).await?;
    let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let has_more = rows.len() > page;
    rows.truncate(page);
    let local = local(ctx, caller);
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    Ok(JobList {
        state,
        older: rows.last().filter(|_| has_more).map(|j| j.id),
        rows: rows.into_iter().map(|j| view(j, &local)).collect(),
        waiting: count(counts.waiting),
        running: count(counts.running),
        failed: count(counts.failed),
        done: count(counts.done),
    })
}

/// Gives a dead letter all its tries again. One that is no dead letter any more is left alone, so that a second press does nothing.
pub async fn retry_job(ctx: &Ctx, caller: &Caller, from: &Visitor, id: JobId) -> Result<bool, AppError> {
    caller.require(&may::JOBS_MANAGE)?;
    let mut tx = ctx.db.begin().await?;
    let Some(kind) = admin::retry(ctx, &mut tx, id).await? else { return Ok(false) };
    let mut data = from.facts();
    data["kind"] = json!(kind);
    let change = Change { kind: "job.retried", actor: Some(caller.account), actor_name: &caller.name, subject: Some(id.uuid()), data, ..Change::default() };
    record(ctx, &mut tx, change).await?;
    tx.commit().await?;
    Ok(true)
}

fn view(job: JobRow, local: &LocalTime) -> JobView {
    JobView {
        id: job.id,
        about: about(&job.payload),
        tries: format!("{} of {}", job.attempts, job.max_attempts),
        created: moment(local, job.created_at),
        due: moment(local, job.run_at),
        finished: job.finished_at.map(|at| ago(local, at)),
        last_error: job.last_error,
        result: job.result,
        kind: job.kind,
    }
}

/// The ids of a payload, as `account acc_…, cause evt_…`.
fn about(payload: &Value) -> String {
    let Some(fields) = payload.as_object() else { return String::new() };
    let said = fields.iter().map(|(name, value)| match value {
        Value::String(text) => format!("{name} {text}"),
        other => format!("{name} {other}"),
    });
    said.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_said_by_its_ids() {
        assert_eq!(about(&json!({ "account": "acc_1", "tries": 2 })), "account acc_1, tries 2");
        assert_eq!(about(&json!({})), "");
    }
}
