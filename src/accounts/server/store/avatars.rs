//! Pictures of people, one row an account.

use crate::values::{AccountId, PictureSize};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// A picture to write.
#[derive(Debug, Clone, Copy)]
pub struct NewAvatar<'a> {
    pub account: AccountId,
    pub hash: &'a [u8; 32],
    pub small: &'a [u8],
    pub large: &'a [u8],
    pub now: OffsetDateTime,
}

/// The picture of an account, for its export.
#[derive(Debug)]
pub struct Kept {
    pub large: Vec<u8>,
    pub set_at: OffsetDateTime,
}

pub async fn find_hash(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!("select hash from avatars where account_id = $1", account.uuid()).fetch_optional(db).await
}

pub async fn find_kept(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Option<Kept>> {
    sqlx::query_as!(Kept, "select large, set_at from avatars where account_id = $1", account.uuid()).fetch_optional(db).await
}

/// The bytes behind an address, unless its account is banned.
pub async fn find_picture(db: impl PgExecutor<'_>, hash: &[u8; 32], size: PictureSize, now: OffsetDateTime) -> sqlx::Result<Option<Vec<u8>>> {
    let is_small = size == PictureSize::Small;
    sqlx::query_scalar!(
        r#"select case when $2 then v.small else v.large end as "picture!" from avatars v
           where v.hash = $1 and not exists (
             select from bans b where b.account_id = v.account_id and b.lifted_at is null and (b.until is null or b.until > $3))"#,
        hash.as_slice(),
        is_small,
        now,
    )
    .fetch_optional(db)
    .await
}

/// Takes the place of the one before. The account has changed, too.
pub async fn replace_avatar(conn: &mut PgConnection, new: NewAvatar<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "with changed as (update accounts set updated_at = $5 where id = $1)
         insert into avatars (account_id, hash, small, large, set_at) values ($1, $2, $3, $4, $5)
         on conflict (account_id) do update set hash = excluded.hash, small = excluded.small, large = excluded.large, set_at = excluded.set_at",
        new.account.uuid(),
        new.hash.as_slice(),
        new.small,
        new.large,
        new.now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// False if there was none.
pub async fn delete_avatar(conn: &mut PgConnection, account: AccountId, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "with gone as (delete from avatars where account_id = $1 returning account_id)
         update accounts set updated_at = $2 where id = (select account_id from gone)",
        account.uuid(),
        now,
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}
