//! What accounts want to be told, what they were told, and where a mail goes.

use crate::{
    keys::model::{LimitUnit, Window},
    notices::model::NoticeSettings,
    values::AccountId,
};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

pub async fn find_settings(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Option<NoticeSettings>> {
    let row = sqlx::query!("select limits, thresholds, expiry from notice_settings where account_id = $1", account.uuid()).fetch_optional(db).await?;
    Ok(row.map(|r| NoticeSettings { limits: r.limits, thresholds: r.thresholds.into_iter().filter_map(|t| u8::try_from(t).ok()).collect(), expiry: r.expiry }))
}

/// What changes the settings of an account waits for what changes them at the same time.
pub async fn lock_settings(conn: &mut PgConnection, account: AccountId) -> sqlx::Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1::uuid::text, 62)) as locked", account.uuid()).fetch_one(conn).await?;
    Ok(())
}

pub async fn upsert_settings(conn: &mut PgConnection, account: AccountId, wanted: &NoticeSettings, now: OffsetDateTime) -> sqlx::Result<()> {
    let thresholds: Vec<i16> = wanted.thresholds.iter().map(|t| i16::from(*t)).collect();
    sqlx::query!(
        "insert into notice_settings (account_id, limits, thresholds, expiry, updated_at) values ($1, $2, $3, $4, $5)
         on conflict (account_id) do update set limits = excluded.limits, thresholds = excluded.thresholds, expiry = excluded.expiry, updated_at = excluded.updated_at",
        account.uuid(),
        wanted.limits,
        &thresholds,
        wanted.expiry,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A notice that was sent: of a limit, or of an expiry.
#[derive(Debug)]
pub struct ToldRow {
    /// None: of what all keys of a workspace share.
    pub key_id: Option<Uuid>,
    pub key_name: String,
    pub at: OffsetDateTime,
    pub threshold: Option<i16>,
    pub used: Option<i64>,
    pub allowed: Option<i64>,
    pub window_seconds: Option<i32>,
    pub zone: Option<String>,
    pub kind: Option<String>,
    pub refill: Option<i64>,
    pub unit: Option<String>,
    pub expires_at: Option<OffsetDateTime>,
    /// Its secret was found in the open.
    pub has_leaked: bool,
}

impl ToldRow {
    /// What the window counts.
    pub fn unit(&self) -> LimitUnit {
        LimitUnit::stored(self.unit.as_deref().unwrap_or_default())
    }

    /// The window of the limit, of so many seconds.
    pub fn window(&self, seconds: i32) -> Window {
        Window::stored(self.kind.as_deref().unwrap_or_default(), seconds, self.zone.as_deref().unwrap_or_default(), self.refill.unwrap_or(0))
    }
}

/// What an account was told last, newest first. Of thresholds that were passed together only the highest is a notice; of the places where a secret
/// leaked the first.
pub async fn list_told(db: impl PgExecutor<'_>, account: AccountId, most: i64) -> sqlx::Result<Vec<ToldRow>> {
    sqlx::query_as!(
        ToldRow,
        r#"select t.key_id as "key_id?", coalesce(k.name, 'All keys together') as "key_name!", t.at as "at!", t.threshold, t.used, t.allowed, t.window_seconds, t.zone, t.kind, t.refill, t.unit, t.expires_at, t.has_leaked as "has_leaked!"
           from (
             (select key_id, at, max(threshold) as threshold, max(used) as used, allowed, window_seconds, zone, kind, refill, unit, null::timestamptz as expires_at, false as has_leaked from limit_notices
              where account_id = $1 group by key_id, at, limit_name, kind, window_seconds, zone, refill, unit, window_start, allowed order by at desc limit $2)
             union all
             (select null, at, max(threshold), max(used), allowed, window_seconds, zone, kind, refill, unit, null, false from shared_limit_notices
              where account_id = $1 group by workspace_id, at, limit_name, kind, window_seconds, zone, refill, unit, window_start, allowed order by at desc limit $2)
             union all
             (select key_id, at, null, null, null, null, null, null, null, null, expires_at, false from expiry_notices where account_id = $1 order by at desc limit $2)
             union all
             (select l.key_id, min(l.at), null, null, null, null, null, null, null, null, null, true
              from key_leaks l join keys k on k.id = l.key_id join workspaces w on w.id = k.workspace_id
              where w.personal_of = $1 group by l.key_id, l.secret_id order by min(l.at) desc limit $2)
           ) t left join keys k on k.id = t.key_id
           order by t.at desc, k.name limit $2"#,
        account.uuid(),
        most,
    )
    .fetch_all(db)
    .await
}

/// Who gets a mail.
#[derive(Debug)]
pub struct ReaderRow {
    pub email: String,
    pub name: String,
    pub time_zone: String,
    /// The tag of a `Language`.
    pub language: String,
}

/// The account, unless it may not come in (any more).
pub async fn find_reader(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Option<ReaderRow>> {
    sqlx::query_as!(
        ReaderRow,
        "select email, name, time_zone, language from accounts a
         where id = $1 and verified_at is not null and not exists (select from account_disablements d where d.account_id = a.id)
           and not exists (select from account_departures g where g.account_id = a.id)",
        account.uuid(),
    )
    .fetch_optional(db)
    .await
}
