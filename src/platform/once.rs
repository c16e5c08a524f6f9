//! Requests that name themselves (`Idempotency-Key`): each is done once, and sent again it gets the answer of the first time.
//!
//! A request is written down before anything is done, so that whoever sends it meanwhile sees that it runs. What it makes notes itself
//! there in the same transaction (`done`), and the answer is kept behind that. So after a crash it is known whether it was done: if not, the
//! next one takes over, and the first one, should it still live, can't commit any more. Of names and bodies only hashes are stored.

use super::{Ctx, crypto::sha256};
use crate::{error::AppError, values::AccountId};
use axum::http::{HeaderMap, HeaderName};
use sqlx::{PgConnection, PgPool};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// For so long a name stands for its request.
pub const KEPT: Duration = Duration::hours(24);
/// Beyond the longest time of a request: whoever did it is gone.
const GONE_AFTER: Duration = Duration::minutes(1);
/// Rows that one statement forgets.
const MOST: i64 = 20_000;
/// The largest answer that is kept.
pub const MOST_OF_ONE: usize = 64 * 1024;
/// What the kept answers of one account take together; beyond it the oldest go.
pub const MOST_OF_ALL: i64 = 16 * 1024 * 1024;
/// What one counts at least, so that those of an account are no more than some thousands.
const LEAST: usize = 1024;
/// What the hash of a body is for: no other purpose gives the same.
const PURPOSE: &str = "sent request";

pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// In place of the attempt: it was done, and nobody answers any more.
const NOBODY: Uuid = Uuid::nil();
const RUNNING_WORDS: &str = "A request with this Idempotency-Key is being done. Wait a moment, then send it again.";

tokio::task_local! {
    /// The named request that this task does.
    static RUNNING: Run;
}

#[derive(Debug, Clone, Copy)]
struct Run {
    request: [u8; 32],
    attempt: Uuid,
}

/// A request with its name.
pub struct Asked<'a> {
    /// Whose names these are: a key, a program's tokens, or an account.
    pub by: Uuid,
    pub account: AccountId,
    pub path: &'a str,
    pub name: &'a str,
    /// What is asked for, to tell it from another request of this name.
    pub said: &'a [u8],
}

/// What is known of it.
pub enum Begun {
    /// It is to be done.
    New(Attempt),
    /// It is being done, or was and its answer is still to come.
    Running,
    /// The name stands for another request.
    Another,
    Done(Answer),
    /// It was done, but its server went down before it could answer.
    Unanswered,
}

/// The answer of the first time.
pub struct Answer {
    pub status: u16,
    pub location: Option<String>,
    pub kind: Option<String>,
    pub body: Kept,
}

/// What is kept of a body.
pub enum Kept {
    Whole(Vec<u8>),
    /// Nothing: it held a secret.
    Secret,
    /// Nothing: it was too large, or newer answers took its room.
    LetGo,
}

impl Kept {
    /// Of an answer without a secret.
    pub fn of(body: &[u8]) -> Self {
        if body.len() > MOST_OF_ONE { Self::LetGo } else { Self::Whole(body.to_vec()) }
    }

    fn stored(body: Option<Vec<u8>>, is_let_go: bool) -> Self {
        match body {
            Some(body) => Self::Whole(body),
            None if is_let_go => Self::LetGo,
            None => Self::Secret,
        }
    }

    fn bytes(&self) -> Option<&[u8]> {
        if let Self::Whole(body) = self { Some(body) } else { None }
    }

    /// The room that it counts for.
    fn room(&self) -> i32 {
        self.bytes().map_or(0, |body| i32::try_from(body.len().max(LEAST)).unwrap_or(i32::MAX))
    }
}

/// The name that a request has: by draft-ietf-httpapi-idempotency-key-header a quoted string; bare text is accepted too.
pub fn name(headers: &HeaderMap) -> Result<Option<String>, AppError> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let text = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
    match text.len() {
        1..=255 => Ok(Some(text.to_owned())),
        _ => Err(AppError::invalid("", "An Idempotency-Key has 1 to 255 visible ASCII characters.")),
    }
}

