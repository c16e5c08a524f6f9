//! The job queue on Postgres: work that happens after the response.
//!
//! A job is enqueued in the transaction that causes it, so it exists exactly when its cause does (an outbox). Runners claim with
//! SKIP LOCKED under a lease; whatever ends a runner, the lease runs out and another one takes the job. So **a job runs at least
//! once**: `run()` calls one operation that is safe to repeat. Too many failures leave a dead letter that an operator retries.
//!
//! The payload holds ids, never secrets. A mailed token can be derived from its id (`ctx.vault.keyed_hash_of`), so that each
//! retry sends the same link: the job names the master key of who enqueued it, and `run()` gets a context that makes links under it.

pub mod admin;
mod cleanup;
mod queue;
mod registry;
mod run;
mod runner;
mod schedules;

pub use cleanup::{CleanUp, forget_address};
pub use queue::{enqueue, enqueue_at, enqueue_each};
pub use registry::Registry;
pub use run::{current, run_due, say};
pub use runner::{Runner, RunnerHandle};
pub use schedules::Schedules;

use super::Ctx;
use crate::{error::AppError, values::NotNow};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;

/// One kind of work and what it needs to know, in the queue as JSON.
///
/// ```ignore
/// #[derive(Serialize, Deserialize)]
/// pub struct MailVerification { pub token: TokenId }
///
/// impl Job for MailVerification {
///     const KIND: &'static str = "accounts.mail_verification";
///     async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
///         Ok(super::mail_verification(ctx, self.token).await?)
///     }
/// }
/// ```
pub trait Job: Serialize + DeserializeOwned + Send + 'static {
    /// `feature.verb`; stands in the database, so it never changes.
    const KIND: &'static str;
    /// How often it is started before it becomes a dead letter. Ten take about 45 minutes.
    const MAX_ATTEMPTS: u32 = 10;

    /// The work. What it did can be told by `say`.
    fn run(self, ctx: &Ctx) -> impl Future<Output = Result<(), JobError>> + Send;
}

/// Why a job did not do its work, and whether another try can help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// Try again after the usual pause, which doubles each time.
    #[error("{0}")]
    Retry(String),
    /// Try again after this long (at least a second).
    #[error("asked to wait {} s", .0.as_secs())]
    RetryAfter(Duration),
    /// Trying again can't help: a dead letter at once.
    #[error("{0}")]
    Fail(String),
}

impl From<AppError> for JobError {
    fn from(error: AppError) -> Self {
        match error.retry_after() {
            // They say when a person may try again, not how long it lasts: the usual pauses outlast a migration or a restart.
            Some(_) if matches!(error, AppError::Unavailable { .. } | AppError::NotNow { why: NotNow::DatabaseAway, .. }) => Self::Retry(error.to_string()),
            Some(seconds) => Self::RetryAfter(Duration::from_secs(seconds)),
            None if error.status() >= 500 => Self::Retry(error.to_string()),
            None => Self::Fail(error.to_string()),
        }
    }
}

impl From<sqlx::Error> for JobError {
    fn from(error: sqlx::Error) -> Self {
        Self::Retry(error.to_string())
    }
}
