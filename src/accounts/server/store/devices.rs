//! Known browsers, and the links of the mails about new ones.

use crate::values::{AccountId, DeviceId, EventId};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

/// Which of these browsers the account came in by before, the one used last first.
pub async fn find_device(db: impl PgExecutor<'_>, account: AccountId, held: &[DeviceId]) -> sqlx::Result<Option<DeviceId>> {
    let held: Vec<Uuid> = held.iter().map(|id| id.uuid()).collect();
    let id = sqlx::query_scalar!(
        "select id from known_devices where account_id = $1 and id = any($2) and voided_at is null order by last_used_at desc limit 1",
        account.uuid(),
        &held,
    );
    Ok(id.fetch_optional(db).await?.map(DeviceId::new))
}

/// The browsers that the account knows.
pub async fn list_devices(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Vec<DeviceId>> {
    let ids = sqlx::query_scalar!("select id from known_devices where account_id = $1 and voided_at is null", account.uuid());
    Ok(ids.fetch_all(db).await?.into_iter().map(DeviceId::new).collect())
}

/// True if the account came in by some browser before then, void or not.
pub async fn has_devices(db: impl PgExecutor<'_>, account: AccountId, before: OffsetDateTime) -> sqlx::Result<bool> {
    let has = sqlx::query_scalar!(r#"select exists (select from known_devices where account_id = $1 and created_at <= $2) as "has!""#, account.uuid(), before);
    has.fetch_one(db).await
}

/// Since when the account knows the first browser that was new to it after this moment, where it came in by another one before. Whether
/// that browser is still known makes no difference: whoever has two makes neither the older nor the younger one innocent.
pub async fn find_newcomer(db: impl PgExecutor<'_>, account: AccountId, since: OffsetDateTime) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!(
        r#"select min(d.created_at) as "first?" from known_devices d where d.account_id = $1 and d.created_at > $2
           and exists (select from known_devices o where o.account_id = $1 and o.created_at < d.created_at)"#,
        account.uuid(),
        since,
    )
    .fetch_one(db)
    .await
}

pub async fn insert_device(conn: &mut PgConnection, id: DeviceId, account: AccountId, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("insert into known_devices (id, account_id, created_at, last_used_at) values ($1, $2, $3, $3)", id.uuid(), account.uuid(), now)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn update_device_used(db: impl PgExecutor<'_>, id: DeviceId, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update known_devices set last_used_at = $2 where id = $1", id.uuid(), now).execute(db).await?;
    Ok(())
}

/// None of the account's browsers is known any more.
pub async fn update_devices_void(conn: &mut PgConnection, account: AccountId, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update known_devices set voided_at = $2 where account_id = $1 and voided_at is null", account.uuid(), now).execute(conn).await?;
    Ok(())
}

/// Of the account's browsers only these are known any more.
pub async fn update_other_devices_void(conn: &mut PgConnection, account: AccountId, keep: &[DeviceId], now: OffsetDateTime) -> sqlx::Result<()> {
    let keep: Vec<Uuid> = keep.iter().map(|id| id.uuid()).collect();
    sqlx::query!("update known_devices set voided_at = $2 where account_id = $1 and voided_at is null and id <> all($3)", account.uuid(), now, &keep,)
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes the link of a mail. Written again for the same event it is the same one; false: it was used.
pub async fn insert_alarm(db: impl PgExecutor<'_>, cause: EventId, account: AccountId, token_hash: &[u8], expires_at: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into device_alarms as d (id, account_id, token_hash, expires_at) values ($1, $2, $3, $4)
         on conflict (id) do update set expires_at = d.expires_at where d.used_at is null",
        cause.uuid(),
        account.uuid(),
        token_hash,
        expires_at,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// When whoever an alarm tells of came in: as the event says, else when it was written.
pub async fn find_came_in(conn: &mut PgConnection, alarm: EventId) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!(r#"select coalesce((data->>'since')::timestamptz, at) as "at!" from events where id = $1"#, alarm.uuid()).fetch_optional(conn).await
}

/// Uses up the link; of several uses at once, one gets the event that its mail told of, and the account.
pub async fn use_alarm(conn: &mut PgConnection, token_hash: &[u8], now: OffsetDateTime) -> sqlx::Result<Option<(EventId, AccountId)>> {
    let row = sqlx::query!(
        "update device_alarms set used_at = $2 where token_hash = $1 and used_at is null and expires_at > $2 returning id, account_id",
        token_hash,
        now,
    );
    Ok(row.fetch_optional(conn).await?.map(|r| (EventId::new(r.id), AccountId::new(r.account_id))))
}