/// Writes the request down, or says what became of it. Of several at once one is new.
pub async fn begin(ctx: &Ctx, asked: &Asked<'_>) -> sqlx::Result<Begun> {
    let now = ctx.clock.now();
    let run = Run { request: sha256(serde_json::json!([asked.by, asked.path, asked.name]).to_string()), attempt: ctx.new_id() };
    let said = ctx.vault.keyed_hash(PURPOSE, asked.said);
    if insert(ctx, asked.account, run, &said, now).await? {
        return Ok(Begun::New(Attempt { db: ctx.db.clone(), run, is_open: true }));
    }
    let found = sqlx::query!(
        "select said, attempt, begun_at, done_at, status, location, kind, answer, is_let_go from sent_requests where request = $1",
        &run.request[..]
    )
    .fetch_optional(&ctx.db)
    .await?;
    // Gone in this very moment: it was refused. The next one does it.
    let Some(row) = found else { return Ok(Begun::Running) };
    if !ctx.vault.keyed_hashes(PURPOSE, asked.said).iter().any(|hash| hash.as_slice() == row.said.as_slice()) {
        return Ok(Begun::Another);
    }
    // What was made tells the other nodes before it answers, up to two seconds: until then nothing is lost.
    let is_over = row.attempt == NOBODY || row.begun_at < gone(ctx, now);
    Ok(match (row.status, row.done_at) {
        (Some(status), _) => {
            let (status, body) = (u16::try_from(status).unwrap_or(200), Kept::stored(row.answer, row.is_let_go));
            Begun::Done(Answer { status, location: row.location, kind: row.kind, body })
        }
        (None, Some(_)) if is_over => Begun::Unanswered,
        (None, _) => Begun::Running,
    })
}

/// Whoever began before that does it no more.
fn gone(ctx: &Ctx, now: OffsetDateTime) -> OffsetDateTime {
    now - ctx.config.server.request_timeout - GONE_AFTER
}

/// False: it is there, and neither too old nor left behind by a server that went down.
async fn insert(ctx: &Ctx, account: AccountId, run: Run, said: &[u8], now: OffsetDateTime) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "insert into sent_requests as r (request, account_id, said, attempt, begun_at) values ($1, $2, $3, $4, $5)
         on conflict (request) do update
         set account_id = excluded.account_id, said = excluded.said, attempt = excluded.attempt, begun_at = excluded.begun_at,
             done_at = null, status = null, location = null, kind = null, answer = null, answer_room = 0, is_let_go = false
         where r.begun_at < $6 or (r.done_at is null and r.status is null and r.begun_at < $7)",
        &run.request[..],
        account.uuid(),
        said,
        run.attempt,
        now,
        now - KEPT,
        gone(ctx, now),
    )
    .execute(&ctx.db)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Notes in the transaction of what a named request makes that it was made. Without a name nothing happens. Call it last before the commit.
pub async fn done(ctx: &Ctx, conn: &mut PgConnection) -> Result<(), AppError> {
    let Ok(run) = RUNNING.try_with(|run| *run) else { return Ok(()) };
    let now = ctx.clock.now();
    let noted =
        sqlx::query!("update sent_requests set done_at = $3 where request = $1 and attempt = $2", &run.request[..], run.attempt, now).execute(conn).await?;
    if noted.rows_affected() == 1 { Ok(()) } else { Err(is_running()) }
}

/// 409: somebody else does it.
pub fn is_running() -> AppError {
    AppError::conflict(RUNNING_WORDS)
}

/// Forgets what is older than a name stands for its request, a bounded number of rows at a time; how many. What somebody works on just now
/// is left for the next time: who waits for nobody keeps nobody waiting in a circle.
pub async fn forget(ctx: &Ctx) -> sqlx::Result<u64> {
    let (before, mut forgotten) = (ctx.clock.now() - KEPT, 0);
    loop {
        let some = sqlx::query!(
            "delete from sent_requests
             where begun_at < $1 and request in (select request from sent_requests where begun_at < $1 limit $2 for update skip locked)",
            before,
            MOST,
        );
        let rows = some.execute(&ctx.db).await?.rows_affected();
        forgotten += rows;
        if rows < MOST.unsigned_abs() {
            return Ok(forgotten);
        }
    }
}

