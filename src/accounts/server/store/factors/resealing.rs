//! Under which master keys seeds and recovery codes are. What is sealed begins with its format and the id of its key (`platform::vault`).

use crate::platform::key_ring::{Anew, Sealed};
use sqlx::PgPool;
use uuid::Uuid;

/// A page of those that do not begin so.
pub async fn list_seeds(db: &PgPool, start: &[u8], after: Uuid, most: i64) -> sqlx::Result<Vec<Sealed>> {
    sqlx::query_as!(
        Sealed,
        "select account_id as id, seed as bytes from totp_factors where account_id > $1 and substring(seed from 1 for 5) <> $2 order by account_id limit $3",
        after,
        start,
        most,
    )
    .fetch_all(db)
    .await
}

/// Says how many were written.
pub async fn update_seeds(db: &PgPool, anew: &Anew) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "update totp_factors t set seed = n.seed from unnest($1::uuid[], $2::bytea[], $3::bytea[]) as n (account_id, before, seed)
         where t.account_id = n.account_id and t.seed = n.before",
        &anew.ids,
        &anew.befores,
        &anew.bytes,
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// How many seeds are sealed under each key; no key: from before they had ids.
pub async fn count_seeds(db: &PgPool) -> sqlx::Result<Vec<(Option<String>, i64)>> {
    let rows = sqlx::query!(
        r#"select case when substring(seed from 1 for 1) = '\x02' then encode(substring(seed from 2 for 4), 'hex') end as key, count(*) as "n!"
           from totp_factors group by 1"#
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.key, row.n)).collect())
}

/// How many recovery codes that still work were hashed under each key.
pub async fn count_codes(db: &PgPool) -> sqlx::Result<Vec<(Option<String>, i64)>> {
    let rows = sqlx::query!(r#"select master_key as key, count(*) as "n!" from recovery_codes where used_at is null group by 1"#);
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.key, row.n)).collect())
}
