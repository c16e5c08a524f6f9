//! What an account says of itself, to itself and to others.

use crate::values::AccountId;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// Everything its owner may write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileRow {
    pub name: String,
    pub time_zone: String,
    pub language: String,
    pub handle: Option<String>,
    pub handle_set_at: Option<OffsetDateTime>,
    pub published: Vec<String>,
}

/// What everybody may know of an account, before its owner's ticks are looked at.
#[derive(Debug, Clone)]
pub struct PublicRow {
    pub id: uuid::Uuid,
    pub email: String,
    pub name: String,
    pub time_zone: String,
    pub language: String,
    pub published: Vec<String>,
    pub created_at: OffsetDateTime,
}

pub async fn find_profile(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Option<ProfileRow>> {
    sqlx::query_as!(ProfileRow, "select name, time_zone, language, handle, handle_set_at, published from accounts where id = $1", account.uuid())
        .fetch_optional(db)
        .await
}

/// When an account was made, and when it was last changed.
pub async fn find_dates(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Option<(OffsetDateTime, OffsetDateTime)>> {
    let row = sqlx::query!("select created_at, updated_at from accounts where id = $1", account.uuid()).fetch_optional(db).await?;
    Ok(row.map(|r| (r.created_at, r.updated_at)))
}

/// What its owner may write, and nobody else changes it before this transaction ends.
pub async fn lock_profile(conn: &mut PgConnection, account: AccountId) -> sqlx::Result<Option<ProfileRow>> {
    sqlx::query_as!(ProfileRow, "select name, time_zone, language, handle, handle_set_at, published from accounts where id = $1 for update", account.uuid())
        .fetch_optional(conn)
        .await
}

/// Writes the whole row; the personal workspace takes a new name too. It may have had another one than the old.
pub async fn update_profile(conn: &mut PgConnection, account: AccountId, new: &ProfileRow, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "with w as (update workspaces set name = $2 where personal_of = $1 and exists (select from accounts where id = $1 and name <> $2))
         update accounts set name = $2, time_zone = $3, language = $4, handle = $5, handle_set_at = $6, published = $7, updated_at = $8 where id = $1",
        account.uuid(),
        new.name,
        new.time_zone,
        new.language,
        new.handle,
        new.handle_set_at,
        &new.published,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// From now on the zone is one that its owner chose, also where that is UTC as before.
pub async fn keep_time_zone(conn: &mut PgConnection, account: AccountId) -> sqlx::Result<()> {
    sqlx::query!("update accounts set time_zone_chosen = true where id = $1 and not time_zone_chosen", account.uuid()).execute(conn).await?;
    Ok(())
}

/// Fills in a zone that nobody chose. True if it is another one than before.
pub async fn fill_time_zone(conn: &mut PgConnection, account: AccountId, zone: &str, now: OffsetDateTime) -> sqlx::Result<bool> {
    let is_other = sqlx::query_scalar!(
        r#"update accounts set time_zone = $2, time_zone_chosen = true, updated_at = case when $2 = 'UTC' then updated_at else $3 end
           where id = $1 and not time_zone_chosen and time_zone = 'UTC'
           returning time_zone <> 'UTC' as "is_other!""#,
        account.uuid(),
        zone,
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(is_other.unwrap_or(false))
}

/// An account that published something and is there: proven, not disabled, not left. Whether it is banned, `entry` knows.
pub async fn find_public(db: impl PgExecutor<'_>, handle: &str) -> sqlx::Result<Option<PublicRow>> {
    sqlx::query_as!(
        PublicRow,
        "select a.id, email, name, time_zone, language, published, created_at from accounts a
         where handle = $1 and verified_at is not null
           and (published <> '{}' or exists (
             select from profile_values v join profile_fields f on f.id = v.field_id where v.account_id = a.id and v.is_public and f.may_be_public))
           and not exists (select from account_disablements d where d.account_id = a.id)
           and not exists (select from account_departures g where g.account_id = a.id)",
        handle,
    )
    .fetch_optional(db)
    .await
}

/// Keeps a handle that an account gave up from everybody else until then.
pub async fn hold_handle(conn: &mut PgConnection, handle: &str, account: AccountId, until: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into handle_holds (handle, account_id, until) values ($1, $2, $3)
         on conflict (handle) do update set account_id = excluded.account_id, until = excluded.until",
        handle,
        account.uuid(),
        until,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The same for the handle of an account that is about to be erased: nobody takes it back.
pub async fn hold_handle_of_erased(conn: &mut PgConnection, account: AccountId, until: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into handle_holds (handle, until) select handle, $2 from accounts where id = $1 and handle is not null
         on conflict (handle) do update set account_id = null, until = excluded.until",
        account.uuid(),
        until,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a handle is kept from this account.
pub async fn is_held_from(conn: &mut PgConnection, handle: &str, account: AccountId, now: OffsetDateTime) -> sqlx::Result<bool> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from handle_holds where handle = $1 and until > $3 and account_id is distinct from $2) as "held!""#,
        handle,
        account.uuid(),
        now,
    );
    found.fetch_one(conn).await
}

pub async fn delete_old_holds(db: impl PgExecutor<'_>, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("delete from handle_holds where until < $1", now).execute(db).await?;
    Ok(())
}
