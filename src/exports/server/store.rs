//! The SQL of exports. A page of a file is added under the number of chunks that its writer knows of, so that of two writers one stops.

use super::source::Filters;
use crate::{
    accounts::Caller,
    exports::model::Subject,
    platform::http::file::Format,
    values::{AccountId, ExportId, JobState, WorkspaceId},
};
use sqlx::{PgConnection, PgExecutor, PgPool, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

/// Bytes of a chunk.
const CHUNK: usize = 256 * 1024;

/// A file that somebody asked for.
#[derive(Debug, Clone)]
pub struct Export {
    pub id: ExportId,
    pub account: AccountId,
    pub workspace: WorkspaceId,
    pub subject: Subject,
    pub format: Format,
    pub filters: Filters,
    pub time_zone: String,
    /// What it holds.
    pub words: String,
    pub state: JobState,
    /// Why it failed.
    pub problem: Option<String>,
    pub rows_expected: Option<u64>,
    pub rows_written: u64,
    pub chunks: i32,
    pub bytes: u64,
    /// Where the next page begins.
    pub resume: Option<String>,
    pub created_at: OffsetDateTime,
    pub finished_at: Option<OffsetDateTime>,
    pub expires_at: OffsetDateTime,
}

struct Row {
    id: Uuid,
    account_id: Uuid,
    workspace_id: Uuid,
    subject: String,
    format: String,
    filters: Json<Filters>,
    time_zone: String,
    words: String,
    state: String,
    problem: Option<String>,
    rows_expected: Option<i64>,
    rows_written: i64,
    chunks: i32,
    bytes: i64,
    resume: Option<String>,
    created_at: OffsetDateTime,
    finished_at: Option<OffsetDateTime>,
    expires_at: OffsetDateTime,
}

impl Row {
    /// The words are checked by the table.
    fn export(self) -> Option<Export> {
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        Some(Export {
            id: ExportId::new(self.id),
            account: AccountId::new(self.account_id),
            workspace: WorkspaceId::new(self.workspace_id),
            subject: Subject::parse(&self.subject)?,
            format: Format::read(Some(&self.format)).ok()?,
            filters: self.filters.0,
            time_zone: self.time_zone,
            words: self.words,
            state: self.state.parse().ok()?,
            problem: self.problem,
            rows_expected: self.rows_expected.map(count),
            rows_written: count(self.rows_written),
            chunks: self.chunks,
            bytes: count(self.bytes),
            resume: self.resume,
            created_at: self.created_at,
            finished_at: self.finished_at,
            expires_at: self.expires_at,
        })
    }
}

/// What one account asks for waits for what it asked for before, so that a form that is sent twice at once makes one file.
pub async fn lock_account(conn: &mut PgConnection, account: AccountId) -> sqlx::Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1::uuid::text, 19)) as locked", account.uuid()).fetch_one(conn).await?;
    Ok(())
}

pub async fn insert_export(conn: &mut PgConnection, new: &Export) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into exports (id, account_id, workspace_id, subject, format, filters, time_zone, words, state, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        new.id.uuid(),
        new.account.uuid(),
        new.workspace.uuid(),
        new.subject.as_str(),
        new.format.as_str(),
        Json(&new.filters) as _,
        new.time_zone,
        new.words,
        new.state.as_str(),
        new.created_at,
        new.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Any export, for its writer.
pub async fn find_export(db: impl PgExecutor<'_>, id: ExportId) -> sqlx::Result<Option<Export>> {
    let row = sqlx::query_as!(
        Row,
        r#"select id, account_id, workspace_id, subject, format, filters as "filters: Json<Filters>", time_zone, words, state, problem, rows_expected, rows_written,
             chunks, bytes, resume, created_at, finished_at, expires_at
           from exports where id = $1"#,
        id.uuid(),
    );
    Ok(row.fetch_optional(db).await?.and_then(Row::export))
}

/// The files of an account in its workspace that are not over, the newest first.
pub async fn list_exports(db: impl PgExecutor<'_>, caller: &Caller, now: OffsetDateTime) -> sqlx::Result<Vec<Export>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id, account_id, workspace_id, subject, format, filters as "filters: Json<Filters>", time_zone, words, state, problem, rows_expected, rows_written,
             chunks, bytes, resume, created_at, finished_at, expires_at
           from exports where account_id = $1 and workspace_id = $2 and expires_at > $3 order by id desc limit 100"#,
        caller.account.uuid(),
        caller.workspace.uuid(),
        now,
    );
    Ok(rows.fetch_all(db).await?.into_iter().filter_map(Row::export).collect())
}

