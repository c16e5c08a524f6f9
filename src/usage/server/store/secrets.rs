//! Calls by secret, by quarters of an hour, while a key has several. The keys feature reads them (`keys::server::store::calls`).

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// Counts as columns, for `unnest`.
#[derive(Debug, Default)]
pub struct SecretColumns {
    pub secret: Vec<Uuid>,
    pub at: Vec<OffsetDateTime>,
    pub address: Vec<String>,
    pub route: Vec<String>,
    pub passed: Vec<i64>,
    pub limited: Vec<i64>,
    pub refused: Vec<i64>,
    pub last: Vec<OffsetDateTime>,
}

pub async fn insert_calls(conn: &mut PgConnection, rows: &SecretColumns) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into usage_secrets as u (secret_id, quarter, address, route, passed, limited, refused, last_at)
         select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::timestamptz[])
         on conflict (secret_id, quarter, address, route) do update
           set passed = u.passed + excluded.passed, limited = u.limited + excluded.limited, refused = u.refused + excluded.refused,
             last_at = greatest(u.last_at, excluded.last_at)",
        &rows.secret,
        &rows.at,
        &rows.address,
        &rows.route,
        &rows.passed,
        &rows.limited,
        &rows.refused,
        &rows.last,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Of one quarter of an hour: of each secret only the `kept` busiest pairs of address and route stay, the others are added up in the row
/// that has neither, so that the sum stays. Ranks those of at most `secrets` secrets, which have more; answers how many rows went.
pub async fn add_up_rare(db: &PgPool, quarter: OffsetDateTime, kept: i64, secrets: i64) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"with ranked as (
             select secret_id, address, route,
               row_number() over (partition by secret_id order by passed + limited + refused desc, address, route) as place
             from usage_secrets
             where quarter = $1 and route <> '' and secret_id in (
               select secret_id from usage_secrets where quarter = $1 and route <> '' group by secret_id having count(*) > $2 order by secret_id limit $3)
           ), gone as (
             delete from usage_secrets u using ranked r
             where u.quarter = $1 and r.place > $2 and (u.secret_id, u.address, u.route) = (r.secret_id, r.address, r.route)
             returning u.*
           ), added as (
             insert into usage_secrets as u (secret_id, quarter, address, route, passed, limited, refused, last_at)
             select secret_id, $1, '', '', sum(passed)::bigint, sum(limited)::bigint, sum(refused)::bigint, max(last_at) from gone group by secret_id
             on conflict (secret_id, quarter, address, route) do update
               set passed = u.passed + excluded.passed, limited = u.limited + excluded.limited, refused = u.refused + excluded.refused,
                 last_at = greatest(u.last_at, excluded.last_at)
           )
           select count(*) as "gone!" from gone"#,
        quarter,
        kept,
        secrets,
    )
    .fetch_one(db)
    .await
}
