//! Nightly: done jobs and ended sessions go. Dead letters stay until somebody decides.

use super::{Job, JobError, say};
use crate::platform::{Ctx, session};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use time::Duration;

/// How long a done job can be looked at.
const KEEP: Duration = Duration::days(7);

/// Removes what the platform no longer needs.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct CleanUp {}

impl Job for CleanUp {
    const KIND: &'static str = "platform.clean_up";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        let now = ctx.clock.now();
        let jobs = sqlx::query!("delete from jobs where state = 'done' and finished_at < $1", now - KEEP).execute(&ctx.db).await?.rows_affected();
        let sessions = session::delete_ended(&ctx.db, now).await?;
        tracing::info!(jobs, sessions, "cleaned up");
        say(format!("Ended sessions removed: {sessions}. Done jobs removed: {jobs}."));
        Ok(())
    }
}

/// Another word in the place of an address, in what failed jobs say: mail servers repeat the address that they refuse, in any case.
pub async fn forget_address(conn: &mut PgConnection, address: &str, word: &str) -> sqlx::Result<()> {
    // `***=`: what follows is text, no pattern. Few jobs failed, and 0093 finds them.
    sqlx::query!(
        "update jobs set last_error = regexp_replace(last_error, '***=' || $1::text, $2::text, 'gi')
         where last_error is not null and strpos(lower(last_error), lower($1::text)) > 0",
        address,
        word,
    )
    .execute(conn)
    .await?;
    Ok(())
}