/// It is being written, and will have about so many lines.
pub async fn start_export(db: &PgPool, id: ExportId, expected: Option<u64>) -> sqlx::Result<()> {
    let expected = expected.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    sqlx::query!(
        "update exports set state = 'running', rows_expected = coalesce($2, rows_expected) where id = $1 and state in ('waiting', 'running')",
        id.uuid(),
        expected
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A page of a file, as it is added.
pub struct NewPage<'a> {
    pub text: &'a str,
    pub rows: u64,
    /// Where the next page begins; none: the file is whole.
    pub next: Option<&'a str>,
    pub now: OffsetDateTime,
    /// If it is whole, until when it is there.
    pub until: OffsetDateTime,
}

/// Adds the next page in chunks and answers how many; none if the export is gone, or has another number of them: somebody else writes it.
pub async fn add_page(conn: &mut PgConnection, export: &Export, page: &NewPage<'_>) -> sqlx::Result<Option<i32>> {
    let chunks: Vec<Vec<u8>> = page.text.as_bytes().chunks(CHUNK).map(<[u8]>::to_vec).collect();
    let added = i32::try_from(chunks.len()).unwrap_or(i32::MAX);
    let updated = sqlx::query!(
        "update exports set chunks = chunks + $8, rows_written = rows_written + $3, bytes = bytes + $4, resume = $5::text,
           state = case when $5::text is null then 'done' else 'running' end,
           finished_at = case when $5::text is null then $6::timestamptz end,
           expires_at = case when $5::text is null then $7::timestamptz else expires_at end
         where id = $1 and chunks = $2 and state in ('waiting', 'running')",
        export.id.uuid(),
        export.chunks,
        i64::try_from(page.rows).unwrap_or(i64::MAX),
        i64::try_from(page.text.len()).unwrap_or(i64::MAX),
        page.next,
        page.now,
        page.until,
        added,
    )
    .execute(&mut *conn)
    .await?;
    if updated.rows_affected() == 0 {
        return Ok(None);
    }
    let numbers: Vec<i32> = (export.chunks..export.chunks.saturating_add(added)).collect();
    sqlx::query!(
        "insert into export_chunks (export_id, number, data) select $1, n, d from unnest($2::integer[], $3::bytea[]) as chunks(n, d)",
        export.id.uuid(),
        &numbers,
        &chunks,
    )
    .execute(conn)
    .await?;
    Ok(Some(added))
}

/// A piece of a file.
pub async fn find_chunk(db: &PgPool, id: ExportId, number: i32) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!("select data from export_chunks where export_id = $1 and number = $2", id.uuid(), number).fetch_optional(db).await
}

/// It can't be written.
pub async fn fail_export(db: &PgPool, id: ExportId, problem: &str, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "update exports set state = 'failed', problem = $2, finished_at = $3 where id = $1 and state in ('waiting', 'running')",
        id.uuid(),
        problem,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Files that are open, of one account or of all.
pub async fn list_open(db: &PgPool, account: Option<AccountId>) -> sqlx::Result<Vec<ExportId>> {
    let ids = sqlx::query_scalar!(
        "select id from exports where state in ('waiting', 'running') and ($1::uuid is null or account_id = $1)",
        account.map(AccountId::uuid)
    );
    Ok(ids.fetch_all(db).await?.into_iter().map(ExportId::new).collect())
}

/// Those of these files that nobody will write any more, as their jobs (of this kind) are dead letters, have failed.
pub async fn fail_dead(db: &PgPool, kind: &str, open: &[ExportId], problem: &str, now: OffsetDateTime) -> sqlx::Result<u64> {
    // A payload names a file as people see its id.
    let (ids, names): (Vec<Uuid>, Vec<String>) = open.iter().map(|id| (id.uuid(), id.to_string())).unzip();
    let done = sqlx::query!(
        "update exports e set state = 'failed', problem = $4, finished_at = $5
         from unnest($2::uuid[], $3::text[]) as o (id, name)
         where e.id = o.id and e.state in ('waiting', 'running')
           and exists (select from jobs j where j.kind = $1 and j.state = 'failed' and j.payload ->> 'export' = o.name)
           and not exists (select from jobs j where j.kind = $1 and j.state in ('waiting', 'running') and j.payload ->> 'export' = o.name)",
        kind,
        &ids,
        &names,
        problem,
        now,
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// Deletes it with what was written of it.
pub async fn delete_export(conn: &mut PgConnection, id: ExportId) -> sqlx::Result<bool> {
    Ok(sqlx::query!("delete from exports where id = $1", id.uuid()).execute(conn).await?.rows_affected() == 1)
}

/// Deletes some pieces of files that are over; how many.
pub async fn delete_old_chunks(db: &PgPool, now: OffsetDateTime, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "delete from export_chunks where (export_id, number) in (
           select c.export_id, c.number from exports e join export_chunks c on c.export_id = e.id where e.expires_at <= $1 limit $2)",
        now,
        most,
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// Deletes what is over and has no pieces any more.
pub async fn delete_old(db: &PgPool, now: OffsetDateTime) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from exports e where e.expires_at <= $1 and not exists (select from export_chunks c where c.export_id = e.id)", now)
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}
