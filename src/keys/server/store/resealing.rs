//! What was sealed or named under a master key. What is sealed begins with its format and the id of its key (`platform::vault`).

use crate::platform::key_ring::{Anew, Sealed};
use sqlx::PgPool;
use uuid::Uuid;

/// A page of those that do not begin so.
pub async fn list_sealed(db: &PgPool, start: &[u8], after: Uuid, most: i64) -> sqlx::Result<Vec<Sealed>> {
    sqlx::query_as!(
        Sealed,
        r#"select key_id as id, sealed_secret as "bytes!" from key_signings
           where key_id > $1 and sealed_secret is not null and substring(sealed_secret from 1 for 5) <> $2 order by key_id limit $3"#,
        after,
        start,
        most,
    )
    .fetch_all(db)
    .await
}

pub struct Salted {
    /// The secret.
    pub id: Uuid,
    pub bytes: Vec<u8>,
    pub phc: String,
}

/// A page of the salted hashes.
pub async fn list_salted(db: &PgPool, after: Uuid, most: i64) -> sqlx::Result<Vec<Salted>> {
    sqlx::query_as!(Salted, r#"select id, hash as bytes, phc as "phc!" from key_secrets where id > $1 and phc is not null order by id limit $2"#, after, most,)
        .fetch_all(db)
        .await
}

/// Says how many were written.
pub async fn update_sealed(db: &PgPool, anew: &Anew) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "update key_signings s set sealed_secret = n.bytes from unnest($1::uuid[], $2::bytea[], $3::bytea[]) as n (id, before, bytes)
         where s.key_id = n.id and s.sealed_secret = n.before",
        &anew.ids,
        &anew.befores,
        &anew.bytes,
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// The same for the names of salted hashes, as long as they are salted.
pub async fn update_names(db: &PgPool, anew: &Anew) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "update key_secrets s set hash = n.bytes, salted = n.bytes from unnest($1::uuid[], $2::bytea[], $3::bytea[]) as n (id, before, bytes)
         where s.id = n.id and s.hash = n.before and s.phc is not null and not exists (select from key_secrets o where o.hash = n.bytes)",
        &anew.ids,
        &anew.befores,
        &anew.bytes,
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// How many are sealed under each key; no key: from before they had ids.
pub async fn count_sealed(db: &PgPool) -> sqlx::Result<Vec<(Option<String>, i64)>> {
    let rows = sqlx::query!(
        r#"select case when substring(sealed_secret from 1 for 1) = '\x02' then encode(substring(sealed_secret from 2 for 4), 'hex') end as key, count(*) as "n!"
           from key_signings where sealed_secret is not null group by 1"#
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.key, row.n)).collect())
}