/// Lets the oldest answers of an account go where all take more room than they may, and then so many that a quarter of it is free. That they were
/// given stays known. Of two at once each takes what the other has not: who waits for nobody keeps nobody waiting in a circle.
async fn make_room(db: &PgPool, account: Uuid) -> sqlx::Result<()> {
    let room =
        sqlx::query_scalar!(r#"select coalesce(sum(answer_room), 0)::bigint as "room!" from sent_requests where account_id = $1 and answer_room > 0"#, account);
    if room.fetch_one(db).await? <= MOST_OF_ALL {
        return Ok(());
    }
    sqlx::query!(
        "update sent_requests set answer = null, answer_room = 0, is_let_go = true
         where answer_room > 0 and request in (
           select request from sent_requests
           where answer_room > 0 and request in (
             select request from (
               select request, sum(answer_room) over (order by begun_at desc, request) as room from sent_requests where account_id = $1 and answer_room > 0
             ) newest where room > $2)
           for update skip locked)",
        account,
        MOST_OF_ALL * 3 / 4,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// One try to do a named request. Dropped before its end, as when the client hangs up, it leaves the name free if nothing was made, else it
/// notes that no answer comes.
pub struct Attempt {
    db: PgPool,
    run: Run,
    is_open: bool,
}

impl Attempt {
    /// Does the work under the name.
    pub async fn run<F: Future>(&self, work: F) -> F::Output {
        RUNNING.scope(self.run, work).await
    }

    /// Keeps the answer for whoever sends the same again.
    pub async fn keep(mut self, answer: &Answer) {
        let kept = sqlx::query!(
            "update sent_requests set status = $3, location = $4, kind = $5, answer = $6, answer_room = $7, is_let_go = $8
             where request = $1 and attempt = $2 returning account_id",
            &self.run.request[..],
            self.run.attempt,
            i16::try_from(answer.status).unwrap_or(200),
            answer.location.as_deref(),
            answer.kind.as_deref(),
            answer.body.bytes(),
            answer.body.room(),
            matches!(answer.body, Kept::LetGo),
        )
        .fetch_optional(&self.db)
        .await;
        match kept {
            Ok(row) => {
                self.is_open = false;
                if let Some(row) = row.filter(|_| answer.body.room() > 0)
                    && let Err(error) = make_room(&self.db, row.account_id).await
                {
                    tracing::warn!("old answers of named requests are kept for longer: {error}");
                }
            }
            Err(error) => tracing::warn!("the answer of a named request is not kept: {error}"),
        }
    }

    /// It was refused: the name is free for another try.
    pub async fn free(mut self) {
        free(&self.db, self.run).await;
        self.is_open = false;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let (db, run) = (self.db.clone(), self.run);
        if self.is_open
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { free(&db, run).await });
        }
    }
}

/// Waits for a transaction that is about to note that it was done.
async fn free(db: &PgPool, run: Run) {
    if let Err(error) = try_free(db, run).await {
        tracing::warn!("the name of a request stays taken for a while: {error}");
    }
}

async fn try_free(db: &PgPool, run: Run) -> sqlx::Result<()> {
    let freed =
        sqlx::query!("delete from sent_requests where request = $1 and attempt = $2 and done_at is null and status is null", &run.request[..], run.attempt)
            .execute(db)
            .await?;
    if freed.rows_affected() == 0 {
        sqlx::query!("update sent_requests set attempt = $3 where request = $1 and attempt = $2 and status is null", &run.request[..], run.attempt, NOBODY)
            .execute(db)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn read(value: &'static str) -> Option<String> {
        let headers = HeaderMap::from_iter([(IDEMPOTENCY_KEY, HeaderValue::from_static(value))]);
        name(&headers).ok().flatten()
    }

    #[test]
    fn a_name_is_quoted_or_bare_and_not_endless() {
        assert_eq!((read("\"8e03\"").as_deref(), read("8e03").as_deref(), read(" 8e03 ").as_deref()), (Some("8e03"), Some("8e03"), Some("8e03")));
        assert_eq!((read(""), read("\"\"")), (None, None));
        assert!(name(&HeaderMap::new()).is_ok_and(|name| name.is_none()), "nobody needs one");
    }
}
